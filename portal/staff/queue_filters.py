"""What is left of a list of the queue: read from its address, kept under a name, asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, case, false, func, or_, select

from portal.models import Claim, DeskMark, Dispute, Return, ReturnLine, Shipment, Withdrawal
from portal.models.lookup import plain
from portal.staff.queue_views import BY_NAME, Part, limit_of
from returns.money import exponent

KINDS: Final = {
    "return": "Returns",
    "exchange": "Exchanges",
    "claim": "Claims",
    "withdrawal": "Withdrawals",
    "parcel": "Parcels",
    "dispute": "Disputes",
}
KIND_OF: Final[dict[type[Any], str]] = {
    Return: "return",
    Claim: "claim",
    Withdrawal: "withdrawal",
    Shipment: "parcel",
    Dispute: "dispute",
}
SAYS: Final = {"approve": "Approve", "review": "Needs a person", "decline": "Decline"}
SORTS: Final = {
    "oldest": "Waiting longest",
    "newest": "Newest first",
    "due": "Due next",
    "worth": "Worth most",
}
DRIVEN: Final = ("mine", "snoozed")  # lists of what somebody has marked
EXCHANGES: Final = Return.id.in_(
    select(ReturnLine.rma_id).where(ReturnLine.resolution == "exchange")
)
CLAIM_WORTH: Final = case(
    (Claim.payout_minor > 0, Claim.payout_minor),
    else_=func.coalesce(Claim.decision["facts"]["paid_minor"].as_integer(), 0),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """One list as its address says it. `who` is "", me, none or a person's id."""

    view: str = "decide"
    q: str = ""
    kind: str = ""
    who: str = ""
    says: str = ""
    over: str = ""  # whole units of the shop's currency
    late: str = ""
    sort: str = "oldest"

    @staticmethod
    def read(told: Mapping[str, Any]) -> Filters:
        """Those of an address, or as they were kept; what is not known there is left out."""
        view, sort = str(told.get("view", "")), str(told.get("sort", ""))
        kind, says, who = (str(told.get(name, "")) for name in ("kind", "says", "who"))
        over = _whole(str(told.get("over", "")))
        is_person = who in ("me", "none") or _whole(who) == who
        return Filters(
            view=view if view in BY_NAME else "decide",
            q=plain(str(told.get("q", ""))),
            kind=kind if kind in KINDS else "",
            who=who if is_person else "",
            says=says if says in SAYS else "",
            over=over,
            late="1" if told.get("late") else "",
            sort=sort if sort in SORTS else "oldest",
        )

    @property
    def kept(self) -> dict[str, str]:
        """What differs from an ordinary list, to be kept or put into an address."""
        plain_ones = asdict(Filters())
        told = {name: value for name, value in asdict(self).items() if value != plain_ones[name]}
        return {"view": self.view, **told}

    @property
    def narrows(self) -> bool:
        """Whether anything but the view and the order was chosen."""
        return bool(self.q or self.kind or self.who or self.says or self.over or self.late)

    def url(self, **more: Any) -> str:
        """The list's address; `more` are values that differ, such as page or peek."""
        own = {name: more.pop(name) for name in list(more) if name in Filters.__slots__}
        told = {**replace(self, **own).kept, **{k: v for k, v in more.items() if v}}
        return "/staff/queue?" + urlencode(told)


def _whole(typed: str) -> str:
    """A whole number as digits; "" for anything else."""
    bare = typed.strip()
    return bare if bare.isascii() and bare.isdigit() and len(bare) <= 9 else ""


def asked(
    part: Part, filters: Filters, me: int, currency: str, now: datetime
) -> list[ColumnElement[bool]]:
    """What the rows of one part have to be, beside what the part itself says."""
    found = [_is_one_of(part, filters), *_at_rest(part, filters, now)]
    if filters.kind:
        found.append(_is_kind(part, filters.kind))
    if filters.who or filters.view == "mine":
        found.append(_is_of(part, "me" if filters.view == "mine" else filters.who, me))
    if filters.says:
        found.append(_says(part, filters.says))
    if filters.over:
        worth, least = worth_of(part), int(filters.over) * 10 ** exponent(currency)
        found.append(worth >= least if worth is not None else false())
    limit = limit_of(part.step)
    if filters.late:
        found.append(part.since < now - limit if limit else false())
    return found


def _is_one_of(part: Part, filters: Filters) -> ColumnElement[bool]:
    """What the part says; hidden from indexes where the few marks are to be gone through first."""
    if filters.view in DRIVEN or filters.who not in ("", "none"):
        return case((part.where, 1), else_=0) == 1
    return part.where


def _at_rest(part: Part, filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    """What was put off is on a list of its own until its moment, and is found by a search."""
    resting = select(DeskMark.subject).where(DeskMark.rests_until > now)
    if filters.view == "snoozed":
        return [part.of.id.in_(resting)]
    return [part.of.id.not_in(resting)] if part.step else []


def _is_kind(part: Part, kind: str) -> ColumnElement[bool]:
    of = KIND_OF[part.of]
    if of != "return":
        return part.of.id.is_not(None) if of == kind else false()
    if kind not in ("return", "exchange"):
        return false()
    return EXCHANGES if kind == "exchange" else ~EXCHANGES


def _is_of(part: Part, who: str, me: int) -> ColumnElement[bool]:
    taken: Select[Any] = select(DeskMark.subject)
    if who == "none":
        found: ColumnElement[bool] = part.of.id.not_in(
            taken.where(DeskMark.assignee_id.is_not(None))
        )
        return found
    mine: ColumnElement[bool] = part.of.id.in_(
        taken.where(DeskMark.assignee_id == (me if who == "me" else int(who)))
    )
    return mine


def _says(part: Part, outcome: str) -> ColumnElement[bool]:
    said = {Return: Return.outcome, Claim: Claim.decision["outcome"].as_string()}.get(part.of)
    return false() if said is None else said == outcome


def worth_of(part: Part) -> Any:
    """What is at stake, in minor units; None where the kind has no such figure."""
    return {
        Return: Return.worth_minor,
        Claim: CLAIM_WORTH,
        Dispute: Dispute.amount_minor,
    }.get(part.of)


def found_in(part: Part, orders: list[str], q: str) -> ColumnElement[bool]:
    """Whether a row belongs to one of these orders; a withdrawal may stand alone."""
    if part.of is not Withdrawal:
        found: ColumnElement[bool] = part.of.order_id.in_(orders)
        return found
    alone = (func.lower(column) == q.lower() for column in (Withdrawal.email, Withdrawal.number))
    return or_(Withdrawal.order_id.in_(orders), *alone)
