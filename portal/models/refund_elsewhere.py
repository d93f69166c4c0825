"""Refunds as the provider has them: ours end their settlement, others come into the ledger once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from portal.db import session
from portal.models import payout
from portal.models.audit import record
from portal.models.ledger import LedgerEntry, book
from portal.models.order import Order
from portal.models.settlement import Settlement

IN_DISPUTE = (
    "The customer's bank has taken this payment back in a dispute, so that a refund could pay "
    "twice. Answer the dispute first."
)


@dataclass(frozen=True, slots=True)
class SeenRefund:
    """A refund at the provider. `fate`: done, waiting, or failed; `key` "" for one not ours."""

    id: str
    key: str
    amount_minor: int
    currency: str
    fate: str
    why: str = ""


def order_of_payment(payment: str) -> str | None:
    """The order that a payment was first captured for; an exchange's order may share it."""
    first = select(LedgerEntry.order_id).where(
        LedgerEntry.reference == payment, LedgerEntry.kind == "captured"
    )
    return session.scalar(first.order_by(LedgerEntry.id).limit(1)) if payment else None


def settlement_of(seen: SeenRefund) -> Settlement | None:
    """The settlement of its idempotency key now; None for an earlier round's, too.

    One without a key may be one that staff have recognised by its id.
    """
    if not seen.key:
        named = select(Settlement).where(Settlement.reference == seen.id)
        return session.scalar(named.order_by(Settlement.id).limit(1))
    found = session.get(Settlement, seen.key.partition(":")[0])
    return found if found is not None and found.key == seen.key else None


def take_in(payment: str, seen: Iterable[SeenRefund], now: datetime) -> None:
    """Bring what the provider has of a payment into settlements and ledger, each refund once.

    In any order and however often: `seen` is all of it as it stands now.
    """
    home = order_of_payment(payment)
    rows = [(settlement_of(each), each) for each in seen]
    ours = Settlement.id.in_([row.id for row, _ in rows if row is not None])
    payout.lock_orders(ours, *([home] if home else []))
    for row, each in sorted(rows, key=lambda pair: pair[1].id):
        if row is not None:
            _end(row.id, each, now)
        elif home is not None and not _is_ours(each.key):
            _book(home, payment, each, now)


def disputed(payment: str, now: datetime) -> None:
    """The bank takes a payment back: what is wanted of it is not sent any more."""
    home = order_of_payment(payment)
    if home is None:
        return
    waiting = and_(
        Settlement.payment == payment, Settlement.kind == "refund", Settlement.status == "wanted"
    )
    payout.lock_orders(waiting, home)
    record(payout.JOB, "payment.disputed", f"order:{home}", after={"payment": payment})
    ids = select(Settlement.id).where(waiting).order_by(Settlement.id)
    for settlement_id in session.scalars(ids).all():
        payout.failed(settlement_id, IN_DISPUTE, now)


def _is_ours(key: str) -> bool:
    """Whether a key is one of ours: an earlier round's, or another house's on the same account."""
    return key.startswith("stl_")


def _end(settlement_id: str, seen: SeenRefund, now: datetime) -> None:
    if seen.fate == "done":
        payout.succeeded(settlement_id, seen.id, now)
    elif seen.fate == "failed":
        payout.failed(settlement_id, seen.why, now)
    else:
        payout.note(settlement_id, reference=seen.id)


def _book(order_id: str, payment: str, seen: SeenRefund, now: datetime) -> None:
    order = _lock(order_id)
    cause = f"provider:{seen.id}"
    if seen.fate != "failed":
        moved, act = seen.amount_minor, "refund.elsewhere"
    elif session.scalar(select(LedgerEntry.id).where(LedgerEntry.cause == cause)) is not None:
        moved, cause, act = -seen.amount_minor, f"{cause}:back", "refund.elsewhere_failed"
    else:
        return
    if book(order_id, "refunded", moved, seen.currency, cause, now, reference=payment):
        after = {"amount_minor": seen.amount_minor, "reference": seen.id}
        record(payout.JOB, act, f"order:{order_id}", after=after, why=seen.why)
        order.version += 1
        order.updated_at = now


def _lock(order_id: str) -> Order:
    locked = select(Order).where(Order.id == order_id).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()
