"""An order whose parcels say things, through the doors that real answers come in by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from carriers.contract import Scan, Status, Tracking
from portal import clock
from portal.db import inside, session, writing
from portal.models import Message, Order, Shipment
from portal.models.observe import observe
from portal.sources.document import OrderDocument
from tests.conftest import shop_id

READER = "mira@example.com"
START = datetime(2026, 11, 23, 15, tzinfo=UTC)
UPS = ("1Z5R89W30310058842", "1Z5R89W30310058843", "1Z5R89W30310058844")


def ordered(
    slug: str = "fern", parcels: int = 1, number: str = "1042", email: str = READER, **more: Any
) -> tuple[str, list[str]]:
    """Take in an order with so many parcels, now; gives its id and theirs."""
    now = clock.now()
    lines = [
        {"sku": f"SKU-{n}", "title": title, "quantity": 2, "unit_price_minor": 1900}
        for n, title in enumerate(("Olive tree, small", "Stoneware teapot"))
    ]
    body = {
        "number": number,
        "email": email,
        "placed_at": (now - timedelta(hours=2)).isoformat(),
        "currency": "USD",
        "shipping_address": {
            "city": "Austin",
            "region": "TX",
            "postcode": "78701",
            "country": "US",
        },
        "lines": lines,
        "shipments": [{"carrier": "UPS", "tracking_number": UPS[n]} for n in range(parcels)],
        **more,
    }
    with inside(shop_id(slug)), writing():
        order, _ = Order.upsert(OrderDocument.model_validate(body), now)
        session.flush()
        ids = session.scalars(
            select(Shipment.id).where(Shipment.order_id == order.id).order_by(Shipment.position)
        )
        return order.id, list(ids)


def hears(
    shipment_id: str,
    *told: tuple[str, datetime],
    eta: date | None = None,
    slug: str = "fern",
    via: str = "poll",
) -> bool:
    """The carrier says these scans of a parcel, now."""
    now = clock.now()
    scans = tuple(Scan(at, Status(status), -360, message=status) for status, at in told)
    with inside(shop_id(slug)), writing():
        shipment = Shipment.locked(shipment_id)
        assert shipment is not None
        answer = Tracking(
            "trk_" + shipment_id,
            "UPS",
            shipment.tracking_number,
            max(scans, key=lambda scan: scan.at).status if scans else Status.UNKNOWN,
            scans=scans,
            estimated_local_date=eta,
            updated_at=now,
        )
        return observe(shipment, answer, via, now)


def messages(slug: str = "fern", **where: Any) -> Sequence[Message]:
    """The outbox of a shop, in the order it was filled."""
    with inside(shop_id(slug)):
        found = session.scalars(
            select(Message).filter_by(**where).order_by(Message.created_at, Message.id)
        ).all()
        session.expunge_all()
        return found


def kinds(slug: str = "fern", **where: Any) -> list[str]:
    """What the outbox says, in words."""
    return [message.kind for message in messages(slug, **where)]
