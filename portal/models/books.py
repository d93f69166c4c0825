"""The books of protection: what its premiums and claims came to, by month, lane and kind.

Every figure is a sum over ledger entries, or a count of rows: nothing is kept beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    or_,
    select,
)

from carriers.contract import Status
from portal.db import session
from portal.models.claim import Claim
from portal.models.ledger import LedgerEntry
from portal.models.order import Order
from portal.models.protection import Protection
from portal.models.shipment import Shipment
from portal.protection.books import Books, Cell, Sum
from portal.protection.months import Months

PREMIUMS: Final = ("premium", "earned")
PAID: Final = ("refunded", "credited", "payout")  # of a claim
BOOKED: Final = (*PREMIUMS, *PAID, "recovered")
destination: Final = func.coalesce(Order.address["country"].as_string(), "")
COUNTED: Final = and_(Claim.covered, Claim.status != "cancelled")


def read_books(months: Months, currency: str, home: str) -> Books:
    """The books of these months in one currency. `home` is the shop's country."""
    cells: defaultdict[Cell, Sum] = defaultdict(Sum)
    for cell, sum_ in _rows(months, currency, home):
        cells[cell] += sum_
    return Books(
        months=months,
        currency=currency,
        cells=dict(cells),
        opening_minor=reserve_at(months.bounds[0], currency),
        climate_minor=_climate(months, currency),
    )


def currencies(home: str) -> list[str]:
    """What money the books are kept in: the shop's own first."""
    kinds = LedgerEntry.kind.in_(("premium", "recovered"))
    found = set(session.scalars(select(LedgerEntry.currency).where(kinds).distinct()))
    found |= set(session.scalars(select(Claim.currency).distinct()))
    return [home, *sorted(found - {home})]


def first_moment() -> datetime | None:
    """When the first premium was booked; None where there is none."""
    return session.scalar(select(func.min(LedgerEntry.at)).where(LedgerEntry.kind == "premium"))


def reserve_at(moment: datetime, currency: str) -> int:
    """What was paid for cover, not given back and not earned before a moment, in minor units."""
    signed = case((LedgerEntry.kind == "earned", -LedgerEntry.amount_minor), else_=_AMOUNT)
    mine = (LedgerEntry.kind.in_(PREMIUMS), LedgerEntry.currency == currency)
    wanted = select(func.sum(signed)).where(*mine, LedgerEntry.at < moment)
    return int(session.scalar(wanted) or 0)


def booked(months: Months, currency: str) -> tuple[ColumnElement[bool], ...]:
    """Which entries are in the books: premiums, and whatever moved for a claim.

    To be asked together with the claim of the entry, if it has one.
    """
    return (
        LedgerEntry.kind.in_(BOOKED),
        LedgerEntry.currency == currency,
        LedgerEntry.at >= months.bounds[0],
        LedgerEntry.at < months.bounds[-1],
        or_(LedgerEntry.kind.in_(PREMIUMS), Claim.id.is_not(None)),
    )


def month_of(moment: SQLColumnExpression[Any], months: Months) -> ColumnElement[str]:
    """The month that a moment within these months falls into."""
    ends = zip(months.bounds[1:], months.names, strict=True)
    return case(*((moment < end, name) for end, name in ends), else_="")


# --- rows, added up by the database --------------------------------------------------------------

_AMOUNT: Final = LedgerEntry.amount_minor


def _rows(months: Months, currency: str, home: str) -> Iterator[tuple[Cell, Sum]]:
    for read, of in ((_moved, _money), (_claims, _made), (_parcels, _sent)):
        for row in session.execute(read(months, currency)):
            kind, covered = getattr(row, "kind", ""), getattr(row, "covered", True)
            yield Cell(row.month, f"{home}>{row.to or '?'}", kind, bool(covered)), of(row)


