"""Orders to send back: paid, delivered, of a customer, as the API would be given them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from portal.db import inside, session, writing
from portal.models import Order, Return, Shipment, Variant
from portal.models.rma_facts import Asked
from portal.models.rma_request import order_to_change, request_return
from portal.sources.document import OrderDocument, VariantDocument
from tests.conftest import shop_id

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHIRT = {
    "sku": "TEE-M",
    "product": "tee",
    "variant": "M",
    "title": "Shirt",
    "category": "Shirts",
    "quantity": 3,
    "unit_price_minor": 2_000,
    "discount_minor": 300,
    "tax_minor": 911,
    "tax_included": True,
}
MUG = {"sku": "MUG", "title": "Mug", "quantity": 1, "unit_price_minor": 1_499, "tax_minor": 239}
PAID_MINOR = 3 * 2_000 - 300 + 1_499 + 490


def bought(slug: str = "fern", number: str = "1001", now: datetime = NOW, **more: Any) -> str:
    """Store an order of three shirts and a mug, delivered three days ago; gives its id."""
    posted = {
        "number": number,
        "email": "ada@example.com",
        "placed_at": (now - timedelta(days=6)).isoformat(),
        "currency": "USD",
        "shipping_address": {"name": "Ada", "city": "Austin", "region": "TX", "country": "US"},
        "lines": [SHIRT, MUG],
        "shipping_minor": 490,
        "payment": {
            "provider": "stripe",
            "reference": f"pi_{number}",
            "captured_minor": PAID_MINOR,
        },
        "shipments": [{"carrier": "UPS", "tracking_number": "1Z5R89W30310058842"}],
        **more,
    }
    with inside(shop_id(slug)), writing():
        order, _ = Order.upsert(OrderDocument.model_validate(posted), now - timedelta(days=6))
        session.flush()
        for parcel in session.query(Shipment).where(Shipment.order_id == order.id):
            parcel.status, parcel.delivered_at = "delivered", now - timedelta(days=3)
            parcel.shipped_at = now - timedelta(days=5)
        order.settle_status(now)
        return order.id


def sold(slug: str = "fern", sku: str = "TEE-L", **more: Any) -> None:
    """Store a variant that can be had instead."""
    posted = {
        "product": "tee",
        "title": f"Shirt {sku}",
        "price_minor": 2_000,
        "currency": "USD",
        "available": 1,
        **more,
    }
    with inside(shop_id(slug)), writing():
        Variant.put(sku, VariantDocument.model_validate(posted), NOW)


def ask(order_id: str, *asked: Asked, slug: str = "fern", now: datetime = NOW, **more: Any) -> str:
    """Ask for a return in a transaction of its own; gives its id."""
    with inside(shop_id(slug)), writing():
        return requested(order_id, *asked, now=now, **more).id


def requested(order_id: str, *asked: Asked, now: datetime = NOW, **more: Any) -> Return:
    """Ask for a return inside `writing()`."""
    order = order_to_change(order_id, now)
    assert order is not None
    return request_return(order, asked, "api", "token:test", now, **more)


def shirts(quantity: int = 1, reason: str = "too_small", **more: Any) -> Asked:
    """So many of the shirts."""
    return Asked.of("TEE-M", quantity, reason, **more)


def rma(return_id: str) -> Return:
    """The return as it is stored."""
    found = Return.read(return_id)
    assert found is not None
    return found
