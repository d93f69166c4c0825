"""Stripe's hook: what happened to a payment.

No kind of event has work behind it yet: every one is kept, and answered 200.
"""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from portal.hooks.intake import Sender, Told, take_in
from portal.keys import settings
from portal.models import Shop
from portal.payments.stripe_hooks import MOST_BYTES, read_event, verify_signature

WORK: frozenset[str] = frozenset()  # the kinds that are worked on


def receive(slug: str) -> Response:
    """Take one event of Stripe's."""
    return take_in(STRIPE, slug)


def _secret_of(shop: Shop) -> str:
    return shop.key("stripe_webhook_secret") or settings().stripe_webhook_secret


def _is_theirs(body: bytes, secret: str, now: datetime) -> bool:
    return verify_signature(body, request.headers.get("Stripe-Signature", ""), secret, now)


def _read(body: bytes) -> Told:
    event = read_event(body)
    return Told(event.id, event.kind, event.kind in WORK)


STRIPE = Sender(
    provider="stripe",
    name="Stripe",
    setting="STRIPE_WEBHOOK_SECRET",
    queue="apply",
    most_bytes=MOST_BYTES,
    secret_of=_secret_of,
    is_theirs=_is_theirs,
    read=_read,
)
