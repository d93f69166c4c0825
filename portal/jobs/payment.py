"""Take in what Stripe pushed: every event means "look", and what is looked at is believed.

So events may come twice, late, out of order or not at all: what is taken in is the payment as it
stands now, and every refund of it once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from carriers.contract import BadPayload
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs import checkout, instant, topup
from portal.jobs.bank import bank_of, read_refunds, wait, webhook_secret_of
from portal.jobs.queue import nudge
from portal.keys import Unsealable, digest
from portal.models import Checkout, HookEvent, Instant, LedgerEntry, Settlement, Shop, dispute_acts
from portal.models.due import Lease, finish, holds
from portal.models.refund_elsewhere import take_in
from portal.payments.contract import Kind, PaymentError, PaymentEvent
from portal.payments.stripe import Stripe
from portal.payments.stripe_facts import KEY
from portal.payments.stripe_hooks import read_event

REFUNDS: Final = frozenset(
    {
        *("refund.created", "refund.updated", "refund.failed"),
        *("charge.refunded", "charge.refund.updated"),
    }
)
DISPUTES: Final = frozenset(
    {
        *("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"),
        *("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"),
    }
)
CHECKOUTS: Final = frozenset(
    {"checkout.session.completed", "checkout.session.async_payment_succeeded"}
)
PAYMENTS: Final = frozenset({"payment_intent.succeeded"})
CHECKOUT: Final = "chk_"
INSTANT: Final = "ins_"
WORK: Final = REFUNDS | DISPUTES | CHECKOUTS | PAYMENTS


@dataclass(frozen=True, slots=True)
class Push:
    """An event read from the ledger, and the shop whose payment it speaks of."""

    event: PaymentEvent
    shop_id: int  # 0: nobody's
    payment: str  # as the shop knows it: an old one knows the charge
    received_at: datetime


def perform(lease: Lease) -> None:
    """Take in one event."""
    with every_shop():
        push = _read(lease)
        session.rollback()
    if push is None or not push.shop_id:
        _end(lease, "quarantined" if push is None else "unmatched")
        return
    with inside(push.shop_id):
        try:
            _look(push)
        except (PaymentError, ValueError, Unsealable) as error:
            _again_or_end(lease, push, error)
            return
    _end(lease, "applied")
    nudge("settle")
    nudge("label")


def bury(lease: Lease, now: datetime) -> None:
    """An event that failed too often stays in the ledger as failed; doctor counts it."""
    _end(lease, "failed", "It could not be taken in.")


def _look(push: Push) -> None:
    """Ask how things stand, with no transaction open, and take that in."""
    bank = bank_of(session.get_one(Shop, push.shop_id))
    session.rollback()
    if bank is None:
        raise ValueError("STRIPE_SECRET_KEY is not set, so that nothing can be looked up.")
    event = push.event
    if event.kind in CHECKOUTS | PAYMENTS:
        _take_checkout(bank, event)
        return
    if event.kind in DISPUTES:
        _take_dispute(bank, push)
    _, refunds = read_refunds(bank, push.payment)
    with writing():
        take_in(push.payment, refunds, clock.now())


def _take_dispute(bank: Stripe, push: Push) -> None:
    """What counts is how the dispute stands now, however late or often the event comes."""
    looked_at = clock.now()
    seen = replace(bank.disputes.read(push.event.about), payment=push.payment)
    with writing():
        dispute_acts.take_in(seen, looked_at, clock.now())


def _take_checkout(bank: Stripe, event: PaymentEvent) -> None:
    ours = _ours(event)
    page = event.about
    if event.kind in PAYMENTS:
        page = _page_of(ours)
    session.rollback()
    if ours.startswith(INSTANT):
        instant.look(bank, ours, page)
    elif page.startswith("cs_"):
        take = checkout.take if ours.startswith(CHECKOUT) else topup.take
        take(bank, ours, bank.read_checkout(page))


def _page_of(ours: str) -> str:
    """The page that what we asked to be paid was opened at; '' where none is known."""
    if ours.startswith(CHECKOUT):
        opened = session.get(Checkout, ours)
        return opened.page if opened is not None else ""
    row = session.get(Settlement, ours)
    return row.reference if row is not None else ""


def _ours(event: PaymentEvent) -> str:
    """The settlement or checkout that an object of ours carries in its key; '' for others."""
    marks = event.object.get("metadata")
    key = marks.get(KEY) if isinstance(marks, dict) else None
    if isinstance(key, str) and key.startswith(("stl_", CHECKOUT, INSTANT)):
        return key.partition(":")[0]
    return ""


# --- whose payment it is ------------------------------------------------------------------------


def _read(lease: Lease) -> Push | None:
    """The event and its shop: the one named first, else another one of the same account."""
    kept = session.get(HookEvent, int(lease.subject))
    if kept is None:
        return None
    try:
        event = read_event(kept.body)
    except BadPayload:
        return None
    known = _knowing(event)
    for shop_id in _sharing(kept.account, kept.shop_id):
        if shop_id in known:
            return Push(event, shop_id, known[shop_id], kept.received_at)
    return Push(event, 0, "", kept.received_at)


def _sharing(account: str, named: int) -> list[int]:
    shops = [shop.id for shop in session.scalars(select(Shop)) if _account_of(shop) == account]
    return sorted(shops, key=lambda id: (id != named, id))


def _account_of(shop: Shop) -> str:
    try:
        return digest(webhook_secret_of(shop))
    except Unsealable:
        return ""


def _knowing(event: PaymentEvent) -> dict[int, str]:
    """The shops that know the payment, or what it is for, with the name they know it by."""
    ours = _ours(event)
    mine = select(Settlement.shop_id, Settlement.payment).where(Settlement.id == ours)
    if ours.startswith(CHECKOUT):
        mine = select(Checkout.shop_id, Checkout.payment).where(Checkout.id == ours)
    elif ours.startswith(INSTANT):
        mine = select(Instant.shop_id, Instant.id).where(Instant.id == ours)
    found = {row[0]: row[1] for row in session.execute(mine)} if ours else {}
    if event.kind in CHECKOUTS | PAYMENTS:
        return found
    charge = event.about if event.object.get("object") == "charge" else event.object.get("charge")
    names = [name for name in (charge, event.payment) if isinstance(name, str) and name]
    asked = select(Settlement.shop_id, Settlement.payment).where(Settlement.payment.in_(names))
    paid = select(LedgerEntry.shop_id, LedgerEntry.reference).where(
        LedgerEntry.reference.in_(names)
    )
    for rows in (asked, paid):
        found |= {row[0]: row[1] for row in session.execute(rows.distinct())}
    return {shop_id: payment for shop_id, payment in found.items() if payment}


# --- what came of it ----------------------------------------------------------------------------


def _again_or_end(lease: Lease, push: Push, error: Exception) -> None:
    if isinstance(error, PaymentError) and error.kind is Kind.NOT_FOUND:
        _end(lease, "unmatched", str(error))
        return
    asked_s = error.retry_after if isinstance(error, PaymentError) else None
    now = clock.now()
    with every_shop(), writing():
        if holds(lease):
            finish(lease, again_at=now + wait(push.received_at, now, asked_s))


def _end(lease: Lease, state: str, error: str = "") -> None:
    with every_shop(), writing():
        if holds(lease):
            session.execute(
                update(HookEvent)
                .where(HookEvent.id == int(lease.subject))
                .values(state=state, applied_at=clock.now(), error=error)
                .execution_options(synchronize_session=False)
            )
            finish(lease)
