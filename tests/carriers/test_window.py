"""The window that is shown: whose word counts, how it narrows, and what it never does."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import Status
from carriers.lanes import Journey, Lanes
from carriers.window import CARRIER, PROMISE, Forecast, Said, Window, shown

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 16)
UNTIL = st.integers(0, 20)


@st.composite
def forecasts(draw: st.DrawFn) -> Forecast:
    first, width = draw(UNTIL), draw(st.integers(0, 8))
    tail = sorted(draw(st.lists(st.integers(first, 40), min_size=50, max_size=50)))
    leg = draw(st.none() | st.tuples(UNTIL, st.integers(0, 6)))
    return Forecast(
        first=MONDAY + first * DAY,
        last=MONDAY + (first + width) * DAY,
        tail=tuple(MONDAY + days * DAY for days in tail),
        basis="lane",
        parcels=214,
        leg=(MONDAY + leg[0] * DAY, MONDAY + (leg[0] + leg[1]) * DAY) if leg else None,
    )


dates = UNTIL.map(lambda days: MONDAY + days * DAY)
said = st.builds(
    Said,
    status=st.sampled_from(list(Status)),
    detail=st.sampled_from(["", "departed_facility", "weather_delay", "customs"]),
    since=st.none() | dates,
    carrier=st.none() | dates,
    forecast=st.none() | forecasts(),
    promise=st.none() | dates.map(lambda day: Window(day, day + 2 * DAY, PROMISE)),
    is_handed_over=st.booleans(),
)


@given(said, dates)
def test_a_window_is_never_inverted_and_never_begins_before_today(one: Said, today: date) -> None:
    window = shown(one, today)
    assert window == shown(one, today)
    if window is None:
        return
    assert window.first <= window.last
    visible = window.on(today)
    assert (visible is None) == (window.last < today)
    assert visible is None or today <= visible.first <= visible.last
    assert Window.from_json(json.loads(json.dumps(window.to_json()))) == window


@given(forecasts())
def test_a_window_only_narrows_until_it_is_missed(forecast: Forecast) -> None:
    days = [MONDAY + number * DAY for number in range(30)]
    ahead = list(itertools.takewhile(lambda day: day <= forecast.window(MONDAY).last, days))
    widths = [(w.last - w.first).days for w in map(forecast.window, ahead)]
    assert widths == sorted(widths, reverse=True)
    lasts = [forecast.window(day).last for day in days]
    assert lasts == sorted(lasts)  # and later it only moves on


@given(forecasts())
def test_reaching_the_last_depot_never_widens_a_window(forecast: Forecast) -> None:
    before = replace(forecast, leg=None).window(forecast.first)
    after = forecast.window(min(forecast.first, (forecast.leg or (forecast.first,))[0]))
    assert after.last - after.first <= before.last - before.first


@given(forecasts())
def test_a_forecast_is_kept_as_it_was(forecast: Forecast) -> None:
    assert Forecast.from_json(json.loads(json.dumps(forecast.to_json()))) == forecast


@given(said, dates)
def test_the_carrier_is_never_contradicted_today_nor_shown_earlier(one: Said, today: date) -> None:
    window = shown(one, today)
    if window is None or one.carrier is None or one.status is Status.OUT_FOR_DELIVERY:
        return
    assert window.last >= one.carrier
    if one.carrier == today:
        assert window == Window(today, today, CARRIER)


FORECAST = Forecast(
    MONDAY + 3 * DAY, MONDAY + 5 * DAY, tuple(MONDAY + (3 + n // 10) * DAY for n in range(50)),
    "lane", 214,
)  # fmt: skip
PROMISED = Window(MONDAY + 2 * DAY, MONDAY + 4 * DAY, PROMISE)
MOVING = Said(Status.IN_TRANSIT, "", None, None, FORECAST, PROMISED, is_handed_over=True)


@pytest.mark.parametrize("status", ["available_for_pickup", "return_to_sender", "cancelled"])
def test_a_parcel_that_waits_or_goes_back_has_no_window(status: str) -> None:
    assert shown(replace(MOVING, status=Status(status), carrier=MONDAY), MONDAY) is None


@pytest.mark.parametrize(
    "held", [{"status": Status.EXCEPTION}, {"status": Status.ATTEMPT_FAILED}, {"detail": "held"}]
)
def test_while_it_is_held_up_only_the_carrier_s_date_counts(held: dict[str, object]) -> None:
    stuck = replace(MOVING, **held)  # type: ignore[arg-type]
    assert shown(stuck, MONDAY) is None
    dated = shown(replace(stuck, carrier=MONDAY + DAY), MONDAY)
    assert dated == Window(MONDAY + DAY, MONDAY + DAY, CARRIER)


def test_the_promise_counts_until_the_carrier_has_it_and_then_where_nobody_knows() -> None:
    waiting = replace(MOVING, status=Status.PRE_TRANSIT, forecast=None, is_handed_over=False)
    sooner = replace(waiting, carrier=MONDAY + DAY)
    assert shown(waiting, MONDAY) == shown(sooner, MONDAY) == PROMISED
    later = shown(replace(waiting, carrier=MONDAY + 9 * DAY), MONDAY)
    assert later is not None
    assert later.basis == CARRIER
    moving = shown(replace(sooner, status=Status.IN_TRANSIT, is_handed_over=True), MONDAY)
    assert moving is not None
    assert moving.basis == CARRIER
    assert shown(replace(waiting, is_handed_over=True), MONDAY) == PROMISED


def test_a_missed_window_moves_to_what_such_late_parcels_took_and_then_says_nothing() -> None:
    missed = FORECAST.window(MONDAY + 6 * DAY)
    assert missed.first == MONDAY + 6 * DAY
    assert missed.last > FORECAST.last
    hopeless = FORECAST.window(MONDAY + 30 * DAY)
    assert hopeless.on(MONDAY + 30 * DAY) is None


def finished(number: int, **more: object) -> Journey:
    handed = MONDAY + (number // 5 - 60) * DAY
    journey = Journey(handed, "US-OR", "US", "NY", "112", "UPS", "ground")
    took = 3 + number % 3
    return replace(
        journey,
        near_on=handed + (took - 1) * DAY,
        delivered_on=handed + took * DAY,
        **more,  # type: ignore[arg-type]
    )


def taught(count: int, **more: object) -> Lanes:
    lanes = Lanes()
    journeys = [finished(number, **more) for number in range(count)]
    for journey in sorted(journeys, key=lambda each: str(each.delivered_on)):
        lanes.learn(journey)
    return lanes


ASKED = Journey(MONDAY, "US-OR", "US", "NY", "112", "UPS", "ground")


def test_lanes_say_on_how_many_parcels_they_stand_and_fall_back_to_broader_ones() -> None:
    lanes = taught(214)
    told = {
        name: lanes.forecast(replace(ASKED, **other))  # type: ignore[arg-type]
        for name, other in {
            "lane": {},
            "destination": {"carrier": "USPS"},
            "country": {"region": "WY"},
            "nowhere": {"country": "DE", "region": ""},
        }.items()
    }
    assert told["nowhere"] is None
    found = {name: (one.basis, one.parcels) for name, one in told.items() if one}
    assert found == {name: (name, 214) for name in ("lane", "destination", "country")}
    assert taught(29).forecast(ASKED) is None


def test_the_last_leg_is_told_of_parcels_that_reached_their_depot() -> None:
    lanes = taught(214)
    assert lanes.last_leg(ASKED) is None
    near = lanes.last_leg(replace(ASKED, near_on=MONDAY + 2 * DAY))
    assert near == (MONDAY + 3 * DAY, MONDAY + 3 * DAY)


def test_nothing_is_told_for_a_holiday() -> None:
    lanes = taught(214)
    before = replace(ASKED, handed_on=date(2026, 12, 23), near_on=date(2026, 12, 24))
    assert lanes.last_leg(before) == (date(2026, 12, 26), date(2026, 12, 26))


def test_what_was_learned_is_read_back_as_it_was() -> None:
    lanes = taught(100)
    again = Lanes.from_json(json.loads(json.dumps(lanes.to_json())))
    assert again.forecast(ASKED) == lanes.forecast(ASKED)
    assert again.to_json() == lanes.to_json()


def test_journeys_that_cannot_be_true_teach_nothing() -> None:
    lanes = Lanes()
    lanes.learn(replace(ASKED, delivered_on=None))
    lanes.learn(replace(ASKED, delivered_on=MONDAY - DAY))
    assert lanes == Lanes()
