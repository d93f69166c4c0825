"""Stripe's hook: what happened to a payment. Kinds without work behind them are kept, too."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from portal.hooks.intake import Sender, Told, take_in
from portal.jobs.bank import webhook_secret_of
from portal.jobs.payment import WORK
from portal.payments.stripe_hooks import MOST_BYTES, read_event, verify_signature


def receive(slug: str) -> Response:
    """Take one event of Stripe's."""
    return take_in(STRIPE, slug)


def _is_theirs(body: bytes, secret: str, now: datetime) -> bool:
    return verify_signature(body, request.headers.get("Stripe-Signature", ""), secret, now)


def _read(body: bytes) -> Told:
    event = read_event(body)
    return Told(event.id, event.kind, event.kind in WORK)


STRIPE = Sender(
    provider="stripe",
    name="Stripe",
    setting="STRIPE_WEBHOOK_SECRET",
    queue="payment",
    most_bytes=MOST_BYTES,
    secret_of=webhook_secret_of,
    is_theirs=_is_theirs,
    read=_read,
)
