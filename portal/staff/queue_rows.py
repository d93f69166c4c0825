"""The rows of a list of the queue: which they are, in one statement, and what each shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import g
from sqlalchemy import ColumnElement, Select, func, literal, literal_column, select, union_all

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import (
    DeskMark,
    DeskPresence,
    Order,
    Return,
    ReturnLine,
    Shipment,
    Staff,
)
from portal.models.lookup import orders_like
from portal.models.planned import planned_on
from portal.models.trouble import CONCERNS
from portal.pages.policy_words import reason_words
from portal.staff.claim_list import claim_facts
from portal.staff.dispute_list import dispute_facts
from portal.staff.listing import MOST, age
from portal.staff.queue_filters import DRIVEN, Filters, asked, found_in, worth_of
from portal.staff.queue_views import BY_NAME, EVERYTHING, PASSING, VIEWS, Part, limit_of
from portal.staff.rights import me
from portal.staff.withdrawals import withdrawal_facts

MOST_PAGES: Final = 40
COUNTED_TO: Final = 1_000  # a longer list says so, and costs no more
OUTCOMES: Final = {
    "approve": ("Approve", "ok"),
    "review": ("Needs a person", "warn"),
    "decline": ("Decline", "bad"),
}
ACTS: Final = {"approve": "Being approved", "decline": "Being declined"}


@dataclass(frozen=True, slots=True)
class Key:
    """Where a row stands: its id, since when it waits, and for which step."""

    id: str
    since: datetime | None
    step: str
    worth: int

    @property
    def due(self) -> datetime | None:
        """When the shop's own limit ends; None where nobody is waited for."""
        limit = limit_of(self.step)
        return self.since + limit if self.since and limit else None


# --- which rows -------------------------------------------------------------------------------


def page_of(filters: Filters, page: int, now: datetime) -> tuple[list[Key], bool]:
    """The rows of one page, and whether there are more. Two statements at most."""
    most = page * MOST + 1
    parts = EVERYTHING if filters.q else BY_NAME[filters.view].parts
    orders = orders_like(filters.q) if filters.q else []
    chosen = [_keys(part, filters, orders, most, now) for part in parts]
    rows = session.execute(union_all(*(select(each.subquery()) for each in chosen))).all()
    found = sorted((Key(*row) for row in rows), key=_order(filters.sort))
    return found[(page - 1) * MOST : page * MOST], len(found) >= most


def _keys(part: Part, filters: Filters, orders: list[str], most: int, now: datetime) -> Select[Any]:
    worth = worth_of(part)
    value = worth if worth is not None else literal_column("0")
    wanted = select(
        part.of.id.label("id"), part.since.label("since"), literal(part.step).label("step"),
        value.label("worth"),
    ).where(*asked(part, filters, me().id, g.shop.currency, now))  # fmt: skip
    if filters.q:
        wanted = wanted.where(found_in(part, orders, filters.q))
    worthy = part.since if worth is None else worth.desc()
    by = {"newest": part.since.desc(), "worth": worthy}.get(filters.sort, part.since)
    return wanted.order_by(by, part.of.id).limit(most)


def _order(sort: str) -> Callable[[Key], Any]:
    """How rows of several tables are put in one order; ties by their ids, which are by age."""
    none = datetime.max.replace(tzinfo=clock.now().tzinfo)
    if sort == "newest":
        return lambda key: (-(key.since.timestamp() if key.since else 0), key.id)
    if sort == "worth":
        return lambda key: (-key.worth, key.id)
    if sort == "due":
        return lambda key: (key.due or none, key.id)
    return lambda key: (key.since or none, key.id)


def counts_of(lists: Sequence[tuple[str, Filters]], now: datetime) -> dict[str, int]:
    """How many rows each list has, up to a thousand; one statement. Searches are not counted.

    What stands in several lists is counted once.
    """
    named = [*((view.name, Filters(view=view.name)) for view in VIEWS if view.counts), *lists]
    sums = {name: _parts(filters) for name, filters in named}
    columns = {
        key: _counted(part, filters, now) for found in sums.values() for key, part, filters in found
    }
    row = session.execute(select(*columns.values())).one()
    counted = dict(zip(columns, row, strict=True))
    return {
        name: min(sum(counted[key] for key, *_ in found), COUNTED_TO)
        for name, found in sums.items()
    }


def _parts(filters: Filters) -> list[tuple[Any, Part, Filters]]:
    """The parts of a list, each with what tells its count from others."""
    is_plain = not filters.narrows and filters.view not in DRIVEN
    return [
        ((id(part), None if is_plain else filters), part, filters)
        for part in BY_NAME[filters.view].parts
    ]


def _counted(part: Part, filters: Filters, now: datetime) -> ColumnElement[int]:
    some = select(part.of.id).where(*asked(part, filters, me().id, g.shop.currency, now))
    counted = select(func.count()).select_from(some.limit(COUNTED_TO).subquery())
    return counted.scalar_subquery()


