"""Our ledger beside the provider's: every difference by name. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select

from portal.db import session
from portal.models.exchange import Exchange
from portal.models.instant import PROVIDER, Instant
from portal.models.label import Label
from portal.models.ledger import LedgerEntry
from portal.models.order import Order
from portal.models.refund_elsewhere import SeenRefund
from portal.models.settlement import PENDING, Settlement

RECENT: Final = timedelta(days=120)  # how long a payment is looked at after it last moved
OUTSIDE: Final = ("refunded", "captured")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same here and there. `text` says both sides, for staff."""

    order: str
    payment: str
    text: str

    def __str__(self) -> str:
        return f"order {self.order}, payment {self.payment}: {self.text}"


@dataclass(frozen=True, slots=True)
class Side:
    """A payment as we have it: sums in minor units, and our refunds of it."""

    order: str
    payment: str
    currency: str
    captured_minor: int
    refunded_minor: int
    rows: tuple[tuple[str, str, int, str], ...]  # key, status, amount, the provider's id


def recent_payments(provider: str, now: datetime) -> list[str]:
    """The payments at a provider that moved lately, or of which something is on its way."""
    since = now - RECENT
    moved = (
        select(LedgerEntry.reference)
        .join(Order, Order.id == LedgerEntry.order_id)
        .where(
            LedgerEntry.kind.in_(OUTSIDE),
            LedgerEntry.at >= since,
            LedgerEntry.reference != "",
            Order.payment_provider == provider,
        )
    )
    wanted = select(Settlement.payment).where(
        Settlement.provider == provider,
        Settlement.kind == "refund",
        Settlement.payment != "",
        or_(Settlement.status.in_(PENDING), Settlement.created_at >= since),
    )
    cards = select(Instant.payment).where(Instant.payment != "", Instant.charge_at >= since)
    charged = session.scalars(cards).all() if provider == PROVIDER else []
    return sorted(
        {*session.scalars(moved.distinct()), *session.scalars(wanted.distinct()), *charged}
    )


def our_side(payment: str) -> Side:
    """A payment as ledger and settlements have it."""
    moved = (
        select(LedgerEntry.kind, func.sum(LedgerEntry.amount_minor).label("total"))
        .where(
            LedgerEntry.reference == payment,
            LedgerEntry.kind.in_(OUTSIDE),
            # What moved into an order of an exchange, or of a claim that is sent again, was
            # captured once, with the first one.
            LedgerEntry.order_id.not_in(
                select(Exchange.order_id)
                .where(Exchange.order_id.is_not(None))
                .union_all(select(Settlement.reference).where(Settlement.kind == "reship"))
            )
            | (LedgerEntry.kind == "refunded")
            | LedgerEntry.cause.like("stl_%:due")
            | LedgerEntry.cause.like("ins_%:charge"),
        )
        .group_by(LedgerEntry.kind)
    )
    sums = {row.kind: int(row.total) for row in session.execute(moved)}
    first = session.execute(
        select(Order.number, Order.currency)
        .join(LedgerEntry, LedgerEntry.order_id == Order.id)
        .where(LedgerEntry.reference == payment)
        .order_by(LedgerEntry.id)
        .limit(1)
    ).first()
    mine = select(Settlement).where(Settlement.payment == payment, Settlement.kind == "refund")
    rows = session.scalars(mine.order_by(Settlement.id)).all()
    return Side(
        order=first.number if first else "-",
        payment=payment,
        currency=first.currency if first else rows[0].currency if rows else "",
        captured_minor=sums.get("captured", 0),
        refunded_minor=sums.get("refunded", 0),
        rows=tuple((row.key, row.status, row.amount_minor, row.reference) for row in rows),
    )


def differences(
    ours: Side, captured_minor: int, theirs: Sequence[SeenRefund]
) -> Iterator[Difference]:
    """Everything that is not the same with us and with the provider, one by one."""

    def found(text: str) -> Difference:
        return Difference(ours.order, ours.payment, text)

    if ours.captured_minor != captured_minor:
        yield found(f"{ours.captured_minor} captured here, {captured_minor} at the provider.")
    by_key = {each.key: each for each in theirs if each.key}
    unmarked = {each.id: each for each in theirs if not each.key}
    for key, status, amount_minor, reference in ours.rows:
        there = by_key.get(key) or unmarked.get(reference)
        yield from map(found, _of_row(key, status, amount_minor, reference, there))
    known = {key for key, *_ in ours.rows}
    for each in theirs:
        if each.key.startswith("stl_") and each.key not in known and each.fate != "failed":
            yield found(f"Refund {each.id} of {each.amount_minor} is under a key we do not have.")
    sent_minor = sum(each.amount_minor for each in theirs if each.fate == "done")
    waiting_minor = sum(each.amount_minor for each in theirs if each.fate == "waiting")
    if not sent_minor <= ours.refunded_minor <= sent_minor + waiting_minor:
        yield found(f"{ours.refunded_minor} refunded here, {sent_minor} at the provider.")


def _of_row(
    key: str, status: str, amount_minor: int, reference: str, there: SeenRefund | None
) -> Iterator[str]:
    if there is None:
        if status == "done" and amount_minor and reference:
            yield f"Refund {key} of {amount_minor} is done here and not at the provider."
        return
    if there.amount_minor != amount_minor:
        yield f"Refund {key} is {amount_minor} here and {there.amount_minor} at the provider."
    if status == "done" and there.fate == "failed":
        yield f"Refund {key} of {amount_minor} is done here and failed at the provider."
    if status == "failed" and there.fate != "failed":
        yield f"Refund {key} of {amount_minor} failed here and went out at the provider."


def unclear() -> list[tuple[str, str]]:
    """What nobody knows the outcome of, as (queue, subject): it is to be looked up."""
    rows = select(Settlement.id).where(
        Settlement.kind == "refund", Settlement.status.in_(("performing", "unknown"))
    )
    labels = select(Label.id).where(Label.status.in_(("performing", "unknown", "void_wanted")))
    cards = select(Instant.id).where(Instant.status == "charging")
    return [
        *(("instant", id) for id in session.scalars(cards.order_by(Instant.id))),
        *(("settle", id) for id in session.scalars(rows.order_by(Settlement.id))),
        *(("label", id) for id in session.scalars(labels.order_by(Label.id))),
    ]
