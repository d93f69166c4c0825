"""The queue: what waits is found, shared out, put off, and decided in one go, with a way back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.act import bury
from portal.jobs.work import work
from portal.models import AuditEntry, Order, PlannedAct, Shipment, Shop, Staff, due
from portal.models.trouble import CONCERNS
from portal.staff.queue_filters import Filters
from portal.staff.queue_views import VIEWS
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought, rma, shirts
from tests.pages.browser import Browser
from tests.staff.test_signin import joined
from tests.statements import statements

QUEUE = "/staff/queue"
TEN_SECONDS = timedelta(seconds=11)


@pytest.fixture
def desk(app: Flask) -> Browser:
    return joined(app)


def asked(*numbers: str, **more: Any) -> list[str]:
    """Returns that wait for a decision, one for each order number."""
    return [ask(bought(number=number, **more), shirts(1, "other")) for number in numbers]


def items(page: str) -> dict[str, str]:
    """The rows of a list that can be chosen: the form's value by id."""
    found = re.findall(r'name="item" value="([^":]+):(\d+)"', page)
    return {subject: f"{subject}:{version}" for subject, version in found}


def choose(browser: Browser, what: str, *ids: str, here: str = QUEUE, **fields: str) -> str:
    """Send the list's form for these rows; gives the page that follows."""
    shown = items(browser.get(here).text)
    chosen = [shown.get(each, f"{each}:1") for each in ids]
    answer = browser.send(f"/staff/queue/{what}", form=here, item=chosen, **fields)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["Location"]).text


def later(what: timedelta = TEN_SECONDS) -> None:
    """Let time go by, and do what is due then."""
    with time_machine.travel(clock.now() + what, tick=True):
        work("act")


def status(*ids: str) -> list[str]:
    with inside(shop_id("fern")):
        found = [rma(each).status for each in ids]
        session.remove()
        return found


def count(page: str, title: str) -> str:
    """The number beside a list's name."""
    found = re.search(rf"<span>{re.escape(title)}.*?<small>(.*?)</small>", page)
    assert found, title
    return found[1]


# --- deciding from the list ---------------------------------------------------------------------


def test_what_is_decided_leaves_the_house_after_ten_seconds_as_its_person_did_it(
    any_app: Flask,
) -> None:
    desk, ids = joined(any_app), asked("1001", "1002")
    page = choose(desk, "decisions", *ids, act="approve")
    assert "2 approvals" in page
    assert page.count("Being approved") == 2
    work("act")
    assert status(*ids) == ["requested", "requested"]
    later()
    assert status(*ids) == ["approved", "approved"]
    with inside(shop_id("fern")):
        entry = session.query(AuditEntry).filter_by(act="return.approve").first()
        assert entry is not None
        assert entry.who.endswith("Dana")


def test_within_ten_seconds_it_is_taken_back_and_nothing_happens(desk: Browser) -> None:
    ids = asked("1001", "1002")
    page = choose(desk, "decisions", *ids, act="decline", code="ret:worn", note="It was worn.")
    batch = re.search(r'name="batch" value="([^"]+)"', page)
    assert batch
    answer = desk.send("/staff/queue/undo", form=QUEUE, batch=batch[1])
    assert "Taken back. 2 rows are as before" in desk.get(answer.headers["Location"]).text
    later()
    assert status(*ids) == ["requested", "requested"]
    answer = desk.send("/staff/queue/undo", form=QUEUE, batch=batch[1])
    assert "too late" in desk.get(answer.headers["Location"]).text


def test_only_who_decided_takes_it_back(app: Flask, desk: Browser) -> None:
    [rma_id] = asked("1001")
    page = choose(desk, "decisions", rma_id, act="approve")
    batch = re.search(r'name="batch" value="([^"]+)"', page)
    assert batch
    joined(app, "sam@fern.test").send("/staff/queue/undo", form=QUEUE, batch=batch[1])
    later()
    assert status(rma_id) == ["approved"]


def test_each_row_is_decided_by_itself_and_says_why_it_could_not_be(desk: Browser) -> None:
    fresh, stale, gone = asked("1001", "1002", "1003")
    shown = items(desk.get(QUEUE).text)
    with inside(shop_id("fern")), writing():
        rma(stale).touch(clock.now())
    choose(desk, "decisions", gone, act="approve")
    form = {"act": "approve", "item": [shown[fresh], shown[stale], shown[gone], "ret_none:1"]}
    answer = desk.send("/staff/queue/decisions", form=QUEUE, **form)
    page = desk.get(answer.headers["Location"]).text
    assert "1 approval<" in page.replace("</b>", "<")
    assert "3 could not be done" in page
    for told in ("has changed since it was shown", "decided this a moment ago", "from the list"):
        assert told in page
    later()
    assert status(fresh, stale, gone) == ["approved", "requested", "approved"]


