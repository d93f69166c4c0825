"""The two statements of an order's tracking page; neither selects a column that is personal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, ScalarSelect, bindparam, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import db
from portal.models import (
    Due,
    Link,
    Order,
    OrderLine,
    Picture,
    Shipment,
    ShipmentLine,
    StoredScan,
)
from portal.pages.load_cover import plans_column
from portal.pages.load_returns import claims_column, held_column, pieces_column, returns_column
from portal.standing import Standing

LINE_FIELDS = ("id", "position", "title", "variant", "quantity", "image_url", "sku", "category")
SHIPMENT_FIELDS = (
    "id", "position", "carrier", "carrier_code", "service", "tracking_number", "status", "detail",
    "overlays", "delivered_at", "last_scan_at", "shipped_at", "eta_date", "first_eta_date",
    "window", "first_window", "checked_at", "problem",
)  # fmt: skip
SCAN_FIELDS = (
    "shipment_id", "at", "offset_minutes", "status", "detail", "city", "region", "country", "flag",
)  # fmt: skip


def _last_checked() -> ScalarSelect[Any]:
    return (
        select(func.max(Shipment.checked_at))
        .where(Shipment.order_id == Order.id)
        .correlate(Order)
        .scalar_subquery()
    )


LINK = Standing(
    select(
        Link.id, Link.order_id, Link.grade, Link.session_digest, Link.expires_at,
        Link.revoked_at, Order.rights_end_at, Order.version, _last_checked().label("checked_at"),
    )
    .join(Order, Order.id == Link.order_id)
    .where(Link.token_digest == bindparam("digest"))
)  # fmt: skip


@lru_cache(maxsize=2)
def everything(_dialect: str) -> Standing:
    """All that the page shows of an order, by its `order_id`; built once for each kind of database.

    Its dialect is the running app's: JSON is put together in the database's own words.
    """
    return Standing(
        select(
            Order.number,
            Order.placed_at,
            Order.status,
            Order.currency,
            Order.locale,
            Order.timezone,
            Order.cover_minor,
            Order.cancelled_at,
            Order.promise,
            Order.address["city"].as_string().label("city"),
            Order.address["country"].as_string().label("country"),
            _lines().label("lines"),
            _shipments().label("shipments"),
            _contents().label("contents"),
            _scans().label("scans"),
            _pictures().label("pictures"),
            returns_column(_array).label("returns"),
            claims_column(_array).label("claims"),
            pieces_column().label("pieces"),
            held_column().label("held"),
            plans_column().label("plans"),
        ).where(Order.id == bindparam("order_id"))
    )


def _array(
    fields: Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]],
) -> ColumnElement[Any]:
    """One JSON array of objects with these fields, in the database's own words."""
    pairs = [part for name, column in fields.items() for part in (_name(name), column)]
    if db.engine.dialect.name == "postgresql":
        return func.json_agg(func.json_build_object(*pairs), type_=JSON)
    return func.json_group_array(func.json_object(*pairs), type_=JSON)


def _name(name: str) -> ColumnElement[str]:
    return literal_column(f"'{name}'")


def _lines() -> ScalarSelect[Any]:
    fields = {name: getattr(OrderLine, name) for name in LINE_FIELDS}
    return (
        select(_array(fields))
        .where(OrderLine.order_id == Order.id)
        .correlate(Order)
        .scalar_subquery()
    )


def _shipments() -> ScalarSelect[Any]:
    asked = (
        select(Due.at)
        .where(Due.queue == "poll", Due.subject == Shipment.id)
        .correlate(Shipment)
        .scalar_subquery()
    )
    fields: dict[str, Any] = {name: getattr(Shipment, name) for name in SHIPMENT_FIELDS}
    fields["next_at"] = asked
    return (
        select(_array(fields))
        .where(Shipment.order_id == Order.id, Shipment.rma_id.is_(None))
        .correlate(Order)
        .scalar_subquery()
    )


def _contents() -> ScalarSelect[Any]:
    fields = {
        "shipment_id": ShipmentLine.shipment_id,
        "line_id": ShipmentLine.line_id,
        "quantity": ShipmentLine.quantity,
    }
    return (
        select(_array(fields))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.order_id == Order.id)
        .correlate(Order)
        .scalar_subquery()
    )


def _scans() -> ScalarSelect[Any]:
    fields = {name: getattr(StoredScan, name) for name in SCAN_FIELDS}
    return (
        select(_array(fields))
        .join(Shipment, Shipment.id == StoredScan.shipment_id)
        .where(Shipment.order_id == Order.id, Shipment.rma_id.is_(None))
        .correlate(Order)
        .scalar_subquery()
    )


def _pictures() -> ScalarSelect[Any]:
    return (
        select(_array({"url": Picture.url, "id": Picture.id, "state": Picture.state}))
        .join(OrderLine, OrderLine.image_url == Picture.url)
        .where(OrderLine.order_id == Order.id, Picture.state.in_(("kept", "wanted")))
        .correlate(Order)
        .scalar_subquery()
    )
