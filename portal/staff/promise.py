"""Which returns are behind what their pages and mails promised: staff see them, oldest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from flask import g
from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, not_, or_, select

from portal import clock
from portal.db import UtcDateTime
from portal.models import Return, Settlement
from portal.models.settlement import PENDING
from portal.pages.dates import zone
from portal.pages.promises import CHECKED_IN, decided_by

DAY: Final = timedelta(days=1)
SENT_WITHIN: Final = DAY  # a payout that nobody has answered for by then


def _at(moment: Callable[[datetime], datetime]) -> BindParameter[datetime]:
    """A moment that is worked out anew whenever the query runs."""
    return bindparam(None, callable_=lambda: moment(clock.now()), type_=UtcDateTime, unique=True)


def _today(now: datetime) -> date:
    return now.astimezone(zone(g.shop.timezone)).date()


def _begin(day: date) -> datetime:
    """When this day begins in the shop."""
    return datetime.combine(day, time(), zone(g.shop.timezone)).astimezone(UTC)


def _asked_before(now: datetime) -> datetime:
    """What was asked for before this should have been decided by yesterday."""
    today = first = _today(now)
    while decided_by(first - DAY) >= today:
        first -= DAY
    return _begin(first)


# A difference that the customer has to pay is no delay of ours.
_OWED: Final = select(Settlement.subject).where(
    Settlement.kind == "top_up", Settlement.status == "wanted", Settlement.replaced.is_(False)
)
_UNANSWERED: Final = select(Settlement.subject).where(
    Settlement.kind == "refund",
    Settlement.status.in_(PENDING),
    Settlement.replaced.is_(False),
    Settlement.created_at < _at(lambda now: now - SENT_WITHIN),
)
# Each can be answered by an index alone; together they are every return that is behind.
UNDECIDED: Final[ColumnElement[bool]] = and_(
    Return.status == "requested", Return.requested_at < _at(_asked_before)
)
UNCHECKED: Final[ColumnElement[bool]] = and_(
    Return.status == "arrived",
    Return.arrived_at < _at(lambda now: _begin(_today(now) - CHECKED_IN * DAY)),
)
UNPAID: Final[ColumnElement[bool]] = and_(
    Return.status == "checked",
    Return.checked_at < _at(lambda now: _begin(_today(now))),
    Return.id.not_in(_OWED),
)
UNANSWERED: Final[ColumnElement[bool]] = and_(
    Return.id.in_(_UNANSWERED), not_(or_(UNDECIDED, UNCHECKED, UNPAID))
)
