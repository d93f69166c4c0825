"""The parcels that staff should look at, why, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.db import inside, session, writing
from portal.models import Order, Shipment
from portal.models.shipment import OF_CONCERN
from portal.models.trouble import CONCERNS, concern_of
from tests.conftest import bearer, shop_id
from tests.mail.stories import START, hears, ordered

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("problem", "status", "overlays", "concern"),
    [
        ("", "in_transit", [], ""),
        ("", "in_transit", ["delayed"], "late"),
        ("", "in_transit", ["silent"], "silent"),
        ("", "exception", ["silent"], "exception"),
        ("", "exception", ["presumed_lost"], "presumed_lost"),
        ("", "return_to_sender", ["delayed"], "returned"),
        ("not_found", "unknown", ["presumed_lost"], "wrong_number"),
        ("wrong_carrier", "unknown", [], "wrong_number"),
        ("stuck", "in_transit", ["silent"], "untracked"),
        ("", "delivered", [], ""),
    ],
)
def test_the_first_concern_that_holds_is_named(
    problem: str, status: str, overlays: list[str], concern: str
) -> None:
    assert concern_of(problem, status, overlays) == concern
    assert concern in {"", *CONCERNS}


def waiting() -> list[tuple[str, str]]:
    """What staff find, the longest first: order number and concern."""
    wanted = select(Order.number, Shipment.concern).join(Order, Order.id == Shipment.order_id)
    found = session.execute(wanted.where(OF_CONCERN).order_by(Shipment.concern_since))
    return [tuple(row) for row in found]


def test_parcels_in_trouble_are_listed_by_how_long_they_wait_and_leave_by_themselves(
    any_app: Flask,
) -> None:
    with time_machine.travel(START, tick=False) as time:
        parcels = {}
        for day, (number, status) in enumerate(
            (("1", "return_to_sender"), ("2", "in_transit"), ("3", "exception"), ("4", "delivered"))
        ):
            time.move_to(START + day * DAY)
            _, [parcels[number]] = ordered(number=number)
            hears(parcels[number], (status, START + day * DAY))
        ordered(number="5", shipments=[{"carrier": "Quick Donkey", "tracking_number": "1Z5R89"}])
        ordered("volta", number="6", shipments=[{"carrier": "No Such", "tracking_number": "1Z5R"}])
        time.move_to(START + 9 * DAY)
        hears(parcels["2"], ("in_transit", START + DAY))
        with inside(shop_id("fern")):
            assert waiting() == [
                ("1", "returned"), ("3", "exception"), ("5", "wrong_number"), ("2", "silent"),
            ]  # fmt: skip
        hears(parcels["2"], ("in_transit", START + 9 * DAY))
        with inside(shop_id("fern")):
            assert [number for number, _ in waiting()] == ["1", "3", "5"]


def test_how_often_a_parcel_was_asked_about_is_in_the_replies(app: Flask) -> None:
    order, [parcel] = ordered(
        shipments=[{"carrier": "Quick Donkey", "tracking_number": "1Z5R89W30310058842"}]
    )
    with inside(shop_id("fern")), writing():
        session.get_one(Shipment, parcel).polls = 4
    client = app.test_client()
    told = client.get(f"/api/v1/orders/{order}", headers=bearer()).json
    assert [each["polls"] for each in told["shipments"]] == [4]
    [problem] = client.get("/api/v1/problems", headers=bearer()).json["problems"]
    assert problem["polls"] == 4