# --- what they show ---------------------------------------------------------------------------


def shown(keys: Sequence[Key], now: datetime) -> list[dict[str, Any]]:
    """The rows in this order, as the list shows them; a fixed number of statements."""
    ids = [key.id for key in keys]
    facts: dict[str, dict[str, Any]] = {}
    for prefix, read in READERS.items():
        mine = [id for id in ids if id.startswith(prefix)]
        if mine:
            facts |= read(mine)
    marks, names = DeskMark.of(ids), colleagues()
    seen, planned = DeskPresence.others(ids, me().id, now), planned_on(ids)
    return [
        {
            **facts[key.id],
            **_clock(key, now),
            "subject": key.id,
            "step": key.step,
            "assignee": _assignee(marks.get(key.id), names),
            "rests_until": _resting(marks.get(key.id), now),
            "seen_by": seen.get(key.id, []),
            "planned": ACTS.get(planned.get(key.id, ""), ""),
        }
        for key in keys
        if key.id in facts
    ]


def colleagues() -> dict[int, str]:
    """Who works here, by id."""
    rows = session.execute(select(Staff.id, Staff.name, Staff.email).where(Staff.active))
    return {row.id: row.name or row.email for row in rows}


def _assignee(mark: DeskMark | None, names: dict[int, str]) -> str:
    if mark is None or mark.assignee_id is None:
        return ""
    return names.get(mark.assignee_id, "Somebody who left")


def _resting(mark: DeskMark | None, now: datetime) -> datetime | None:
    return mark.rests_until if mark and mark.rests_until and mark.rests_until > now else None


def _clock(key: Key, now: datetime) -> dict[str, Any]:
    """How long it waits, and how much of the shop's own limit is left."""
    waits = now - (key.since or now)
    if key.due is None:
        return {"waits": age(waits), "tone_of_wait": "", "left": ""}
    left = key.due - now
    tone = "bad" if left < timedelta() else "warn" if left < (left + waits) / 4 else "ok"
    said = f"{age(-left)} over" if left < timedelta() else f"{age(left)} left"
    return {"waits": age(waits), "tone_of_wait": tone, "left": said}


def _return_facts(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = session.execute(
        select(
            Return.id, Return.number, Return.status, Return.outcome, Return.version,
            Return.worth_minor, Return.currency, Order.number.label("order"),
            Order.address["name"].as_string().label("who"), _first(ReturnLine.title).label("title"),
            _first(ReturnLine.reason).label("reason"), _first(ReturnLine.detail).label("detail"),
            _first(ReturnLine.resolution).label("resolution"),
        )
        .join(Order, Order.id == Return.order_id)
        .where(Return.id.in_(ids))
    )  # fmt: skip
    return {row.id: _return(row) for row in rows}


def _first(column: Any) -> Any:
    return (
        select(column)
        .where(ReturnLine.rma_id == Return.id)
        .order_by(ReturnLine.position)
        .limit(1)
        .correlate(Return)
        .scalar_subquery()
    )


def _return(row: Any) -> dict[str, Any]:
    says, tone = OUTCOMES.get(row.outcome, (row.outcome, ""))
    is_asked = row.status == "requested"
    return {
        "url": f"/staff/returns/{row.id}",
        "what": "Exchange" if row.resolution == "exchange" else "Return",
        "number": row.number,
        "order": row.order,
        "who": row.who or "No name",
        "why": reason_words(row.reason or "other", row.detail),
        "title": row.title or "",
        "value": money(row.worth_minor, row.currency, "en"),
        "says": says if is_asked else row.status.capitalize(),
        "tone": tone if is_asked else "",
        "version": row.version,
        "decidable": is_asked,
    }


def _parcel_facts(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = session.execute(
        select(
            Shipment.id, Shipment.order_id, Shipment.carrier, Shipment.tracking_number,
            Shipment.problem_text, Shipment.problem_fix, Shipment.concern, Shipment.version,
            Order.number.label("order"), Order.address["name"].as_string().label("who"),
        )
        .join(Order, Order.id == Shipment.order_id)
        .where(Shipment.id.in_(ids))
    )  # fmt: skip
    return {
        row.id: {
            "url": f"/staff/orders/{row.order_id}",
            "what": "Parcel",
            "number": f"{row.carrier} {row.tracking_number}".strip(),
            "order": row.order,
            "who": row.who or "No name",
            "why": row.problem_text or CONCERNS.get(row.concern, ""),
            "title": row.problem_fix,
            "value": "",
            "says": "Watched" if row.concern in PASSING else "Look at it",
            "tone": "" if row.concern in PASSING else "warn",
            "version": row.version,
            "decidable": False,
        }
        for row in rows
    }


READERS: Final[dict[str, Callable[[Sequence[str]], dict[str, dict[str, Any]]]]] = {
    "ret_": _return_facts,
    "clm_": claim_facts,
    "wdr_": withdrawal_facts,
    "shp_": _parcel_facts,
    "dsp_": dispute_facts,
}
