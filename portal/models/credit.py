"""Store credit: lots that were given, each with its end, and what was used of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_new, session
from portal.models.change import Conflict
from portal.models.customer import Customer
from portal.tenancy import OfShop


class CreditEntry(OfShop, Base):
    """Credit given (a lot: no `lot_id`) or used (negative, of a lot). Never changed."""

    __tablename__ = "credit_entry"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "cause"),
        Index(None, "shop_id", "customer_id", "id"),
        ForeignKeyConstraint(["shop_id", "customer_id"], ["customer.shop_id", "customer.id"]),
        ForeignKeyConstraint(["shop_id", "lot_id"], ["credit_entry.shop_id", "credit_entry.id"]),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    customer_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))  # credited, bonus, spent, revoked
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    lot_id: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[datetime | None]  # of a lot; None: never
    subject: Mapped[str] = mapped_column(String(40), default="")  # ret_…, ord_…
    cause: Mapped[str] = mapped_column(String(120))


@dataclass(frozen=True, slots=True)
class Lot:
    """Credit given at once, and what is left of it."""

    entry: CreditEntry
    left_minor: int

    def is_open(self, now: datetime) -> bool:
        """Whether it can be used."""
        ends = self.entry.expires_at
        return self.left_minor > 0 and (ends is None or now < ends)


def give_credit(
    customer_id: str,
    amount_minor: int,
    currency: str,
    cause: str,
    now: datetime,
    *,
    kind: str = "credited",
    expires_at: datetime | None = None,
    subject: str = "",
) -> bool:
    """Give a lot of credit; False where its cause was given for already, or it is nothing."""
    if amount_minor <= 0:
        return False
    row = {
        "at": now,
        "customer_id": customer_id,
        "kind": kind,
        "amount_minor": amount_minor,
        "currency": currency,
        "expires_at": expires_at,
        "subject": subject,
        "cause": cause,
    }
    return bool(insert_new(CreditEntry, [row], ["shop_id", "cause"]))


def use_credit(
    customer_id: str,
    amount_minor: int,
    currency: str,
    cause: str,
    now: datetime,
    *,
    kind: str = "spent",
    subject: str = "",
) -> None:
    """Use credit, of the lots that end first. Raises Conflict when there is not enough of it.

    The customer's row is locked, so that of two at once the second sees what the first one left.
    The same cause again changes nothing.
    """
    session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    entries = entries_of(customer_id)
    if any(entry.cause.startswith(f"{cause}:") for entry in entries):
        return
    lots = [lot for lot in _lots(entries) if lot.entry.currency == currency and lot.is_open(now)]
    left = amount_minor
    for lot in sorted(lots, key=_ends_first):
        part = min(left, lot.left_minor)
        if part:
            _take(lot, part, f"{cause}:{lot.entry.id}", now, kind, subject)
        left -= part
    if left:
        raise Conflict(
            f"The credit is {amount_minor - left} {currency} in minor units, less than "
            f"{amount_minor}. Nothing was taken."
        )


def balances(customer_id: str, now: datetime) -> dict[str, int]:
    """A customer's usable credit by currency."""
    found: Counter[str] = Counter()
    for lot in _lots(entries_of(customer_id)):
        found[lot.entry.currency] += lot.left_minor if lot.is_open(now) else 0
    return dict(found)


def entries_of(customer_id: str) -> list[CreditEntry]:
    """A customer's entries, oldest first."""
    wanted = select(CreditEntry).where(CreditEntry.customer_id == customer_id)
    return list(session.scalars(wanted.order_by(CreditEntry.id)))


def _lots(entries: list[CreditEntry]) -> list[Lot]:
    used: Counter[int] = Counter()
    for entry in entries:
        if entry.lot_id is not None:
            used[entry.lot_id] += entry.amount_minor
    return [
        Lot(entry, entry.amount_minor + used[entry.id]) for entry in entries if entry.lot_id is None
    ]


def _ends_first(lot: Lot) -> tuple[bool, str, int]:
    ends = lot.entry.expires_at
    return ends is None, ends.isoformat() if ends else "", lot.entry.id


def _take(lot: Lot, part: int, cause: str, now: datetime, kind: str, subject: str) -> None:
    row = {
        "at": now,
        "customer_id": lot.entry.customer_id,
        "kind": kind,
        "amount_minor": -part,
        "currency": lot.entry.currency,
        "lot_id": lot.entry.id,
        "subject": subject,
        "cause": cause,
    }
    insert_new(CreditEntry, [row], ["shop_id", "cause"])