def test_what_changes_within_the_ten_seconds_is_not_decided_and_waits_as_before(
    desk: Browser,
) -> None:
    [rma_id] = asked("1001")
    page = choose(desk, "decisions", rma_id, act="approve")
    with inside(shop_id("fern")), writing():
        rma(rma_id).touch(clock.now())
    later()
    assert status(rma_id) == ["requested"]
    batch = re.search(r'data-batch="([^"]+)"', page)
    assert batch
    told = desk.get(f"/staff/queue/batches/{batch[1]}").text
    assert "1 could not be done" in told
    assert "Somebody decided a moment ago" in told


def test_what_fails_again_and_again_is_given_up_and_waits_as_before(desk: Browser) -> None:
    [rma_id] = asked("1001")
    choose(desk, "decisions", rma_id, act="approve")
    now = clock.now() + TEN_SECONDS
    with every_shop(), writing():
        [lease] = due.claim("act", 1, now)
    bury(lease, now)
    assert "data-decidable" in desk.get(QUEUE).text
    with inside(shop_id("fern")):
        assert "a fault of ours" in session.query(PlannedAct).one().problem


def test_who_lost_the_right_meanwhile_decides_nothing(desk: Browser) -> None:
    [rma_id] = asked("1001")
    choose(desk, "decisions", rma_id, act="approve")
    with inside(shop_id("fern")), writing():
        session.query(Staff).one().role = "reader"
    later()
    with inside(shop_id("fern")):
        assert "may not do so any more" in session.query(PlannedAct).one().problem
    assert status(rma_id) == ["requested"]


def test_nobody_decides_on_their_own_order(app: Flask) -> None:
    dana = joined(app, "Dana@Fern.test")
    own = ask(bought(email="dana@fern.test"), shirts(1, "other"))
    here = f"/staff/returns/{own}"
    version = re.search(r'name="version" value="(\d+)"', dana.get(here).text)
    assert version
    for act in ("approval", "rejection", "receipt", "resolution"):
        answer = dana.send(f"{here}/{act}", form=here, version=version[1], code="worn")
        assert answer.status_code == 403, act
    batch = re.search(r'data-batch="([^"]+)"', choose(dana, "decisions", own, act="approve"))
    later()
    assert status(own) == ["requested"]
    assert batch
    assert "your own order" in dana.get(f"/staff/queue/batches/{batch[1]}").text


def test_a_reason_has_to_fit_what_is_declined(desk: Browser) -> None:
    [rma_id] = asked("1001")
    assert "Choose a reason" in choose(
        desk, "decisions", rma_id, act="decline", code="clm:delivered"
    )
    choose(desk, "decisions", rma_id, act="decline", code="ret:worn", note="It was worn.")
    later()
    with inside(shop_id("fern")):
        found = rma(rma_id)
        assert (found.status, found.rejection_code) == ("declined", "worn")


def test_fifty_rows_are_planned_in_a_fixed_number_of_statements(desk: Browser) -> None:
    ids = asked(*(str(1001 + n) for n in range(6)))
    desk.get(QUEUE)
    with statements() as few:
        choose(desk, "decisions", *ids[:1], act="approve")
    with statements() as many:
        choose(desk, "decisions", *ids[1:], act="approve")
    assert len(many) - len(few) <= 4  # rows go in together, and nothing is looked up for each


# --- finding ------------------------------------------------------------------------------------


@pytest.fixture
def found(any_app: Flask) -> tuple[Browser, str]:
    """A desk, and a return of Zoë Müller-Ångström's."""
    address = {"name": "Zoë  Müller-Ångström", "city": "Austin", "country": "US"}
    order = bought(number="FERN-1042", email="Zoe@Example.com", shipping_address=address)
    return joined(any_app), ask(order, shirts(1, "other"))


def test_a_search_finds_what_people_have_in_hand(found: tuple[Browser, str]) -> None:
    desk, rma_id = found
    asked("2001")
    hands = ["FERN-1042", "#fern-10", "zoe@ex", "ZOE", "zoe mull", "Ångström", "angstrom zoe"]
    hands += ["1z 5r89 w303 1005 8842", "fern-1042-r1", "FERN–1042"]
    for typed in hands:
        page = desk.open(QUEUE, query_string={"q": typed}).text
        assert f'data-row="{rma_id}"' in page, typed
    nobody = ["ern-1042", "oe", "fern-1043", "5R89W3"]
    for typed in nobody:
        assert "Nothing fits" in desk.open(QUEUE, query_string={"q": typed}).text, typed


HOSTILE = (
    *("%", "_", "'; --", '"', "\\", "a\x00b", "\u202ex", "💥", "<script>alert(1)</script>"),
    "x" * 9000,
)


