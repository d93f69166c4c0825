"""What waits for a person: one list for each kind of waiting, oldest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Response, g, make_response, render_template, request
from sqlalchemy import ColumnElement, Select, func, or_, select, true

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import (
    Claim,
    Instant,
    Label,
    Order,
    Return,
    ReturnLine,
    Settlement,
    Shipment,
    Withdrawal,
)
from portal.pages.policy_words import reason_words
from portal.staff.claim_list import claim_rows
from portal.staff.desk import bp
from portal.staff.listing import MOST, OVERDUE, age, is_like
from portal.staff.promise import MISSED
from portal.staff.rights import needs
from portal.staff.withdrawals import OPEN as OPEN_WITHDRAWALS
from portal.staff.withdrawals import withdrawal_rows

TROUBLED: Final = ("failed", "unknown")


@dataclass(frozen=True, slots=True)
class View:
    """A list of the queue: of which rows, which of them, and whether their number is shown."""

    name: str
    title: str
    empty: str
    where: ColumnElement[bool]
    of: type[Return | Claim | Shipment | Withdrawal] = Return
    counts: bool = True


def _stuck() -> Select[str]:
    """The returns and claims whose money did not go through."""
    stuck = (Settlement.status.in_(TROUBLED), Settlement.replaced.is_(False))
    return select(Settlement.subject).where(*stuck)


TROUBLED_MONEY: Final = Return.id.in_(_stuck())
TROUBLED_CARD: Final = Return.id.in_(select(Instant.rma_id).where(Instant.status == "declined"))
TROUBLED_LABEL: Final = Return.id.in_(select(Label.rma_id).where(Label.status.in_(TROUBLED)))
VIEWS: Final = (
    View(
        "decide", "Needs a decision", "Nothing waits for a decision.", Return.status == "requested"
    ),
    View(
        "receive",
        "To count and judge",
        "No parcel waits to be opened.",
        Return.status.in_(("arrived", "checked")),
    ),
    View("late", "Promise missed", "Every day that was promised is kept.", MISSED),
    View(
        "money",
        "Money stuck",
        "Every payout went through.",
        or_(TROUBLED_MONEY, TROUBLED_LABEL, TROUBLED_CARD),
    ),
    View(
        "claims",
        "Claims",
        "No claim waits for a decision.",
        or_(Claim.status == "open", Claim.id.in_(_stuck())),
        Claim,
    ),
    View(
        "withdrawals", "Withdrawals", "No withdrawal needs a person.", OPEN_WITHDRAWALS, Withdrawal
    ),
    View(
        "parcels",
        "Parcels in trouble",
        "Every parcel is being followed.",
        Shipment.problem != "",
        Shipment,
    ),
    View(
        "open",
        "On their way",
        "Nothing is on its way back.",
        Return.status.in_(("approved", "shipped")),
        counts=False,
    ),
    View(
        "ended",
        "Ended",
        "No return has ended yet.",
        Return.status.in_(("settled", "declined", "cancelled", "expired")),
        counts=False,
    ),
)
BY_NAME: Final = {view.name: view for view in VIEWS}
OUTCOMES: Final = {
    "approve": ("Approve", "ok"),
    "review": ("Needs a person", "warn"),
    "decline": ("Decline", "bad"),
}


@bp.get("/queue")
@needs("read")
def queue() -> Response:
    """One view of what waits, 50 at a time."""
    view = BY_NAME.get(request.args.get("view", ""), VIEWS[0])
    found = request.args.get("q", "").strip()[:120]
    page = max(1, request.args.get("page", 1, type=int))
    rows = _everywhere(found, page) if found else LISTS[view.of](view.where, page)
    more = len(rows) > MOST
    text = render_template(
        "staff/queue.html",
        view=view,
        rows=rows[:MOST],
        found=found,
        here="" if found else view.name,
        page=page,
        more=more,
    )
    return make_response(text)


@bp.context_processor
def _frame() -> dict[str, Any]:
    """The views with their counts, beside every page of the console."""
    counts = _counts()
    views = [
        {
            "name": view.name,
            "title": view.title,
            "url": f"/staff/queue?view={view.name}",
            "count": counts.get(view.name),
        }
        for view in VIEWS
    ]
    return {"views": views, "me": g.get("me")}


def _counts() -> dict[str, int]:
    """How many wait in each view; one statement."""
    waiting = [view for view in VIEWS if view.counts]
    columns = [_count(view.of, view.where).scalar_subquery() for view in waiting]
    row = session.execute(select(*columns)).one()
    return {view.name: int(count) for view, count in zip(waiting, row, strict=True)}


def _count(model: Any, where: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(model).where(where)


def _everywhere(found: str, page: int) -> list[dict[str, Any]]:
    """Who looks for a name looks in all returns and claims, whatever their state."""
    claims = claim_rows(true(), page, found)
    return [*claims, *_returns(true(), page, found)]


def _returns(where: ColumnElement[bool], page: int, found: str = "") -> list[dict[str, Any]]:
    wanted = (
        select(
            Return.id, Return.number, Return.status, Return.outcome, Return.requested_at,
            Return.quoted, Return.currency, Order.number.label("order"), Order.address["name"]
            .as_string().label("who"), _first(ReturnLine.title).label("title"),
            _first(ReturnLine.reason).label("reason"), _first(ReturnLine.detail).label("detail"),
            _first(ReturnLine.resolution).label("resolution"),
        )
        .join(Order, Order.id == Return.order_id)
        .where(where)
    )  # fmt: skip
    if found:
        wanted = wanted.where(is_like(found, Return.number))
    ordered = wanted.order_by(Return.requested_at, Return.id)
    rows = session.execute(ordered.limit(MOST + 1).offset((page - 1) * MOST)).all()
    now = clock.now()
    return [_row(row, now) for row in rows]


def _first(column: Any) -> Any:
    return (
        select(column)
        .where(ReturnLine.rma_id == Return.id)
        .order_by(ReturnLine.position)
        .limit(1)
        .correlate(Return)
        .scalar_subquery()
    )


def _row(row: Any, now: datetime) -> dict[str, Any]:
    waits = now - row.requested_at
    says, tone = OUTCOMES.get(row.outcome, (row.outcome, ""))
    value = sum(part.get("total_minor", 0) for part in (row.quoted or {}).values())
    return {
        "url": f"/staff/returns/{row.id}",
        "waits": age(waits),
        "waits_tone": "bad" if waits > OVERDUE and row.status == "requested" else "ok",
        "what": "Exchange" if row.resolution == "exchange" else "Return",
        "number": row.number,
        "order": row.order,
        "who": row.who or "No name",
        "why": reason_words(row.reason or "other", row.detail),
        "title": row.title or "",
        "value": money(value, row.currency, "en"),
        "says": says if row.status == "requested" else row.status.capitalize(),
        "tone": tone if row.status == "requested" else "",
    }


def _parcels(where: ColumnElement[bool], page: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(
            Shipment.carrier,
            Shipment.tracking_number,
            Shipment.problem_text,
            Shipment.problem_fix,
            Shipment.problem_since,
            Order.number,
            Order.address["name"].as_string().label("who"),
        )
        .join(Order, Order.id == Shipment.order_id)
        .where(where)
        .order_by(Shipment.problem_since, Shipment.id)
        .limit(MOST + 1)
        .offset((page - 1) * MOST)
    ).all()
    now = clock.now()
    return [
        {
            "url": "",
            "waits": age(now - (row.problem_since or now)),
            "waits_tone": "warn",
            "what": "Parcel",
            "number": f"{row.carrier} {row.tracking_number}".strip(),
            "order": row.number,
            "who": row.who or "No name",
            "why": row.problem_text,
            "title": row.problem_fix,
            "value": "",
            "says": "Look at it",
            "tone": "warn",
        }
        for row in rows
    ]


LISTS: Final[dict[type[Any], Callable[[ColumnElement[bool], int], list[dict[str, Any]]]]] = {
    Return: _returns,
    Claim: claim_rows,
    Shipment: _parcels,
    Withdrawal: withdrawal_rows,
}
