"""Arrival windows of real rows: learned from lanes, told alike everywhere, kept beside later."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.db import inside, session, writing
from portal.jobs.lanes import rebuild
from portal.models import LaneBook, LaneParcel, Link, Shipment, Shop
from portal.models.arrival_terms import ArrivalTerms
from portal.models.lane import FACTS, keep, learn, note_parcels
from portal.models.lane_history import quarter_before, record
from portal.sources.sentences import Invalid, read_as
from tests.conftest import bearer, shop_id
from tests.mail.stories import START, hears, messages, ordered

DAY = timedelta(days=1)
TODAY = START.date()  # a Monday
DONE: dict[str, Any] = {
    "origin": "",
    "country": "US",
    "region": "TX",
    "area": "787",
    "carrier": "UPS",
    "service": "",
    "promised": None,
}
PROMISE = {
    "cutoff": "12:00",
    "processing_days": 1,
    "transit": [{"country": "US", "from_days": 2, "to_days": 3}],
}


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as travelled:
        yield travelled


def taught(parcels: int = 60) -> None:
    """Give the shop so many finished parcels to Texas, three to five days each, and learn."""
    _, [parcel] = ordered(number="OLD", email="old@example.com")
    with inside(shop_id("fern")), writing():
        template = session.get_one(Shipment, parcel)
        for number in range(parcels):
            handed = TODAY - (40 - number // 2) * DAY
            row = Shipment(order_id=template.order_id, carrier="UPS", delivered_at=START - 5 * DAY)
            session.add(row)
            session.flush()
            came = handed + (3 + number % 3) * DAY
            times = {"handed_on": handed, "near_on": came - DAY, "delivered_on": came}
            told = {"shipment_id": row.id, **DONE, **times, "delivered_at": START - 5 * DAY}
            note_parcels([told], FACTS)
    with inside(shop_id("fern")):
        lanes_learned()


def lanes_learned() -> None:
    lanes, parcels = learn()
    with writing():
        keep(lanes, parcels, START)


def window(parcel: str) -> dict[str, Any]:
    with inside(shop_id("fern")):
        return session.get_one(Shipment, parcel).window


def page(app: Flask, order_id: str) -> str:
    with inside(shop_id("fern")):
        token = Link.of(order_id)
    return app.test_client().get(f"/t/{token}", base_url="http://fern.localhost:8000").text


def promises(told: dict[str, Any], **more: Any) -> None:
    with inside(shop_id("fern")), writing():
        shop = session.get_one(Shop, shop_id("fern"))
        shop.settings = {"arrival": {"promise": told, **more}}


def test_a_window_of_the_shop_s_own_lanes_is_told_by_page_api_and_mail_alike(
    any_app: Flask, time: time_machine.Traveller
) -> None:
    taught()
    order_id, [parcel] = ordered()
    hears(parcel, ("in_transit", START), eta=date(2026, 11, 24))
    told = window(parcel)
    assert (told["basis"], told["parcels"]) == ("lane", 60)
    assert told["from"] == "2026-11-27"  # the day before, Thanksgiving, nothing is delivered
    assert "2026-11-28" <= told["to"] <= "2026-11-29"
    text = page(any_app, order_id)
    assert "Most parcels on this route arrive by " in text
    assert "based on 60 parcels." in text
    client = any_app.test_client()
    answer = client.get(f"/api/v1/shipments/{parcel}", headers=bearer("fern")).json
    assert answer["window"] == told
    [mail] = messages(kind="shipped")
    assert (mail.facts["eta_from"], mail.facts["eta"]) == (told["from"], told["to"])
    time.move_to(START + 5 * DAY)  # no new word: the day that passed is gone all the same
    later = client.get(f"/api/v1/shipments/{parcel}", headers=bearer("fern")).json["window"]
    assert later == {**told, "from": "2026-11-28"}


def test_a_finished_parcel_is_a_lesson_and_reading_it_all_again_changes_nothing(
    any_app: Flask, time: time_machine.Traveller
) -> None:
    _, [parcel] = ordered()
    hears(parcel, ("in_transit", START))
    time.move_to(START + 2 * DAY)
    hears(parcel, ("in_transit", START), ("delivered", START + 2 * DAY), eta=date(2026, 11, 24))
    with inside(shop_id("fern")):
        lane = session.get_one(LaneParcel, parcel)
        facts = {name: getattr(lane, name) for name in FACTS}
        assert (lane.handed_on, lane.delivered_on) == (TODAY, TODAY + 2 * DAY)
        assert (lane.country, lane.region, lane.area, lane.carrier) == ("US", "TX", "787", "UPS")
        first = rebuild(shop_id("fern"))
        book = session.scalars(select(LaneBook.digest)).one()
        assert (first, rebuild(shop_id("fern"))) == (1, 1)
        assert session.scalars(select(LaneBook.digest)).one() == book
    with inside(shop_id("fern")), writing():
        session.delete(session.get_one(LaneParcel, parcel))
    with inside(shop_id("fern")):
        rebuild(shop_id("fern"))  # from the scans that are kept
        lane = session.get_one(LaneParcel, parcel)
        assert {name: getattr(lane, name) for name in FACTS} == facts
    with inside(shop_id("volta")):
        assert session.get(LaneParcel, parcel) is None


def test_the_same_scans_in_any_order_give_the_same_window(
    app: Flask, time: time_machine.Traveller
) -> None:
    taught()
    told = (
        ("pre_transit", START - 3 * DAY),
        ("in_transit", START - 2 * DAY),
        ("in_transit", START - DAY),
    )
    found = []
    for number, order in enumerate(itertools.permutations(told)):
        _, [parcel] = ordered(number=f"P{number}")
        for one in order:
            hears(parcel, one)
        with inside(shop_id("fern")):
            row = session.get_one(Shipment, parcel)
            found.append((row.window, row.forecast, row.handed_on))
    assert all(one == found[0] for one in found)
    assert found[0][2] == (START - 2 * DAY).date()
    assert found[0][0]["basis"] == "lane"


def test_no_window_is_shown_while_it_would_be_a_guess(
    app: Flask, time: time_machine.Traveller
) -> None:
    taught()
    order_id, [parcel] = ordered()
    hears(parcel, ("in_transit", START))
    assert window(parcel)
    time.move_to(START + DAY)
    hears(parcel, ("in_transit", START), ("exception", START + DAY))
    assert window(parcel) == {}
    text = page(app, order_id)
    assert "New date not known yet" in text or "was " in text
    assert "Most parcels" not in text
    time.move_to(START + 2 * DAY)
    hears(parcel, ("in_transit", START + 2 * DAY))
    assert window(parcel)["basis"] == "lane"


def test_a_missed_window_is_a_delay_and_the_first_day_stays_beside_the_new_one(
    app: Flask, time: time_machine.Traveller
) -> None:
    taught()
    order_id, [parcel] = ordered()
    hears(parcel, ("in_transit", START))
    last = date.fromisoformat(window(parcel)["to"])
    time.move_to(datetime.combine(last + DAY, START.timetz()))
    hears(parcel, ("in_transit", START), ("in_transit", START + (last - TODAY)))
    with inside(shop_id("fern")):
        row = session.get_one(Shipment, parcel)
        assert row.overlays == ["delayed"]
        assert row.first_window["to"] == last.isoformat()
    assert f"was {last:%A} {last.day} November" in page(app, order_id)


def test_the_promise_fills_the_page_until_a_parcel_is_scanned(
    any_app: Flask, time: time_machine.Traveller
) -> None:
    promises(PROMISE)
    order_id, _ = ordered(shipments=[])
    text = page(any_app, order_id)
    # Placed on Monday after noon: worked on Tuesday, off on Wednesday; Thursday is a holiday.
    assert "Monday 30 November to Tuesday 1 December" in text
    assert "The dates are our aim; we tell you if they change." in text
    order_id, [parcel] = ordered(number="1043")
    assert window(parcel) == {
        "from": "2026-11-30",
        "to": "2026-12-01",
        "basis": "promise",
        "parcels": 0,
    }
    assert "The dates are our aim until UPS names its own." in page(any_app, order_id)
    hears(parcel, ("in_transit", START), eta=date(2026, 12, 3))
    with inside(shop_id("fern")):
        row = session.get_one(Shipment, parcel)
        assert row.window["basis"] == "carrier"
        assert row.overlays == ["delayed"]  # later than what was promised
        lane = session.get_one(LaneParcel, parcel)
        assert (lane.shown_basis, lane.shown_last) == ("promise", date(2026, 12, 1))
    assert "was Tuesday 1 December" in page(any_app, order_id)


def test_a_setting_that_cannot_be_read_stops_no_parcel(
    app: Flask, time: time_machine.Traveller
) -> None:
    promises({"cutoff": "noon"})
    _, [parcel] = ordered()
    assert hears(parcel, ("in_transit", START))
    assert window(parcel) == {}


@pytest.mark.parametrize(
    ("told", "field", "said"),
    [
        ({"cutoff": "2 pm"}, "promise.cutoff", "such as 14:00"),
        ({"business_days": []}, "promise.business_days", "must not be empty"),
        ({"business_days": ["someday"]}, "promise.business_days.0", "'mon', 'tue'"),
        ({"closed": ["24.12."]}, "promise.closed.0", "such as 2026-12-24"),
        ({"transit": []}, "promise.transit", "must not be empty"),
        ({"transit": [{"from_days": 3, "to_days": 2}]}, "promise.transit.0", "longest way"),
        ({"transit": [{"region": "BY", "from_days": 1, "to_days": 2}]}, "promise.transit.0", "its"),
        ({"transit": [{"country": "Mars", "from_days": 1, "to_days": 2}]}, "promise.transit.0", ""),
        ({"days": 3}, "promise.days", "no field of this name"),
    ],
)
def test_what_is_wrong_with_a_promise_is_said_in_a_sentence(
    told: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read_as(ArrivalTerms, {"promise": {**PROMISE, **told}})
    [error] = refused.value.errors
    assert error["field"].startswith(field)
    assert said in error["message"]


def test_another_number_is_another_parcel(app: Flask, time: time_machine.Traveller) -> None:
    taught()
    _, [parcel] = ordered()
    hears(parcel, ("in_transit", START))
    with inside(shop_id("fern")), writing():
        row = session.get_one(Shipment, parcel)
        row.tracking_number = "1Z5R89W30310058899"
        row.watch(START)
    with inside(shop_id("fern")):
        row = session.get_one(Shipment, parcel)
        assert (row.window, row.first_window, row.handed_on) == ({}, {}, None)
        assert session.get(LaneParcel, parcel) is None


def test_how_windows_held_is_counted_by_quarter_and_told_only_where_the_shop_wants_it(
    any_app: Flask, time: time_machine.Traveller
) -> None:
    order_id, _ = ordered()
    due = date(2026, 8, 10)
    came = [due] * 24 + [due - 3 * DAY] * 6 + [due + DAY] * 8 + [None] * 2
    with inside(shop_id("fern")), writing():
        for day in came:
            row = Shipment(order_id=order_id, carrier="UPS")
            session.add(row)
            session.flush()
            facts = dict.fromkeys(FACTS) | dict.fromkeys(FACTS[:6], "") | {"delivered_on": day}
            shown = {"shown_first": due - DAY, "shown_last": due, "shown_basis": "lane"}
            more = {"shown_parcels": 60, "shown_on": due - 4 * DAY}
            note_parcels([{"shipment_id": row.id, **facts, **shown, **more}], FACTS)
        record(START)
    with inside(shop_id("fern")):
        held = session.get_one(Shop, shop_id("fern")).arrival_record
    assert held == {
        "first": "2026-07-01",
        "last": "2026-09-30",
        "shown": 40,
        "early": 6,
        "late": 10,
    }
    line = "of 40 parcels due from July 2026 to September 2026, 60 in 100 came on the days"
    client = any_app.test_client()
    find = {"path": "/track", "base_url": "http://fern.localhost:8000"}
    assert line not in client.get(**find).text
    promises(PROMISE, show_record=True)
    assert line in client.get(**find).text
    assert line in page(any_app, order_id)


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 3, 31), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 5, 31), date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 11, 25), date(2026, 7, 1), date(2026, 9, 30)),
    ],
)
def test_the_quarter_before_a_day(day: date, first: date, last: date) -> None:
    assert quarter_before(day) == (first, last)


def test_a_parcel_brought_in_long_after_it_left_is_not_late_by_our_promise(
    app: Flask, time: time_machine.Traveller
) -> None:
    promises({**PROMISE, "transit": [{"from_days": 6, "to_days": 13}]})
    sent = (START - 12 * DAY).isoformat()
    parcels = [{"carrier": "UPS", "tracking_number": "1Z5R89W30310058842", "shipped_at": sent}]
    _, [parcel] = ordered(shipments=parcels, placed_at=sent)
    hears(parcel, ("pre_transit", START), eta=date(2026, 11, 25))
    with inside(shop_id("fern")):
        row = session.get_one(Shipment, parcel)
        assert (row.window["basis"], row.first_window, row.overlays) == ("promise", {}, [])
