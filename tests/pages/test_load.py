"""Facts from rows: the same on both databases, nothing of another shop, nothing personal."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import text

from portal.db import every_shop, inside, migrating, session, writing
from portal.keys import digest
from portal.models import Due, Order, OrderLine, Picture, Shipment, ShipmentLine, StoredScan
from portal.pages.facts import ParcelFacts
from portal.pages.load import load_order, open_link
from tests.conftest import shop_id
from tests.pages.orders import CANARIES, link_to, placed

NOON = datetime(2026, 11, 25, 12, 30, 15, 250_000, tzinfo=UTC)


def test_every_column_comes_back_as_it_was_stored(any_app: Flask) -> None:
    order_id = placed(status="delivered")
    with inside(shop_id("fern")), writing():
        parcel = session.query(Shipment).one()
        parcel.delivered_at = NOON
        parcel.overlays = ["delayed", "silent"]
        scan = session.query(StoredScan).filter_by(status="delivered").one()
        scan.at, scan.detail, scan.offset_minutes = NOON, "signed", -330
        session.query(StoredScan).filter_by(status="pre_transit").one().flag = "older_parcel"
        session.add(Due(queue="poll", subject=parcel.id, shop_id=parcel.shop_id, at=NOON))
    with inside(shop_id("fern")):
        order = load_order(order_id, "view")
        stored = session.query(Shipment).one()
        eta = stored.eta_date
    assert order is not None
    assert (order.number, order.grade, order.timezone) == ("1042", "view", "America/Chicago")
    assert (order.destination_city, order.destination_country) == ("Austin", "US")
    assert [(item.title, item.quantity) for item in order.items] == [
        ("Olive tree", 2),
        ("Teapot", 2),
    ]
    [told] = order.parcels
    assert [(item.title, item.quantity) for item in told.items] == [("Olive tree", 1)]
    assert (told.delivered_at, told.delivered_offset_minutes) == (NOON, -330)
    assert (told.next_check_at, told.eta_to, told.first_eta) == (NOON, eta, eta)
    assert told.overlays == ("delayed", "silent")
    assert told.tracking_url == "https://www.ups.com/track?tracknum=1Z5R89W30310058842"
    assert sorted((scan.status, scan.hidden) for scan in told.scans) == [
        ("delivered", False), ("in_transit", False), ("pre_transit", True),
    ]  # fmt: skip


def test_an_empty_order_is_empty_and_an_unknown_one_is_none(any_app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        order = Order(number="7", number_key="7", placed_at=NOON, currency="EUR")
        session.add(order)
        session.flush()
        order_id = order.id
    with inside(shop_id("fern")):
        found = load_order(order_id, "act")
        assert found is not None
        assert (found.items, found.parcels, found.placed_at) == ((), (), NOON)
        assert load_order("ord_unknown", "act") is None


def test_nothing_personal_is_among_the_facts(any_app: Flask) -> None:
    order_id = placed()
    with inside(shop_id("fern")):
        found = repr(asdict(load_order(order_id, "act")))  # type: ignore[arg-type]
    assert [name for name, value in CANARIES.items() if value in found] == []
    assert "signed_by" in {field.name for field in fields(ParcelFacts)}


def test_another_shop_sees_neither_link_nor_order(any_app: Flask) -> None:
    order_id = placed()
    token = link_to(order_id)
    with inside(shop_id("volta")):
        assert open_link(token) is None
        assert load_order(order_id, "act") is None
    assert load_order(order_id, "act") is None  # and outside any shop there is nothing
    with inside(shop_id("fern")):
        assert open_link(token) is not None


@pytest.mark.parametrize(
    ("state", "waits"), [("wanted", True), ("kept", False), ("refused", False), (None, False)]
)
def test_only_a_picture_still_being_fetched_is_awaited(
    any_app: Flask, state: str | None, waits: bool
) -> None:
    url = "https://cdn.example/olive.jpg"
    order_id = placed()
    with inside(shop_id("fern")), writing():
        session.query(OrderLine).filter_by(position=0).one().image_url = url
        if state:
            session.add(Picture(id="pic_1", url=url, url_digest=digest(url), state=state))
    with inside(shop_id("fern")):
        order = load_order(order_id, "view")
    assert order is not None
    assert [item.awaits_picture for item in order.items] == [waits, False]
    assert order.items[0].image_url == ("/media/pic_1" if state == "kept" else None)


CHILDREN = {
    "items": "UPDATE order_line SET shop_id = :other",
    "parcels": "UPDATE shipment SET shop_id = :other",
    "contents": "UPDATE shipment_line SET shop_id = :other",
    "scans": "UPDATE scan SET shop_id = :other",
}


@pytest.mark.parametrize("kind", CHILDREN)
def test_the_shop_filter_reaches_into_each_array(any_app: Flask, kind: str) -> None:
    """Rows that carry another shop's id, put there behind the keys' back, do not show."""
    order_id = placed()
    other = shop_id("volta")
    session.remove()
    with migrating() as connection:  # on SQLite foreign keys rest meanwhile
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(CHILDREN[kind]), {"other": other})
    with inside(shop_id("fern")):
        order = load_order(order_id, "act")
    assert order is not None
    if kind in ("items", "parcels"):
        assert getattr(order, kind) == ()
    elif kind == "contents":
        assert order.parcels[0].items == ()
    else:
        assert order.parcels[0].scans == ()
    with every_shop():
        counts = [session.query(model).count() for model in (OrderLine, Shipment, ShipmentLine)]
    assert counts == [2, 1, 1]
