"""A premium is earned when its journey is over: once, and never where cover was given up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from portal.db import inside, session, writing
from portal.models import LedgerEntry, Order, Protection, Shipment
from portal.models.change import Conflict
from portal.models.cover_end import QUIET, end_covers
from portal.models.earned import earn_some
from portal.models.premium import cancel_cover
from portal.models.rma_request import order_for_return
from portal.models.rma_rows import Act
from tests.conftest import shop_id
from tests.models.bought import NOW, bought
from tests.models.test_claim import claimed, told
from tests.models.test_premium import PREMIUM, covered

DAY = timedelta(days=1)
TWO = [
    {"carrier": "UPS", "tracking_number": "1Z5R89W30310058842", "lines": [{"sku": "MUG"}]},
    {"carrier": "UPS", "tracking_number": "1Z5R89W30310058851", "lines": [{"sku": "TEE-M"}]},
]


def earn(now: datetime = NOW + 2 * DAY) -> None:
    """Let time do what the job does."""
    with inside(shop_id("fern")), writing():
        end_covers(now)
        after = earn_some(now)
        while after:
            after = earn_some(now, after)


def earned(order_id: str) -> list[int]:
    with inside(shop_id("fern")):
        found = session.query(LedgerEntry).filter_by(order_id=order_id, kind="earned")
        return [entry.amount_minor for entry in found]


def parcels(order_id: str, **values: Any) -> None:
    """Change the order's parcels, the first one first; a tuple has a value for each."""
    with inside(shop_id("fern")), writing():
        found = session.query(Shipment).filter_by(order_id=order_id).order_by(Shipment.position)
        for place, parcel in enumerate(found):
            for name, each in values.items():
                setattr(parcel, name, each[place] if isinstance(each, tuple) else each)
        session.get_one(Order, order_id).settle_status(NOW)


def cancel(order_id: str, now: datetime) -> None:
    with inside(shop_id("fern")), writing():
        order = order_for_return(order_id, lock=True)
        assert order is not None
        cancel_cover(order, Act("customer", now))


def test_a_premium_is_earned_once_the_parcel_is_there_and_the_day_to_think_is_over(
    any_app: Flask,
) -> None:
    order_id = covered("1001")
    earn(NOW + timedelta(hours=22))
    assert earned(order_id) == []
    earn()
    earn()
    assert earned(order_id) == [PREMIUM]
    with inside(shop_id("fern")):
        cover = session.query(Protection).one()
    assert (cover.status, cover.earned_at) == ("active", NOW + 2 * DAY)
    with pytest.raises(Conflict, match="so it stays"):
        cancel(order_id, NOW + 2 * DAY)


def test_the_premium_of_cover_that_was_given_up_is_never_earned(app: Flask) -> None:
    order_id = covered("1001")
    cancel(order_id, NOW)
    earn(NOW + 400 * DAY)
    assert earned(order_id) == []


def test_after_it_was_earned_it_does_not_go_back_though_the_parcel_is_taken_off(app: Flask) -> None:
    order_id = covered("1001")
    earn()
    parcels(order_id, status="cancelled")
    with pytest.raises(Conflict, match="The journey"):
        cancel(order_id, NOW + 2 * DAY)
    parcels(order_id, status="delivered")
    earn(NOW + 3 * DAY)
    assert earned(order_id) == [PREMIUM]


@pytest.mark.parametrize(
    ("states", "is_over"),
    [
        (("delivered", "in_transit"), False),
        (("delivered", "pre_transit"), False),
        (("delivered", "delivered"), True),
        (("delivered", "return_to_sender"), True),
        (("return_to_sender", "return_to_sender"), True),
        (("delivered", "cancelled"), False),  # what was in it is still to be sent
        (("cancelled", "cancelled"), False),
    ],
)
def test_in_several_parcels_the_last_one_counts(
    app: Flask, states: tuple[str, str], is_over: bool
) -> None:
    lines = [{"sku": "MUG", "quantity": 1}], [{"sku": "TEE-M", "quantity": 3}]
    sent = [{**parcel, "lines": held} for parcel, held in zip(TWO, lines, strict=True)]
    order_id = covered("1001", shipments=sent)
    parcels(order_id, status=states)
    earn()
    assert bool(earned(order_id)) == is_over


def test_what_was_not_sent_yet_keeps_the_premium_in_reserve(app: Flask) -> None:
    held = [{"sku": "MUG", "quantity": 1}]
    order_id = covered("1001", shipments=[{**TWO[0], "lines": held}])
    earn()
    assert earned(order_id) == []


def test_a_parcel_that_was_paid_for_as_lost_has_come_to_its_end(app: Flask) -> None:
    order_id = covered("1001")
    gone = NOW - 9 * DAY
    parcels(order_id, status="in_transit", delivered_at=None, last_scan_at=gone, status_since=gone)
    earn()
    assert earned(order_id) == []
    id = claimed(order_id, "lost")
    assert told(id, "status") == ("approved",)
    earn()
    assert earned(order_id) == [PREMIUM]


def test_a_parcel_nobody_hears_of_any_more_ends_with_its_cover(app: Flask) -> None:
    order_id = covered("1001")
    parcels(order_id, status="in_transit", delivered_at=None, last_scan_at=NOW, shipped_at=NOW)
    earn(NOW + QUIET - DAY)
    assert earned(order_id) == []
    earn(NOW + QUIET + DAY)
    assert earned(order_id) == [PREMIUM]


def test_an_order_called_off_before_it_was_sent_earns_nothing_and_can_be_given_back(
    app: Flask,
) -> None:
    order_id = covered("1001")
    parcels(order_id, status="pre_transit", delivered_at=None)
    with inside(shop_id("fern")), writing():
        assert session.get_one(Order, order_id).cancel(NOW, "staff:1")
    earn(NOW + 60 * DAY)
    assert earned(order_id) == []
    cancel(order_id, NOW + 61 * DAY)


def test_an_order_without_cover_earns_nothing(app: Flask) -> None:
    order_id = bought()
    earn(NOW + 60 * DAY)
    assert earned(order_id) == []


def test_earning_and_giving_up_at_once_do_one_of_the_two(any_app: Flask) -> None:
    orders = [covered(f"10{n:02}") for n in range(4)]
    late = NOW + timedelta(hours=23, minutes=30)  # past the day, and no parcel has moved
    for order_id in orders:
        parcels(order_id, status="pre_transit", delivered_at=None)

    def give_up(order_id: str) -> bool:
        with any_app.app_context():
            try:
                cancel(order_id, late)
            except Conflict:
                return False
            return True

    def arrive(order_id: str) -> bool:
        with any_app.app_context():
            parcels(order_id, status="delivered", delivered_at=late)
            earn(late)
            return True

    with ThreadPoolExecutor(4) as at_once:
        given = [at_once.submit(give_up, id) for id in orders]
        came = [at_once.submit(arrive, id) for id in orders]
        done = [each.result() for each in given]
        assert all(each.result() for each in came)
    assert [earned(id) for id in orders] == [[] if gone else [PREMIUM] for gone in done]
