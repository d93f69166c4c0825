"""The rows behind each figure of the books, so that whoever doubts one can add them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select

from portal.db import session
from portal.models.books import (
    COUNTED,
    PAID,
    booked,
    destination,
    ended_within,
    has_claim,
    made_within,
)
from portal.models.claim import Claim
from portal.models.ledger import LedgerEntry
from portal.models.order import Order
from portal.models.protection import Protection
from portal.models.shipment import Shipment
from portal.protection.months import Months

NONE: Final = literal("")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows: of which figure, in which months, of which lane and kind ("" for all)."""

    what: str
    months: Months
    currency: str
    lane: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `says` is a code: a ledger kind, a status, or why something was refused."""

    at: datetime
    order: str
    order_id: str
    to: str
    claim_id: str
    claim: str
    kind: str
    says: str
    note: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of rows, how many there are in all, and what they come to."""

    rows: list[Row]
    count: int
    total_minor: int


def listed(asked: Asked, most: int, page: int = 1) -> Listed:
    """The rows of a figure, the newest first. `asked.what` is one of FIGURES."""
    wanted = FIGURES[asked.what](asked)
    if asked.lane:
        wanted = wanted.where(destination == asked.lane.partition(">")[2].removesuffix("?"))
    inner = wanted.subquery()
    counted = select(func.count(inner.c.order_id), func.sum(inner.c.amount_minor))
    count, total = session.execute(counted).one()
    ordered = wanted.order_by(*_newest(wanted)).limit(most).offset((page - 1) * most)
    rows = [Row(*row) for row in session.execute(ordered)]
    return Listed(rows, int(count), int(total or 0))


def refusals(months: Months, currency: str) -> dict[str, int]:
    """How many quotes were refused in these months, by reason, the most frequent first."""
    counted = func.count(Protection.id)
    wanted = select(Protection.reason, counted).where(*_refused_within(months, currency))
    rows = session.execute(wanted.group_by(Protection.reason).order_by(counted.desc()))
    return {reason: int(count) for reason, count in rows}


def _newest(wanted: Select[*tuple[Any, ...]]) -> tuple[ColumnElement[Any], ...]:
    at, _, order_id, *_ = wanted.selected_columns
    return at.desc(), order_id.desc()


# --- one statement for each figure: the columns of Row, in its order ------------------------------


