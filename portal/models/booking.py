"""What a settlement that succeeded, or was taken back, writes into the ledger."""

from __future__ import annotations

from datetime import datetime

from portal.models.ledger import book
from portal.models.settlement import Settlement


def done(
    row: Settlement, kind: str, reference: str, now: datetime, bonus: int | None = None
) -> None:
    """A row succeeded: its entries in the ledger, once, and its state."""
    if row.status == "wanted":
        row.move("perform")
    row.move("succeed")
    row.reference, row.done_at, row.problem = reference or row.reference, now, ""
    _book(row, kind, now, row.amount_minor, bonus)


def taken_back(row: Settlement, kind: str, problem: str, now: datetime) -> None:
    """The provider took back what it had done: the same entries with the opposite sign."""
    row.move("fall_through")
    row.problem, row.done_at = problem, None
    _book(row, kind, now, -row.amount_minor, None)


def _book(row: Settlement, kind: str, now: datetime, amount: int, bonus: int | None) -> None:
    sign = -1 if row.status == "failed" else 1
    told = {name: row.amounts.get(f"{name}_minor", 0) for name in ("fee", "label", "bonus")}
    if bonus is not None:
        told["bonus"] = bonus
    moved = [(kind, amount), *((name, sign * part) for name, part in told.items())]
    word = "back" if sign < 0 else "done"
    for name, part in moved:
        book(
            row.order_id,
            name,
            part,
            row.currency,
            f"{row.key}:{word}:{name}",
            now,
            reference=row.payment or row.reference,
            subject=row.subject,
        )
