"""Rows for page tests: an order with every kind of personal fact, each one a canary."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from portal import clock
from portal.db import inside, session, writing
from portal.models import Link, Order, OrderLine, Shipment, ShipmentLine, StoredScan
from portal.models.order import email_key, number_key
from tests.conftest import shop_id

EMAIL = "ada.canary@mail.example"
POSTCODE = "90210-CAN"
# What must never be on a page behind a link, at any grade, in any form.
CANARIES = {
    "name": "Ada Canaryname",
    "line1": "17 Canary Street",
    "line2": "Canaryflat 9",
    "region": "Canaryregion",
    "postcode": POSTCODE,
    "email": EMAIL,
    "local part": "ada.canary",
    "phone": "+15550142777",
    "signed_by": "C. Canarysigned",
    "message": "CANARYMESSAGE left with neighbour Canary",
    "scan postcode": "90211-SCAN",
    "payment": "pi_canary_reference",
    "raw": "CANARYRAW",
    "problem": "CANARYPROBLEM text",
    "customer": "cus_canary_id",
}


def placed(
    slug: str = "fern",
    number: str = "1042",
    email: str = EMAIL,
    days_left: int = 2,
    status: str = "in_transit",
    **more: Any,
) -> str:
    """Store an order with two lines and one parcel with three scans; gives the order's id."""
    now = clock.now()
    with inside(shop_id(slug)), writing():
        order = _order(number, email, now, **more)
        session.add(order)
        session.flush()
        lines = [_line(order.id, n, title) for n, title in enumerate(("Olive tree", "Teapot"))]
        parcel = _parcel(order.id, now, days_left, status)
        session.add_all([*lines, parcel])
        session.flush()
        held = ShipmentLine(shipment_id=parcel.id, line_id=lines[0].id, quantity=1)
        session.add_all([held, *_scans(parcel.id, now, status)])
        return order.id


def link_to(order_id: str, slug: str = "fern") -> str:
    """The token of a new link of the order's own."""
    with inside(shop_id(slug)), writing():
        return Link.issue(order_id)


def change(order_id: str, slug: str = "fern", **values: Any) -> None:
    """Set columns of an order, as a change does: with a new version."""
    with inside(shop_id(slug)), writing():
        order = session.get_one(Order, order_id)
        for name, value in values.items():
            setattr(order, name, value)
        order.version += 1


def _order(number: str, email: str, now: datetime, **more: Any) -> Order:
    return Order(
        number=number,
        number_key=number_key(number),
        email=email,
        email_key=email_key(email),
        phone=CANARIES["phone"],
        placed_at=now - timedelta(days=4),
        currency="USD",
        status="shipped",
        payment_reference=CANARIES["payment"],
        timezone="America/Chicago",
        address={
            **{name: CANARIES[name] for name in ("name", "line1", "line2", "region", "postcode")},
            "city": "Austin",
            "country": "US",
        },
        **more,
    )


def _line(order_id: str, position: int, title: str) -> OrderLine:
    return OrderLine(
        order_id=order_id,
        position=position,
        sku=f"SKU-{position}",
        title=title,
        variant="small",
        quantity=2,
        unit_price_minor=1900,
    )


def _parcel(order_id: str, now: datetime, days_left: int, status: str) -> Shipment:
    eta: date = (now + timedelta(days=days_left)).date()
    return Shipment(
        order_id=order_id,
        carrier="UPS",
        carrier_code="UPS",
        service="Ground",
        tracking_number="1Z5R89W30310058842",
        number_key="1Z5R89W30310058842",
        shipped_at=now - timedelta(days=3),
        status=status,
        eta_date=eta,
        first_eta_date=eta,
        last_scan_at=now - timedelta(hours=5),
        delivered_at=now - timedelta(hours=5) if status == "delivered" else None,
        checked_at=now - timedelta(minutes=4),
        signed_by=CANARIES["signed_by"],
        problem_text=CANARIES["problem"],
    )


def _scans(shipment_id: str, now: datetime, status: str) -> list[StoredScan]:
    told = (("pre_transit", 60), ("in_transit", 40), (status, 5))
    return [
        StoredScan(
            shipment_id=shipment_id,
            key=f"scan-{n}",
            at=now - timedelta(hours=hours),
            offset_minutes=-360,
            status=said,
            message=CANARIES["message"],
            city="Dallas",
            region="Texas",
            country="US",
            postcode=CANARIES["scan postcode"],
            raw={"text": CANARIES["raw"]},
        )
        for n, (said, hours) in enumerate(told)
    ]


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