def _entries(asked: Asked, *which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    wanted = (
        select(
            LedgerEntry.at.label("at"),
            Order.number.label("order"),
            Order.id.label("order_id"),
            destination.label("to"),
            func.coalesce(Claim.id, "").label("claim_id"),
            func.coalesce(Claim.number, "").label("claim"),
            func.coalesce(Claim.kind, "").label("kind"),
            LedgerEntry.kind.label("says"),
            LedgerEntry.reference.label("note"),
            LedgerEntry.amount_minor.label("amount_minor"),
        )
        .join(Order, Order.id == LedgerEntry.order_id)
        .outerjoin(Claim, Claim.id == LedgerEntry.subject)
        .where(*booked(asked.months, asked.currency), *which)
    )
    return wanted.where(Claim.kind == asked.kind) if asked.kind else wanted


def _of_claims(*kinds: str) -> Callable[[Asked], Select[*tuple[Any, ...]]]:
    return lambda asked: _entries(asked, LedgerEntry.kind.in_(kinds), Claim.covered.is_(True))


def _uncovered(*kinds: str) -> Callable[[Asked], Select[*tuple[Any, ...]]]:
    return lambda asked: _entries(asked, LedgerEntry.kind.in_(kinds), Claim.covered.is_(False))


def _of_covers(kind: str, *which: ColumnElement[bool]) -> Callable[..., Select[*tuple[Any, ...]]]:
    return lambda asked: _entries(asked, LedgerEntry.kind == kind, *which)


def _claims(asked: Asked) -> Select[*tuple[Any, ...]]:
    wanted = (
        select(
            Claim.asked_at.label("at"),
            Order.number.label("order"),
            Order.id.label("order_id"),
            destination.label("to"),
            Claim.id.label("claim_id"),
            Claim.number.label("claim"),
            Claim.kind.label("kind"),
            Claim.status.label("says"),
            NONE.label("note"),
            Claim.payout_minor.label("amount_minor"),
        )
        .join(Order, Order.id == Claim.order_id)
        .where(*made_within(asked.months, asked.currency), Claim.covered)
    )
    return wanted.where(Claim.kind == asked.kind) if asked.kind else wanted


def _parcels(asked: Asked) -> Select[*tuple[Any, ...]]:
    """Covered parcels whose journey ended, each with the first claim about it."""
    return (
        select(
            Protection.earned_at.label("at"),
            Order.number.label("order"),
            Order.id.label("order_id"),
            destination.label("to"),
            _first_claim(Claim.id).label("claim_id"),
            _first_claim(Claim.number).label("claim"),
            _first_claim(Claim.kind).label("kind"),
            Shipment.status.label("says"),
            (Shipment.carrier + " " + Shipment.tracking_number).label("note"),
            literal(0).label("amount_minor"),
        )
        .select_from(Protection)
        .join(Order, Order.id == Protection.order_id)
        .join(Shipment, Shipment.order_id == Order.id)
        .where(*ended_within(asked.months, asked.currency))
    )


def _claimed(asked: Asked) -> Select[*tuple[Any, ...]]:
    return _parcels(asked).where(has_claim())


def _first_claim(column: Any) -> ColumnElement[str]:
    first = select(column).where(Claim.shipment_id == Shipment.id, COUNTED)
    first = first.order_by(Claim.asked_at, Claim.id).limit(1)
    return func.coalesce(first.correlate(Shipment).scalar_subquery(), "")


def _covers(says: Any, *which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            func.coalesce(Protection.started_at, Protection.created_at).label("at"),
            Order.number.label("order"),
            Order.id.label("order_id"),
            destination.label("to"),
            NONE.label("claim_id"),
            NONE.label("claim"),
            NONE.label("kind"),
            says.label("says"),
            Protection.channel.label("note"),
            Protection.premium_minor.label("amount_minor"),
        )
        .join(Order, Order.id == Protection.order_id)
        .where(*which)
    )


def _reserve(asked: Asked) -> Select[*tuple[Any, ...]]:
    """The covers whose premium was paid, not given back and not earned when the months ended."""
    end = asked.months.bounds[-1]
    return _covers(
        Protection.status,
        Protection.currency == asked.currency,
        Protection.started_at < end,
        or_(Protection.cancelled_at.is_(None), Protection.cancelled_at >= end),
        or_(Protection.earned_at.is_(None), Protection.earned_at >= end),
    )


def _refused(asked: Asked) -> Select[*tuple[Any, ...]]:
    return _covers(Protection.reason, *_refused_within(asked.months, asked.currency))


def _refused_within(months: Months, currency: str) -> tuple[ColumnElement[bool], ...]:
    made = and_(
        Protection.created_at >= months.bounds[0], Protection.created_at < months.bounds[-1]
    )
    return (Protection.status == "refused", Protection.currency == currency, made)


FIGURES: Final[dict[str, Callable[[Asked], Select[*tuple[Any, ...]]]]] = {
    "premium": _of_covers("premium"),
    "sold": _of_covers("premium", LedgerEntry.amount_minor > 0),
    "back": _of_covers("premium", LedgerEntry.amount_minor < 0),
    "earned": _of_covers("earned"),
    "reserve": _reserve,
    "paid": _of_claims(*PAID),
    "recovered": _of_claims("recovered"),
    "paid_uncovered": _uncovered(*PAID),
    "recovered_uncovered": _uncovered("recovered"),
    "claims": _claims,
    "parcels": _parcels,
    "claimed": _claimed,
    "refused": _refused,
}