def test_a_search_takes_every_sign_as_it_is(any_app: Flask) -> None:
    desk = joined(any_app)
    asked("1001")
    for typed in HOSTILE:
        told = dict.fromkeys(("q", "view", "sort", "who", "over", "kind", "page"), typed)
        answer = desk.open(QUEUE, query_string=told)
        assert answer.status_code == 200
        assert "data-row" not in answer.text, typed
        assert "<script>alert" not in answer.text


def test_a_search_finds_nothing_of_the_neighbours(any_app: Flask) -> None:
    asked("1001")
    eve = joined(any_app, "eve@volta.test", "owner", "volta")
    for typed in ("1001", "ada", "1Z5R89W30310058842"):
        assert "Nothing fits" in eve.open(QUEUE, query_string={"q": typed}).text
    assert count(eve.get(QUEUE).text, "Needs a decision") == "0"


def test_a_forgotten_person_is_found_by_name_no_more(desk: Browser) -> None:
    asked("1001", email="x@example.com")
    assert "data-row" in desk.get(f"{QUEUE}?q=ada").text
    with inside(shop_id("fern")), writing():
        session.query(Order).one().address = {"country": "US"}
    assert "data-row" not in desk.get(f"{QUEUE}?q=ada").text


# --- lists and filters --------------------------------------------------------------------------


def test_filters_stand_in_the_address_and_narrow_the_list(desk: Browser) -> None:
    plain, swap = bought(number="1001"), bought(number="1002")
    first = ask(plain, shirts(3, "other"))
    second = ask(swap, shirts(1, "other", resolution="store_credit"))
    shown = {
        "kind=return": {first, second},
        "kind=exchange": set(),
        "kind=claim": set(),
        "over=30": {first},
        "says=review": {first, second},
        "says=decline": set(),
        "who=none": {first, second},
        "who=me": set(),
        "late=1": {first, second},
        "sort=worth": {first, second},
    }
    for query, wanted in shown.items():
        assert set(items(desk.get(f"{QUEUE}?view=all&{query}").text)) == wanted, query
    assert list(items(desk.get(f"{QUEUE}?sort=worth").text)) == [first, second]


@given(st.dictionaries(st.sampled_from(Filters.__slots__), st.text(max_size=30)))
def test_an_address_means_the_same_after_it_was_kept(told: dict[str, str]) -> None:
    read = Filters.read(told)
    assert Filters.read(read.kept) == read


def test_what_is_given_to_somebody_is_on_their_list(app: Flask, desk: Browser) -> None:
    first, second = asked("1001", "1002")
    sam = joined(app, "sam@fern.test")
    assert "Dana" in choose(desk, "assignment", first, to="me")
    assert set(items(desk.get(f"{QUEUE}?view=mine").text)) == {first}
    with inside(shop_id("fern")):
        other = session.query(Staff).filter_by(email="sam@fern.test").one().id
    choose(desk, "assignment", second, to=str(other))
    assert set(items(sam.get(f"{QUEUE}?view=mine").text)) == {second}
    assert "Nobody like that" in choose(desk, "assignment", first, to="999999")
    choose(desk, "assignment", first, to="none")
    assert items(desk.get(f"{QUEUE}?view=mine").text) == {}


def test_what_was_put_off_is_back_by_itself_in_the_morning(desk: Browser) -> None:
    [rma_id] = asked("1001")
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        assert "1 row is put off" in choose(desk, "rest", rma_id, day="2026-11-26")
        assert items(desk.get(QUEUE).text) == {}
        assert rma_id in items(desk.get(f"{QUEUE}?view=snoozed").text)
        assert rma_id in items(desk.get(f"{QUEUE}?q=1001").text)
    with time_machine.travel(now + timedelta(hours=19), tick=False):
        assert rma_id in items(desk.get(QUEUE).text)
        assert items(desk.get(f"{QUEUE}?view=snoozed").text) == {}


@pytest.mark.parametrize("day", ["2020-01-01", "2099-01-01", "tomorrow", "2026-13-40"])
def test_a_day_that_nothing_can_be_put_off_to_is_refused(desk: Browser, day: str) -> None:
    [rma_id] = asked("1001")
    page = choose(desk, "rest", rma_id, day=day)
    assert "day" in page
    assert rma_id in items(page)


def test_views_are_kept_for_oneself_or_for_everybody(app: Flask, desk: Browser) -> None:
    asked("1001", "1002")
    here = f"{QUEUE}?view=all&over=10"
    for name, more in (("Big ones", {}), ("Everybody's", {"shared": "yes"})):
        desk.send("/staff/views", form=QUEUE, back=here, name=name, **more)
    page = desk.get(QUEUE).text
    assert count(page, "Big ones") == "2"
    sam = joined(app, "sam@fern.test", "reader")
    seen = sam.get(QUEUE).text
    assert "Big ones" not in seen
    assert "Everybody&#39;s" in seen
    [own] = re.findall(r'href="([^"]*saved=[^"]*)"><span>Big ones', page)
    assert len(items(desk.get(own.replace("&amp;", "&")).text)) == 2
    view_id = own.rpartition("saved=")[2]
    answer = sam.send(f"/staff/views/{view_id}/removal", form=QUEUE)
    assert answer.status_code == 403
    desk.send(f"/staff/views/{view_id}/removal", form=QUEUE)
    assert "Big ones" not in desk.get(QUEUE).text


