"""Send refunds out, each once, and look whether what is due for an exchange was paid.

The row is written before the call and its key goes with it, so that whatever is lost on the way is
found again by the key: nothing is asked for twice, and nothing unknown is called failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portal import clock
from portal.db import inside, session, writing
from portal.jobs import topup
from portal.jobs.bank import NAME, bank_of, seen, wait
from portal.jobs.work import FIRST_WAIT
from portal.keys import Unsealable
from portal.logs import log
from portal.models import Settlement, Shop, payout
from portal.models.due import Lease, finish, holds
from portal.models.payout import Payout
from portal.models.refund_elsewhere import SeenRefund
from portal.payments.contract import Kind, PaymentError, RefundResult
from portal.payments.stripe import Stripe

SLOW: Final = timedelta(hours=1)  # between two looks at a refund that the provider accepted
NO_PAYMENT: Final = "We do not know by which payment the order was paid."
NO_KEY: Final = "Stripe is not set up here (STRIPE_SECRET_KEY), so that nothing can be sent by it."
OTHER: Final = "idempotency_error"  # something else was sent under our key: people look at it
KEPT: Final = timedelta(hours=23)  # Stripe answers the same to a key for a day, then forgets it
SURE: Final = timedelta(minutes=1)  # for a refund to be listed, before another key may be taken
BY_HAND: Final = "Pay it by hand and say so here, or correct this and try again."
FINAL: Final = (Kind.REFUSED, Kind.DECLINED, Kind.ALREADY_REFUNDED, Kind.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking: what the provider has, or how it failed."""

    refund: SeenRefund | None = None
    error: PaymentError | None = None


def perform(lease: Lease) -> None:
    """Send one refund, or look at the payment of one difference."""
    with inside(lease.shop_id):
        row = session.get(Settlement, lease.subject)
        shop = session.get_one(Shop, lease.shop_id)
        kind = row.kind if row is not None else ""
        bank, reason = _bank_of(shop)
        session.rollback()
        if kind == "top_up":
            topup.look(lease, bank)
            return
        payout_ = _begin(lease, reason)
        if payout_ is not None and bank is not None:
            _end(lease, payout_, _ask(bank, payout_))


def bury(lease: Lease, now: datetime) -> None:
    """It failed too often in a way of our own. Nobody knows what happened: people look at it."""
    with inside(lease.shop_id), writing():
        payout.unknown(lease.subject)
        text = "Sending it failed several times in a row. Look into the log for: work failed."
        payout.note(lease.subject, problem=text)
        finish(lease)


def _bank_of(shop: Shop) -> tuple[Stripe | None, str]:
    """The client, or a sentence that says why there is none."""
    try:
        bank = bank_of(shop)
    except (ValueError, Unsealable) as error:
        log.error("provider key unusable", shop=shop.id, kind=type(error).__name__)
        return None, f"The Stripe key cannot be used: {error}"
    return bank, "" if bank else NO_KEY


def _begin(lease: Lease, reason: str) -> Payout | None:
    """The refund to ask for; what cannot be asked for has failed here and now."""
    with writing():
        now = clock.now()
        payout.locked(lease.subject)  # the order first, then the row of due work, as everybody
        if not holds(lease):
            return None
        begun = payout.begin(lease.subject, now)
        if begun is None:
            finish(lease)
            return None
        why = _unpayable(begun, reason)
        if why and begun.look_up:
            # It may have been sent before the key went: it is not called failed.
            payout.note(begun.id, problem=why)
            finish(lease, again_at=now + SLOW)
            return None
        if why:
            payout.failed(begun.id, f"{why} {BY_HAND}", now)
            finish(lease)
            return None
        return begun


def _unpayable(begun: Payout, reason: str) -> str:
    if begun.provider != NAME:
        named = f"by {begun.provider}" if begun.provider else "in a way we do not know"
        return f"The order was paid {named}, where we cannot send money back."
    return reason or ("" if begun.payment else NO_PAYMENT)


def _ask(bank: Stripe, wanted: Payout) -> Outcome:
    """Ask once, or look where it was asked for before."""
    try:
        if wanted.reference.startswith(("re_", "pyr_")):
            return Outcome(seen(bank.read_refund(wanted.reference)))
        return Outcome(seen(_earlier(bank, wanted) or _send(bank, wanted)))
    except PaymentError as error:
        return Outcome(error=error)


def _earlier(bank: Stripe, wanted: Payout) -> RefundResult | None:
    """What went out under an earlier key after all, or may have while Stripe forgot the key."""
    if wanted.key != wanted.id:
        for each in bank.refunds_of(wanted.payment):
            if each.is_alive and each.key.partition(":")[0] == wanted.id:
                return each
        return _ruled_out(bank, wanted)
    return _ruled_out(bank, wanted) if clock.now() - wanted.since >= KEPT else None


def _send(bank: Stripe, wanted: Payout) -> RefundResult:
    """Ask for it. What may have gone out is let fail only where that is ruled out."""
    told = {"settlement": wanted.id, "order": wanted.order_id}
    try:
        return bank.refund(wanted.payment, wanted.amount_minor, wanted.currency, wanted.key, told)
    except PaymentError as error:
        may_be_out = error.is_over or (wanted.look_up and error.kind in FINAL)
        made = _ruled_out(bank, wanted) if may_be_out and error.code != OTHER else None
        if made is None:
            raise
    return made


def _ruled_out(bank: Stripe, wanted: Payout) -> RefundResult | None:
    return bank.rule_out(wanted.payment, wanted.key, wanted.amount_minor, wanted.since)


def _end(lease: Lease, wanted: Payout, outcome: Outcome) -> None:
    """Store what came of it and end the lease, together."""
    now = clock.now()
    with writing():
        payout.locked(wanted.id)
        if not holds(lease):
            return
        again_at = (
            _known(wanted, outcome.refund, now)
            if outcome.refund is not None
            else _trouble(wanted, outcome.error, now)
        )
        finish(lease, again_at=again_at)


def _known(wanted: Payout, refund: SeenRefund, now: datetime) -> datetime | None:
    if refund.fate == "done":
        payout.succeeded(wanted.id, refund.id, now)
    elif refund.fate == "failed":
        payout.failed(wanted.id, refund.why, now)
    else:
        payout.note(wanted.id, reference=refund.id)
        return now + max(SLOW, wait(wanted.since, now))
    return None


def _trouble(wanted: Payout, error: PaymentError | None, now: datetime) -> datetime | None:
    """When to look again; None where it has failed for certain."""
    if error is None:
        return None
    if error.is_over and now - wanted.since >= SURE:
        # It was ruled out, and under this key it never will be: Stripe keeps the failure.
        return now + FIRST_WAIT if payout.anew(wanted.id, str(error), now) else None
    if error.kind is Kind.OUTCOME_UNKNOWN or error.code == OTHER:
        payout.unknown(wanted.id)
    elif error.kind in FINAL and not (wanted.is_lost and error.kind is Kind.NOT_FOUND):
        payout.failed(wanted.id, f"{error} {BY_HAND}", now)
        return None
    payout.note(wanted.id, problem=str(error))
    return now + wait(wanted.since, now, error.retry_after)
