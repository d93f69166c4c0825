"""Every state of a parcel has its own words, and none of them is the carrier's."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pages.facts import ParcelFacts
from portal.pages.present import TrackingPage, changes_at, present
from portal.pages.state import State, state_of
from portal.pages.words import WORDS, Tone
from tests.pages.samples import FERN, FERN_ORDER, MOVING, NOW, STATES, at, fern, sample, scan

BACKEND = re.compile(
    r"label created|fulfilled|InfoReceived|manifest|pre-advice|BACKEND|[a-z]+_[a-z]+|Tester", re.I
)
IN_FLIGHT = ["moving", "near", "out_for_delivery", "late", "weather", "quiet", "attempt_failed"]
NAMES_A_DAY = re.compile(r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day \d{1,2} [A-Z][a-z]+")


def page(state: str, locale: str = "en", brand: str = "fern") -> TrackingPage:
    return present(*sample(brand, state), NOW, locale)


def texts(shown: object) -> str:
    """Every text of a page in one string, found by walking its dataclasses."""
    if isinstance(shown, str):
        return "" if isinstance(shown, State | Tone) else shown + "\n"
    if isinstance(shown, tuple):
        return "".join(map(texts, shown))
    fields = getattr(shown, "__dataclass_fields__", {})
    codes = {"code", "url", "carrier_url", "image_url", "sku", "id"}
    return "".join(texts(getattr(shown, name)) for name in fields if name not in codes)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("brand", ["fern", "volta"])
def test_no_back_end_wording_and_no_name_reaches_the_page(state: str, brand: str) -> None:
    assert not BACKEND.search(texts(page(state, brand=brand)))


@pytest.mark.parametrize("state", STATES)
def test_every_page_has_a_word_a_headline_and_a_reason(state: str) -> None:
    hero = page(state).hero
    assert hero.word
    assert hero.headline
    assert hero.why.endswith(".")


@pytest.mark.parametrize("state", IN_FLIGHT)
def test_the_arrival_names_weekday_day_and_month(state: str) -> None:
    hero = page(state).hero
    assert NAMES_A_DAY.search(f"{hero.headline} {hero.aside}") or " to " in hero.headline


@pytest.mark.parametrize("state", STATES)
def test_exactly_one_step_is_current(state: str) -> None:
    shown = page(state)
    steppers = [parcel.stepper for parcel in shown.parcels] if shown.is_split else [shown.stepper]
    for stepper in steppers:
        assert stepper is not None
        places = [step.position for step in stepper.steps]
        now = places.index("now")
        assert places == ["done"] * now + ["now"] + ["future"] * (len(places) - now - 1)
        assert len(places) <= 5


@pytest.mark.parametrize("state", STATES)
def test_trouble_says_what_to_do(state: str) -> None:
    for parcel in page(state).parcels:
        if parcel.hero.tone in (Tone.ATTENTION, Tone.PROBLEM):
            assert parcel.alerts
            assert parcel.alerts[0].lead


def test_the_states_of_the_samples_are_the_states_there_are() -> None:
    shown = {parcel.hero.state for name in STATES for parcel in page(name).parcels}
    shown |= {page(name).hero.state for name in STATES}
    assert shown == set(State) == set(WORDS)


@pytest.mark.parametrize(
    ("status", "detail", "overlays", "state"),
    [
        ("delivered", None, ("delayed", "presumed_lost"), State.DELIVERED),
        ("in_transit", "weather_delay", (), State.WEATHER),
        ("in_transit", "departed_facility", ("presumed_lost",), State.LOST),
        ("in_transit", None, ("delayed", "silent"), State.LATE),
        ("in_transit", None, ("silent",), State.QUIET),
        ("out_for_delivery", None, ("delayed",), State.OUT_FOR_DELIVERY),
        ("out_for_delivery", None, ("silent",), State.QUIET),
        ("available_for_pickup", None, ("silent",), State.PICKUP),
        ("exception", "something new", (), State.PROBLEM),
        ("no such status", "damaged", (), State.UNKNOWN),
    ],
)
def test_status_detail_and_overlays_fold_into_one_state(
    status: str, detail: str | None, overlays: tuple[str, ...], state: State
) -> None:
    parcel = replace(MOVING, status=status, detail=detail, overlays=overlays)
    assert state_of(parcel) is state


def test_a_date_that_has_passed_is_late_by_itself() -> None:
    order = fern(eta_from=date(2026, 11, 24), eta_to=date(2026, 11, 24))
    hero = present(order, FERN, NOW, "en").hero
    assert hero.state is State.LATE
    assert hero.was == "was Friday 27 November"


def test_the_old_date_is_struck_only_when_the_parcel_comes_later() -> None:
    sooner = fern(first_eta=date(2026, 11, 30))
    assert present(sooner, FERN, NOW, "en").hero.was == ""
    assert page("late").hero.was == "was Tuesday 24 November"


def test_a_damaged_parcel_promises_no_date() -> None:
    parcel = page("damaged").parcels[0]
    assert parcel.hero.headline == "New date not known yet"
    assert not parcel.has_calendar
    assert not any(step.is_expected for step in parcel.stepper.steps)


def test_at_most_three_actions_and_a_return_only_after_delivery() -> None:
    for state in STATES:
        codes = [action.code for action in page(state).actions]
        assert len(codes) <= 3
        assert ("return" in codes) == (state in ("delivered", "split"))


def test_change_delivery_leads_to_the_carrier() -> None:
    change = page("moving").actions[-1]
    assert (change.code, change.url) == ("change", MOVING.tracking_url)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//x.example", ""])
def test_a_link_that_leads_elsewhere_than_the_web_is_dropped(url: str) -> None:
    assert present(fern(tracking_url=url), FERN, NOW, "en").parcels[0].carrier_url is None


def test_split_parcels_are_counted_and_the_urgent_one_comes_first() -> None:
    shown = page("split")
    assert shown.hero.word == "2 of 3 parcels delivered"
    assert shown.hero.text == "Next parcel: Today"
    assert [parcel.title for parcel in shown.parcels] == [
        "Parcel 2 of 3",
        "Parcel 1 of 3",
        "Parcel 3 of 3",
    ]
    assert [parcel.items[0].sku for parcel in shown.parcels] == ["OLIVE-S", "POT-R", "CANDLE-2"]


def test_a_feed_that_is_down_says_when_it_last_spoke() -> None:
    alert = page("feed_down").parcels[0].alerts[0]
    assert alert.lead == "UPS's updates are not reaching us right now."
    assert alert.text == "Last answer: Tue 24 at 10:10\u202fpm. We keep asking."


def test_quiet_says_since_when_and_when_we_look_again() -> None:
    shown = page("quiet")
    assert shown.hero.why == "UPS has not scanned it since Sunday 22 November."
    assert "on Thursday 26 November" in shown.parcels[0].alerts[0].text


def test_history_is_newest_first_whole_and_three_open() -> None:
    told = page("delivered").parcels[0].history
    newest = [entry for day in told.newest for entry in day.entries]
    older = [entry for day in told.older for entry in day.entries]
    moments = [datetime.fromisoformat(entry.iso) for entry in newest + older]
    assert moments == sorted(moments, reverse=True)
    assert (len(newest), len(newest) + len(older), told.total) == (3, 8, 8)
    assert newest[0].title == "Wednesday 25 November 2026 at 9:35\u202fam, UTC−6"
    assert [entry.text for entry in older][-2:] == ["Handed to UPS", "Packed and ready for UPS"]


def test_hidden_scans_decide_nothing_and_are_not_told() -> None:
    ahead = scan(at(30, 9), "delivered", None, "Austin, Texas", hidden=True)
    told = present(fern(scans=(*MOVING.scans, ahead)), FERN, NOW, "en").parcels[0].history
    assert told.total == len(MOVING.scans)


def test_times_without_an_offset_are_shown_where_the_parcel_goes_and_say_so() -> None:
    told = page("zoneless").parcels[0].history
    assert told.zone_note == "Times are in Central Standard Time."
    assert told.newest[0].entries[0].title.endswith("Central Standard Time")
    assert page("moving").parcels[0].history.zone_note == "Times are local to each place."


moments = st.integers(1_704_067_200, 1_893_456_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
optional_days = st.none() | st.dates(date(2025, 1, 1), date(2028, 1, 1))
words = st.text(max_size=30)
parcels = st.builds(
    ParcelFacts,
    id=words,
    carrier_name=words,
    carrier_code=words,
    service=words,
    tracking_number=words,
    tracking_url=st.none() | words,
    status=st.sampled_from([*"ab", "delivered", "in_transit", "exception", "pre_transit"]) | words,
    detail=st.none() | st.sampled_from(["lost", "return", "held"]) | words,
    overlays=st.lists(st.sampled_from(["delayed", "silent", "presumed_lost"])).map(tuple),
    since=st.none() | moments,
    delivered_at=st.none() | moments,
    delivered_offset_minutes=st.none() | st.integers(-720, 840),
    eta_from=optional_days,
    eta_to=optional_days,
    first_eta=optional_days,
    last_checked_at=st.none() | moments,
    next_check_at=st.none() | moments,
    feed_problem=st.none() | words,
    pickup_until=optional_days,
)


@given(st.lists(parcels, max_size=4).map(tuple), moments, st.sampled_from(["en", "en_US", "de"]))
def test_any_facts_make_a_page(
    shipped: tuple[ParcelFacts, ...], now: datetime, locale: str
) -> None:
    shown = present(replace(FERN_ORDER, parcels=shipped), FERN, now, locale)
    assert shown.hero.headline
    assert shown.changes_at > now


@given(moments, st.sampled_from(["America/Chicago", "Asia/Kathmandu", "Africa/Cairo", None]))
def test_words_stay_the_same_until_they_are_said_to_change(now: datetime, zone: str | None) -> None:
    order = replace(FERN_ORDER, timezone=zone)
    until = changes_at(order, FERN, now)
    first = present(order, FERN, now, "en")
    last = present(order, FERN, until - timedelta(seconds=1), "en")
    assert first == last
    assert timedelta(0) < until - now <= timedelta(hours=25)
