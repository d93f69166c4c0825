"""What waits for a person: the lists of the queue, and of which rows each is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flask import g
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from portal.models import (
    CarrierClaim,
    Claim,
    DeskMark,
    Dispute,
    Instant,
    Label,
    Return,
    Settlement,
    Shipment,
    Withdrawal,
)
from portal.models.dispute import ANSWERABLE
from portal.staff.promise import UNANSWERED, UNCHECKED, UNDECIDED, UNPAID
from portal.staff.withdrawals import OPEN as OPEN_WITHDRAWALS

TROUBLED: Final = ("failed", "unknown")
# Hours within which a person has dealt with an item, unless the shop says otherwise.
HOURS: Final = {
    "decide": 24,
    "receive": 48,
    "money": 24,
    "claims": 48,
    "withdrawals": 24,
    "parcels": 24,
    "disputes": 48,
}
MOST_HOURS: Final = 24 * 60
SETTING: Final = "queue_hours"  # of a shop: the same names, whole hours


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table that wait for the same step, since a moment of their own."""

    of: type[Any]
    where: ColumnElement[bool]
    since: Any
    step: str  # a name in HOURS, "" where nobody is waited for


@dataclass(frozen=True, slots=True)
class View:
    """A list of the queue. `counts` is whether the number of its rows is shown."""

    name: str
    title: str
    empty: str
    parts: tuple[Part, ...]
    counts: bool = True


def _stuck() -> Select[str]:
    """The returns and claims whose money did not go through."""
    stuck = (Settlement.status.in_(TROUBLED), Settlement.replaced.is_(False))
    return select(Settlement.subject).where(*stuck)


BUSY: Final = ("requested", "arrived", "checked")  # returns that wait in another part already
# One list of ids, so that the few are gone through and not every return.
STUCK: Final = Return.id.in_(
    union_all(
        _stuck(),
        select(Label.rma_id).where(Label.status.in_(TROUBLED)),
        select(Instant.rma_id).where(Instant.status == "declined"),
    )
)
# A constant, not a parameter: so the index of troubled parcels alone can answer.
IN_TROUBLE: Final = Shipment.concern != literal_column("''")
SEEN_TO: Final = exists().where(
    DeskMark.subject == Shipment.id, DeskMark.done_at >= Shipment.concern_since
)
# These may go on by themselves: they are looked after, but nobody is waited for.
PASSING: Final = ("exception", "silent", "late")

DECIDE: Final = Part(Return, Return.status == "requested", Return.requested_at, "decide")
ARRIVED: Final = Part(Return, Return.status == "arrived", Return.arrived_at, "receive")
CHECKED: Final = Part(Return, Return.status == "checked", Return.checked_at, "receive")
MONEY: Final = Part(Return, STUCK, Return.requested_at, "money")
MONEY_ALONE: Final = Part(
    Return, and_(STUCK, Return.status.not_in(BUSY)), Return.requested_at, "money"
)
CLAIMS: Final = Part(Claim, Claim.status == "open", Claim.asked_at, "claims")
CLAIM_MONEY: Final = Part(
    Claim, and_(Claim.id.in_(_stuck()), Claim.status != "open"), Claim.asked_at, "money"
)
INSURER: Final = Part(
    Claim,
    and_(
        Claim.id.in_(
            select(CarrierClaim.claim_id).where(
                or_(CarrierClaim.status.in_(TROUBLED), CarrierClaim.asked != "")
            )
        ),
        Claim.id.not_in(_stuck()),
        Claim.status != "open",
    ),
    Claim.asked_at,
    "claims",
)
DISPUTES: Final = Part(
    Dispute,
    or_(Dispute.status.in_(ANSWERABLE), Dispute.evidence.in_(TROUBLED)),
    Dispute.opened_at,
    "disputes",
)
LATE: Final = tuple(
    Part(Return, where, Return.requested_at, "decide")
    for where in (UNDECIDED, UNCHECKED, UNPAID, UNANSWERED)
)
ASKED: Final = Part(Claim, Claim.status == "needs_info", Claim.asked_at, "")
WITHDRAWALS: Final = Part(Withdrawal, OPEN_WITHDRAWALS, Withdrawal.declared_at, "withdrawals")
PARCELS: Final = Part(
    Shipment,
    and_(IN_TROUBLE, Shipment.concern.not_in(PASSING), ~SEEN_TO),
    Shipment.concern_since,
    "parcels",
)
WATCHED: Final = Part(
    Shipment,
    and_(IN_TROUBLE, Shipment.concern.in_(PASSING), ~SEEN_TO),
    Shipment.concern_since,
    "",
)
ALL: Final = (
    *(DECIDE, ARRIVED, CHECKED, MONEY_ALONE, CLAIMS, CLAIM_MONEY, INSURER),
    *(DISPUTES, WITHDRAWALS, PARCELS),
)
# Whoever looks for something looks in everything, whatever its state.
EVERYTHING: Final = (
    Part(Return, true(), Return.requested_at, ""),
    Part(Claim, true(), Claim.asked_at, ""),
    Part(Withdrawal, true(), Withdrawal.declared_at, ""),
    Part(Shipment, IN_TROUBLE, Shipment.concern_since, ""),
    Part(Dispute, true(), Dispute.opened_at, ""),
)


def _returns(*statuses: str) -> tuple[Part, ...]:
    where = Return.status.in_(statuses)
    return (Part(Return, where, Return.requested_at, ""),)


VIEWS: Final = (
    View("decide", "Needs a decision", "Nothing waits for a decision.", (DECIDE,)),
    View("all", "All open", "Nothing waits for anybody.", ALL),
    View("receive", "To count and judge", "No parcel waits to be opened.", (ARRIVED, CHECKED)),
    View(
        "late",
        "Promise missed",
        "Every day that was promised is kept.",
        LATE,
    ),
    View("money", "Money stuck", "Every payout went through.", (MONEY, CLAIM_MONEY)),
    View("claims", "Claims", "No claim waits for a decision.", (CLAIMS, CLAIM_MONEY, INSURER)),
    View("disputes", "Disputes", "No bank waits for an answer.", (DISPUTES,)),
    View("asked", "Waiting for customer", "No answer is awaited from a customer.", (ASKED,)),
    View("withdrawals", "Withdrawals", "No withdrawal needs a person.", (WITHDRAWALS,)),
    View("parcels", "Parcels in trouble", "Every parcel goes as it should.", (PARCELS, WATCHED)),
    View("mine", "Mine", "Nothing is yours. Take something from the other lists.", ALL),
    View("snoozed", "Put off", "Nothing was put off until later.", ALL),
    View(
        "open",
        "On their way",
        "Nothing is on its way back.",
        _returns("approved", "shipped"),
        counts=False,
    ),
    View(
        "ended",
        "Ended",
        "No return has ended yet.",
        _returns("settled", "declined", "cancelled", "expired"),
        counts=False,
    ),
)
BY_NAME: Final = {view.name: view for view in VIEWS}


def limit_of(step: str) -> timedelta | None:
    """How long an item may wait at a step: the shop's own hours, else ours; None without one."""
    if step not in HOURS:
        return None
    told = g.shop.settings.get(SETTING)
    hours = told.get(step) if isinstance(told, dict) else None
    if isinstance(hours, int) and not isinstance(hours, bool) and 1 <= hours <= MOST_HOURS:
        return timedelta(hours=hours)
    return timedelta(hours=HOURS[step])
