"""What a parcel's news make of the outbox: what is planned, dropped, and never said twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import clock
from portal.db import inside, session, writing
from portal.models import Due, Message, Order, Shipment
from portal.models.outbox import MOST_A_DAY, confirm, start, stop
from portal.sources.document import OrderDocument
from tests.conftest import shop_id
from tests.mail.stories import READER, START, UPS, hears, kinds, messages, ordered

HOUR = timedelta(hours=1)


@pytest.fixture
def time():
    with time_machine.travel(START, tick=False) as travelled:
        yield travelled


def at(hours: float) -> datetime:
    return START + hours * HOUR


def test_a_parcels_way_is_told_in_three_messages(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    for hours, status in ((5, "in_transit"), (30, "out_for_delivery"), (36, "delivered")):
        time.move_to(at(hours))
        hears(parcel, (status, at(hours - 0.1)))
    assert kinds() == ["shipped", "out_for_delivery", "delivered"]
    assert {message.recipient for message in messages()} == {READER}


def test_no_state_is_told_twice_however_often_it_is_heard(app: Flask, time) -> None:
    _, [parcel] = ordered()
    for hours in (5, 6, 7):
        time.move_to(at(hours))
        hears(parcel, ("in_transit", at(hours - 0.1)))
        hears(parcel, ("in_transit", at(hours - 0.1)), via="hook")
    assert kinds() == ["shipped"]


def test_what_is_over_before_it_was_sent_is_dropped(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(at(5))
    hears(parcel, ("in_transit", at(4.9)))
    time.move_to(at(6))
    hears(parcel, ("delivered", at(5.9)))
    assert [(one.kind, one.state) for one in messages()] == [
        ("shipped", "superseded"),
        ("delivered", "wanted"),
    ]


def test_what_is_true_again_before_it_was_sent_is_sent_after_all(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(at(5))
    hears(parcel, ("out_for_delivery", at(4.9)))
    hears(parcel, ("delivered", at(4.95)))
    hears(parcel, ("out_for_delivery", at(4.99)))
    states = {one.kind: one.state for one in messages()}
    assert states == {"out_for_delivery": "wanted", "delivered": "superseded"}


@pytest.mark.parametrize("status", ["in_transit", "out_for_delivery", "delivered", "exception"])
def test_nothing_is_told_in_hindsight(app: Flask, time, status: str) -> None:
    """An order imported when its parcel is long under way."""
    _, [parcel] = ordered(placed_at=(START - 60 * HOUR).isoformat())
    hears(parcel, (status, START - 40 * HOUR))
    assert kinds() == []


def test_what_happens_after_the_import_is_told(app: Flask, time) -> None:
    _, [parcel] = ordered(placed_at=(START - 60 * HOUR).isoformat())
    hears(parcel, ("in_transit", START - 40 * HOUR))
    time.move_to(at(3))
    hears(parcel, ("in_transit", at(2.9)))
    assert kinds() == [], "it was moving before we knew it: that it moves is no news"
    time.move_to(at(20))
    hears(parcel, ("out_for_delivery", at(19.9)))
    assert kinds() == ["out_for_delivery"]


def test_an_old_scan_that_comes_late_is_no_news(app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(at(72))
    hears(parcel, ("available_for_pickup", at(20)))
    assert kinds() == []


def test_a_day_has_room_for_so_many_messages_about_a_parcel(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    told = ("in_transit", "out_for_delivery", "attempt_failed", "exception", "delivered")
    for hours, status in enumerate(told, 5):
        time.move_to(at(hours))
        hears(parcel, (status, at(hours - 0.1)))
        _sent_all()
    assert len(kinds()) == MOST_A_DAY
    time.move_to(at(5 + 25))
    hears(parcel, ("return_to_sender", at(29.9)))
    assert kinds()[-1] == "needs_act"


def test_a_new_date_is_told_once_a_date(app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(at(5))
    hears(parcel, ("in_transit", at(4.9)), eta=date(2026, 11, 26))
    _sent_all()
    for hours, day in ((6, 28), (7, 28), (8, 30)):
        time.move_to(at(hours))
        hears(parcel, ("in_transit", at(hours - 0.1)), eta=date(2026, 11, day))
        _sent_all()
    assert kinds() == ["shipped", "late", "late"]
    assert messages()[1].facts["eta"] == "2026-11-28"
    assert messages()[1].facts["first_eta"] == "2026-11-26"


def test_each_parcel_of_a_split_order_speaks_for_itself(app: Flask, time) -> None:
    _, parcels = ordered(parcels=3)
    time.move_to(at(5))
    for parcel in parcels[:2]:
        hears(parcel, ("in_transit", at(4.9)))
    time.move_to(at(30))
    hears(parcels[0], ("delivered", at(29.9)))
    assert kinds() == ["shipped", "shipped", "delivered"]
    assert kinds(shipment_id=parcels[2]) == []


def test_who_opted_out_is_told_nothing(app: Flask, time) -> None:
    order_id, [parcel] = ordered()
    with inside(shop_id("fern")), writing():
        stop(order_id, READER)
    time.move_to(at(5))
    hears(parcel, ("in_transit", at(4.9)))
    assert kinds() == []


def test_only_the_chosen_kinds_are_told(any_app: Flask, time) -> None:
    order_id, [parcel] = ordered()
    with inside(shop_id("fern")), writing():
        start(order_id, READER, frozenset({"delivered"}))
    for hours, status in ((5, "in_transit"), (30, "out_for_delivery"), (36, "delivered")):
        time.move_to(at(hours))
        hears(parcel, (status, at(hours - 0.1)))
    assert kinds() == ["delivered"]


def test_another_address_is_told_only_once_confirmed(app: Flask, time) -> None:
    order_id, [parcel] = ordered()
    with inside(shop_id("fern")), writing():
        start(order_id, "friend@example.com")
    time.move_to(at(5))
    hears(parcel, ("in_transit", at(4.9)))
    assert [one.recipient for one in messages()] == [READER]
    with inside(shop_id("fern")), writing():
        confirm(order_id, "friend@example.com", clock.now())
    time.move_to(at(30))
    hears(parcel, ("delivered", at(29.9)))
    assert {one.recipient for one in messages(kind="delivered")} == {READER, "friend@example.com"}


def test_an_order_without_an_address_is_told_to_nobody(app: Flask, time) -> None:
    _, [parcel] = ordered(email="")
    time.move_to(at(5))
    hears(parcel, ("in_transit", at(4.9)))
    assert kinds() == []


def test_another_shops_parcel_of_the_same_number_tells_its_own_reader(app: Flask, time) -> None:
    _, [mine] = ordered()
    ordered("volta", email="vic@example.com")
    time.move_to(at(5))
    hears(mine, ("in_transit", at(4.9)))
    assert kinds("fern") == ["shipped"]
    assert kinds("volta") == []


def test_every_wanted_message_is_due_work(app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(at(5))
    hears(parcel, ("in_transit", at(4.9)))
    with inside(shop_id("fern")):
        due = session.query(Due).filter_by(queue="send").one()
    assert (due.subject, due.at) == (messages()[0].id, at(5))


def _posted_again(time, *numbers: str, wait: int = 6) -> None:
    """The shop sends order 1042 again with parcels of these numbers."""
    time.move_to(at(wait))
    body = {
        "number": "1042",
        "shipments": [{"carrier": "UPS", "tracking_number": number} for number in numbers],
    }
    with inside(shop_id("fern")), writing():
        Order.upsert(OrderDocument.model_validate(body), clock.now())


def test_what_waits_about_a_removed_parcel_is_not_sent(any_app: Flask, time) -> None:
    _, parcels = ordered(parcels=2)
    time.move_to(at(5))
    for parcel in parcels:
        hears(parcel, ("in_transit", at(4.9)))
    _posted_again(time, UPS[0])
    states = {one.shipment_id: one.state for one in messages()}
    assert states == {parcels[0]: "wanted", parcels[1]: "superseded"}


def test_what_waits_about_a_wrong_number_is_not_sent(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(at(5))
    hears(parcel, ("delivered", at(4.9)))
    with inside(shop_id("fern")), writing():
        shipment = Shipment.locked(parcel)
        assert shipment is not None
        shipment.tracking_number = UPS[1]
        shipment.watch(clock.now())
    assert [(one.kind, one.state) for one in messages()] == [("delivered", "superseded")]


def test_what_the_right_number_tells_is_sent_with_its_own_facts(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(at(5))
    hears(parcel, ("in_transit", at(4.9)), eta=date(2026, 11, 26))
    with inside(shop_id("fern")), writing():
        shipment = Shipment.locked(parcel)
        assert shipment is not None
        shipment.tracking_number = UPS[1]
        shipment.watch(clock.now())
    time.move_to(at(7))
    hears(parcel, ("in_transit", at(6.9)), eta=date(2026, 11, 29))
    [told] = messages()
    assert (told.state, told.facts["eta"]) == ("wanted", "2026-11-29")


STORY = st.lists(
    st.sampled_from(["in_transit", "out_for_delivery", "attempt_failed", "exception", "delivered"]),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=STORY, number=st.integers(10_000, 10**9))
def test_no_story_tells_one_cause_twice_or_leaves_a_lie_waiting(
    app: Flask, story: list[str], number: int
) -> None:
    with time_machine.travel(START, tick=False) as time:
        order_id, [parcel] = ordered(number=f"S{number}-{len(story)}-{hash(tuple(story))}")
        for hour, status in enumerate(story, 1):
            time.move_to(at(hour))
            hears(parcel, (status, at(hour - 0.01)))
        told = messages(order_id=order_id)
    assert len({(one.recipient, one.cause) for one in told}) == len(told)
    waiting = [one for one in told if one.state == "wanted"]
    assert len(waiting) <= 1
    assert all(one.facts["status"] == story[-1] for one in waiting)


def _sent_all() -> None:
    with inside(shop_id("fern")), writing():
        session.query(Message).filter_by(state="wanted").update({"state": "sent"})
