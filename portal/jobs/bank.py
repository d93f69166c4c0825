"""A shop's account at Stripe: its client, and how what it says becomes what models take in."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from flask import Flask, current_app

from portal.jobs.work import FIRST_WAIT, LONGEST_WAIT
from portal.keys import settings
from portal.models import Shop
from portal.models.refund_elsewhere import SeenRefund
from portal.payments.contract import Payment, RefundResult, RefundState
from portal.payments.stripe import Stripe

NAME: Final = "stripe"  # as orders name their payment's provider
FATES: Final = {
    RefundState.SUCCEEDED: "done",
    RefundState.FAILED: "failed",
    RefundState.CANCELLED: "failed",
}
_building = threading.Lock()


def bank_of(shop: Shop) -> Stripe | None:
    """Whom to ask about a shop's payments; None where Stripe is off.

    Raises ValueError for a key that cannot be meant, Unsealable for one sealed with a lost key.
    """
    key = shop.key("stripe_secret_key") or settings().stripe_secret_key
    if not key:
        return None
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    kept: dict[str, Stripe] = app.extensions.setdefault("banks", {})
    with _building:
        if key not in kept:
            kept[key] = Stripe(key, settings().stripe_api_base)
        return kept[key]


def webhook_secret_of(shop: Shop) -> str:
    """What Stripe's hooks for a shop are signed with, '' where it is off. Raises Unsealable."""
    return shop.key("stripe_webhook_secret") or settings().stripe_webhook_secret


def seen(refund: RefundResult) -> SeenRefund:
    """A refund as models take it in. A state that we do not know is waited for."""
    fate = FATES.get(refund.state, "waiting")
    why = f"The provider could not send it: {refund.why or refund.state.value}."
    return SeenRefund(
        id=refund.id,
        key=refund.key,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        fate=fate,
        why=why if fate == "failed" else "",
    )


def read_refunds(bank: Stripe, payment: str) -> tuple[Payment, list[SeenRefund]]:
    """A payment and everything that went back of it, as it stands now. Raises PaymentError."""
    listed = [seen(each) for each in bank.refunds_of(payment)]
    found = bank.read_payment(payment)
    return found, without_let_go(listed, found.refunded_minor)


def without_let_go(listed: Iterable[SeenRefund], refunded_minor: int) -> list[SeenRefund]:
    """What really went back: the rest of a hold that was let go is listed as a refund, too."""
    kept = list(listed)
    extra = sum(each.amount_minor for each in kept if each.fate != "failed") - refunded_minor
    for each in kept:
        if extra > 0 and not each.key and each.fate != "failed" and each.amount_minor == extra:
            kept.remove(each)
            break
    return kept


def wait(since: datetime, now: datetime, asked_s: float | None = None) -> timedelta:
    """How long to wait for a provider in trouble: as long as all waits before, at most an hour."""
    longer = min(LONGEST_WAIT, max(FIRST_WAIT, now - since))
    return max(longer, timedelta(seconds=asked_s or 0.0))