def test_the_clock_is_the_shops_own(desk: Browser) -> None:
    asked("1001")
    with time_machine.travel(NOW + timedelta(hours=5), tick=False):
        assert "19 h left" in desk.get(QUEUE).text
        with inside(shop_id("fern")), writing():
            session.query(Shop).filter_by(slug="fern").one().settings = {
                "queue_hours": {"decide": 4, "receive": "soon"}
            }
        assert "1 h over" in desk.get(QUEUE).text


def test_a_parcel_in_trouble_leaves_when_it_was_seen_to_until_there_is_new_trouble(
    desk: Browser,
) -> None:
    bought(number="1001")
    with inside(shop_id("fern")), writing():
        parcel = session.query(Shipment).one()
        parcel.problem, parcel.problem_text = "not_found", "The carrier does not know it."
        parcel.concern, parcel.concern_since = "wrong_number", NOW
        subject = parcel.id
    here = f"{QUEUE}?view=parcels"
    assert "does not know it" in desk.get(here).text
    assert "1 row is seen to" in choose(desk, "seen", subject, here=here)
    assert items(desk.get(here).text) == {}
    with inside(shop_id("fern")), writing():
        session.query(Shipment).one().concern_since = clock.now() + timedelta(minutes=1)
    assert subject in items(desk.get(here).text)


@pytest.mark.parametrize(("concern", "waits"), [("presumed_lost", True), ("silent", False)])
def test_a_parcel_that_is_late_or_silent_is_watched_and_a_lost_one_waits(
    desk: Browser, concern: str, waits: bool
) -> None:
    bought(number="1001")
    with inside(shop_id("fern")), writing():
        parcel = session.query(Shipment).one()
        parcel.concern, parcel.concern_since = concern, NOW
        subject = parcel.id
    page = desk.get(f"{QUEUE}?view=parcels").text
    assert subject in items(page)
    assert CONCERNS[concern] in page
    assert CONCERNS[concern] in desk.get(f"/staff/peek/{subject}").text
    assert (subject in items(desk.get(f"{QUEUE}?view=all").text)) is waits


def sent(browser: Browser, view: str) -> int:
    """How many statements a list costs."""
    with statements() as seen:
        browser.get(f"{QUEUE}?view={view}")
    return len(seen)


def test_every_list_answers_in_a_fixed_number_of_statements(desk: Browser) -> None:
    asked("1001")
    for view in VIEWS:
        desk.get(f"{QUEUE}?view={view.name}")
    few = {view.name: sent(desk, view.name) for view in VIEWS}
    asked(*(str(2000 + n) for n in range(20)))
    for view in VIEWS:
        assert sent(desk, view.name) <= max(few.values()) <= 20, view.name


# --- two at one item, and keys ------------------------------------------------------------------


def test_colleagues_see_who_has_an_item_open_for_a_while(app: Flask, desk: Browser) -> None:
    [rma_id] = asked("1001")
    sam = joined(app, "sam@fern.test")
    assert desk.send("/staff/presence", form=QUEUE, subject=rma_id).json == {"seen_by": []}
    told = sam.send("/staff/presence", form=QUEUE, subject=rma_id).json
    assert told == {"seen_by": ["Dana"]}
    assert "Dana is looking" in sam.get(QUEUE).text
    assert "Dana has this open" in sam.get(f"/staff/peek/{rma_id}").text
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        assert "is looking" not in sam.get(QUEUE).text
    desk.send("/staff/presence", form=QUEUE, subject=rma_id, leaves="1")
    assert "is looking" not in sam.get(QUEUE).text


def test_keys_are_turned_off_for_oneself_and_stay_off(app: Flask, desk: Browser) -> None:
    assert "data-keys" in desk.get(QUEUE).text
    desk.send("/staff/keys", keys="off")
    assert "data-keys" not in desk.get(QUEUE).text
    assert "data-keys" in joined(app, "sam@fern.test").get(QUEUE).text
    desk.send("/staff/keys", keys="on")
    assert "data-keys" in desk.get(QUEUE).text


def test_forms_of_the_list_lead_back_to_the_list_and_nowhere_else(desk: Browser) -> None:
    answer = desk.send(
        "/staff/queue/assignment", form="/staff/keys", back="https://evil.test/?view=all"
    )
    assert answer.headers["Location"] == "/staff/queue?view=all"
