"""The demo's payments at the stand-in for Stripe, which forgets them whenever it stops."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import stripe
from sqlalchemy import select

from portal.config import Settings, is_loopback
from portal.db import every_shop, session
from portal.demo.rehearsal import tell_sandbox
from portal.keys import settings
from portal.models import Order, Settlement
from portal.payments.stripe_amounts import to_stripe
from portal.payments.stripe_facts import KEY

OURS: Final = "pi_demo_"  # how references of the demo's payments begin
PATH: Final = "/stripe"


def stand_in_of(house: Settings) -> str | None:
    """The root of what stands in for Stripe; None where the real one is asked."""
    parts = urlsplit(house.stripe_api_base)
    rehearsed = is_loopback(parts.hostname) and parts.path == PATH and house.stripe_secret_key
    return f"{parts.scheme}://{parts.netloc}" if rehearsed else None


def register_payment(order_id: str) -> None:
    """Let the payment of a demo order exist, with what went back of it.

    Call it inside the shop, with nothing open.
    """
    root = stand_in_of(settings())
    order = session.get_one(Order, order_id)
    paid = select(Settlement).where(Settlement.order_id == order_id, Settlement.kind == "refund")
    told = _told(order, list(session.scalars(paid.where(Settlement.status == "done"))))
    session.rollback()
    if root is not None and told is not None:
        tell_sandbox(root, "/_sandbox/stripe/payments", told)


def register_payments() -> None:
    """Tell a restarted stand-in of every payment, with what went back of it."""
    root = stand_in_of(settings())
    if root is None:
        return
    with every_shop():
        done = session.scalars(
            select(Settlement)
            .where(Settlement.kind == "refund", Settlement.status == "done")
            .order_by(Settlement.id)
        )
        back: dict[str, list[Settlement]] = {}
        for row in done:
            back.setdefault(row.payment, []).append(row)
        ours = select(Order).where(Order.payment_reference.startswith(OURS)).order_by(Order.id)
        bodies = [
            _told(each, back.get(each.payment_reference, [])) for each in session.scalars(ours)
        ]
        session.rollback()
    for body in bodies:
        if body is not None:
            tell_sandbox(root, "/_sandbox/stripe/payments", body)


def _told(order: Order, refunds: list[Settlement]) -> dict[str, Any] | None:
    if not order.payment_reference.startswith(OURS) or not order.captured_minor:
        return None
    return {
        "reference": order.payment_reference,
        "amount": to_stripe(order.captured_minor, order.currency),
        "currency": order.currency.lower(),
        "refunds": [
            {"amount": to_stripe(row.amount_minor, row.currency), "metadata": {KEY: row.key}}
            for row in refunds
            if row.amount_minor
        ],
    }


def hook_up_stripe(house: Settings, port: int, slug: str) -> None:
    """Register a brand's webhook at the stand-in, as the operator would at Stripe."""
    if stand_in_of(house) is None:
        return
    client = stripe.StripeClient(
        house.stripe_secret_key, base_addresses={"api": house.stripe_api_base}
    )
    client.v1.webhook_endpoints.create(
        {"url": f"http://127.0.0.1:{port}/hooks/stripe/{slug}", "enabled_events": ["*"]}
    )