def _grouped(
    rows: Select[*tuple[Any, ...]], *sums: Callable[[Any], ColumnElement[Any]]
) -> Select[*tuple[Any, ...]]:
    """Rows added up by every column but `n`: so that each value is worked out in one place."""
    inner = rows.subquery()
    by = [column for column in inner.c if column.key not in ("n", "claimed")]
    return select(*by, *(made(inner.c) for made in sums)).group_by(*by)


def _moved(months: Months, currency: str) -> Select[*tuple[Any, ...]]:
    rows = (
        select(
            month_of(LedgerEntry.at, months).label("month"),
            destination.label("to"),
            func.coalesce(Claim.kind, "").label("kind"),
            func.coalesce(Claim.covered, True).label("covered"),
            LedgerEntry.kind.label("moved"),
            LedgerEntry.amount_minor.label("n"),
        )
        .join(Order, Order.id == LedgerEntry.order_id)
        .outerjoin(Claim, Claim.id == LedgerEntry.subject)
        .where(*booked(months, currency))
    )
    return _grouped(
        rows,
        lambda c: func.sum(case((c.n > 0, c.n), else_=0)).label("plus"),
        lambda c: func.sum(case((c.n < 0, c.n), else_=0)).label("minus"),
    )


def _money(row: Any) -> Sum:
    plus, minus = int(row.plus), int(row.minus)
    if row.moved == "premium":
        return Sum(sold_minor=plus, back_minor=minus)
    name = {"earned": "earned", "recovered": "recovered"}.get(row.moved, "paid")
    return Sum(**{f"{name}_minor": plus + minus})


def _claims(months: Months, currency: str) -> Select[*tuple[Any, ...]]:
    rows = (
        select(
            month_of(Claim.asked_at, months).label("month"),
            destination.label("to"),
            Claim.kind.label("kind"),
            Claim.covered.label("covered"),
            Claim.id.label("n"),
        )
        .join(Order, Order.id == Claim.order_id)
        .where(*made_within(months, currency))
    )
    return _grouped(rows, lambda c: func.count(c.n).label("claims"))


def _made(row: Any) -> Sum:
    return Sum(claims=int(row.claims))


def made_within(months: Months, currency: str) -> tuple[ColumnElement[bool], ...]:
    """Which claims were made in these months; those that were called off do not count."""
    first, last = months.bounds[0], months.bounds[-1]
    is_made = (Claim.status != "cancelled", Claim.currency == currency)
    return (*is_made, Claim.asked_at >= first, Claim.asked_at < last)


def _parcels(months: Months, currency: str) -> Select[*tuple[Any, ...]]:
    rows = (
        select(
            month_of(Protection.earned_at, months).label("month"),
            destination.label("to"),
            Shipment.id.label("n"),
            case((has_claim(), 1), else_=0).label("claimed"),
        )
        .select_from(Protection)
        .join(Order, Order.id == Protection.order_id)
        .join(Shipment, Shipment.order_id == Order.id)
        .where(*ended_within(months, currency))
    )
    return _grouped(
        rows,
        lambda c: func.count(c.n).label("parcels"),
        lambda c: func.sum(c.claimed).label("with_claim"),
    )


def _sent(row: Any) -> Sum:
    return Sum(parcels=int(row.parcels), claimed=int(row.with_claim))


def ended_within(months: Months, currency: str) -> tuple[ColumnElement[bool], ...]:
    """Which covered parcels count for these months: those whose premium was earned in them."""
    return (
        Protection.currency == currency,
        Protection.earned_at >= months.bounds[0],
        Protection.earned_at < months.bounds[-1],
        Shipment.rma_id.is_(None),
        Shipment.status != Status.CANCELLED.value,
    )


def has_claim() -> ColumnElement[bool]:
    """Whether something is claimed of a parcel under its cover."""
    return exists().where(Claim.shipment_id == Shipment.id, COUNTED)


def _climate(months: Months, currency: str) -> int:
    wanted = select(func.sum(Protection.climate_minor)).where(
        Protection.currency == currency,
        Protection.earned_at >= months.bounds[0],
        Protection.earned_at < months.bounds[-1],
    )
    return int(session.scalar(wanted) or 0)
