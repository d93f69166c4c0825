"""The ledger of an order: every movement of money or value, once, for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_new, new_id, session
from portal.models.change import Conflict
from portal.models.settlement import OUTWARD, PENDING, Settlement
from portal.payments.stripe_amounts import finest
from portal.tenancy import OfShop

# captured and top_up: paid by the customer. refunded: paid back. credited, exchanged: the
# customer's own money that became store credit or another order. payout: for a protection claim.
# fee, label: kept by the shop. bonus: given by it on top. premium: paid for cover. earned: that
# of a cover whose journey has ended. recovered: what a carrier or an insurer paid for a claim.
# disputed: taken back by the customer's bank. dispute_fee: what that cost the shop.
KINDS: Final = (
    *("captured", "refunded", "credited", "exchanged", "payout"),
    *("fee", "label", "bonus", "premium", "earned", "recovered"),
    *("disputed", "dispute_fee"),
)
# What leaves what can be refunded.
GIVEN: Final = ("refunded", "credited", "exchanged", "payout", "disputed")


class LedgerEntry(OfShop, Base):
    """One movement, in the same transaction as what caused it. Never changed, never removed.

    What is taken back stands as an entry with the opposite sign. `cause` makes it happen once.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("shop_id", "cause"),
        Index(None, "shop_id", "order_id", "id"),
        Index(None, "shop_id", "reference"),
        Index(None, "shop_id", "kind", "at"),
        # No cascade: an order with money in the ledger cannot be deleted.
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    order_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))  # one of KINDS
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reference: Mapped[str] = mapped_column(String(120), default="")  # the payment, or what was made
    subject: Mapped[str] = mapped_column(String(40), default="")  # ret_…, clm_…, or ""
    cause: Mapped[str] = mapped_column(String(120))


@dataclass(frozen=True, slots=True)
class Sums:
    """What an order's ledger comes to, in minor units. captured = refunded + pending + retained.

    `pending` is what is on its way out: wanted, under way, or of unknown outcome.
    """

    captured_minor: int = 0
    refunded_minor: int = 0
    pending_minor: int = 0
    credited_minor: int = 0
    exchanged_minor: int = 0
    payout_minor: int = 0
    fee_minor: int = 0
    label_minor: int = 0
    bonus_minor: int = 0
    premium_minor: int = 0
    earned_minor: int = 0
    recovered_minor: int = 0
    disputed_minor: int = 0
    dispute_fee_minor: int = 0

    @property
    def retained_minor(self) -> int:
        """What the shop holds of the order's money; also what became credit or another order, and
        what the customer's bank took back."""
        return self.captured_minor - self.refunded_minor - self.pending_minor

    @property
    def refundable_minor(self) -> int:
        """What may still be given back, in whatever form: each amount leaves once."""
        given = self.credited_minor + self.exchanged_minor + self.payout_minor
        return max(0, self.retained_minor - given - self.disputed_minor)


def book(
    order_id: str,
    kind: str,
    amount_minor: int,
    currency: str,
    cause: str,
    now: datetime,
    *,
    reference: str = "",
    subject: str = "",
) -> bool:
    """Write an entry; False where its cause stands there already. An amount of 0 is no entry."""
    if not amount_minor:
        return False
    row = {
        "at": now,
        "order_id": order_id,
        "kind": kind,
        "amount_minor": amount_minor,
        "currency": currency,
        "reference": reference,
        "subject": subject,
        "cause": cause,
    }
    return bool(insert_new(LedgerEntry, [row], ["shop_id", "cause"]))


def book_captured(
    order_id: str, currency: str, was: tuple[str, int], became: tuple[str, int], now: datetime
) -> None:
    """What was paid is another amount, or another payment, than before: (reference, amount).

    Raises Conflict where more was given away already than would have been paid.
    """
    if was == became:
        return
    if became[1] < was[1]:
        sums = sums_of([order_id])[order_id]
        gone = sums.captured_minor - sums.refundable_minor
        if became[1] < gone:
            raise Conflict(
                f"{gone} of what was captured has been given back or is on its way, so it cannot "
                f"become {became[1]}. Nothing was changed."
            )
    moved = [became] if was[0] == became[0] else [(was[0], -was[1]), became]
    for reference, amount in moved:
        part = amount - was[1] if was[0] == became[0] else amount
        book(order_id, "captured", part, currency, new_id("cap", now), now, reference=reference)


def sums_of(order_ids: Iterable[str]) -> dict[str, Sums]:
    """The sums of each of these orders: two statements for any number."""
    ids = list(order_ids)
    found: dict[str, Counter[str]] = {id: Counter() for id in ids}
    booked = select(LedgerEntry.order_id, LedgerEntry.kind, func.sum(LedgerEntry.amount_minor))
    booked = booked.where(LedgerEntry.order_id.in_(ids))
    for order_id, kind, total in session.execute(
        booked.group_by(LedgerEntry.order_id, LedgerEntry.kind)
    ):
        found[order_id][f"{kind}_minor"] += int(total)
    pending = select(Settlement.order_id, func.sum(Settlement.amount_minor)).where(
        Settlement.order_id.in_(ids), Settlement.status.in_(PENDING), Settlement.kind.in_(OUTWARD)
    )
    for order_id, total in session.execute(pending.group_by(Settlement.order_id)):
        found[order_id]["pending_minor"] += int(total)
    return {id: Sums(**sums) for id, sums in found.items()}


@dataclass(frozen=True, slots=True)
class PaymentLeft:
    """A payment of an order, and what may still be given back to it."""

    provider: str
    reference: str
    left_minor: int

    def finest(self, currency: str) -> int:
        """The smallest amount that its provider gives back of it, in minor units.

        One that holds a finer part already came from somewhere that counts more finely.
        """
        step = finest(currency) if self.provider == "stripe" else 1
        return 1 if self.left_minor % step else step


def payments_left(order_id: str, provider: str) -> list[PaymentLeft]:
    """What is left of each payment of an order, in the order they were made.

    `provider` is the order's: the ledger knows payments by their reference.
    """
    moved = (
        select(
            LedgerEntry.reference,
            func.sum(LedgerEntry.amount_minor).label("left"),
            func.min(LedgerEntry.id).label("first"),
        )
        .where(LedgerEntry.order_id == order_id, LedgerEntry.kind == "captured")
        .group_by(LedgerEntry.reference)
    )
    out = (
        select(Settlement.payment, func.sum(Settlement.amount_minor))
        .where(
            Settlement.order_id == order_id,
            Settlement.kind == "refund",
            Settlement.status.in_((*PENDING, "done")),
        )
        .group_by(Settlement.payment)
    )
    elsewhere = (
        select(LedgerEntry.reference, func.sum(LedgerEntry.amount_minor))
        .where(
            LedgerEntry.order_id == order_id,
            or_(
                # Ours are counted as settlements.
                and_(LedgerEntry.kind == "refunded", LedgerEntry.subject == ""),
                LedgerEntry.kind == "disputed",
            ),
        )
        .group_by(LedgerEntry.reference)
    )
    gone: Counter[str] = Counter()
    for asked in (out, elsewhere):
        gone.update({reference: int(total) for reference, total in session.execute(asked)})
    rows = sorted(session.execute(moved).all(), key=lambda row: row.first)
    return [
        PaymentLeft(provider, row.reference, int(row.left) - gone[row.reference]) for row in rows
    ]


def entries_of(order_id: str) -> list[LedgerEntry]:
    """An order's entries, oldest first."""
    wanted = select(LedgerEntry).where(LedgerEntry.order_id == order_id)
    return list(session.scalars(wanted.order_by(LedgerEntry.id)))
