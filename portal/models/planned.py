"""Decisions made at the queue: they rest ten seconds, can be taken back, and then are performed.

Nothing leaves the house before: no mail, no label, no money. A planned act is performed as its
person would have done it on the item's own page, by the same rules: what they may do then, the
version they saw, and whatever else the act itself asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, new_id, session
from portal.models import claim_acts, rma_acts
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.claim import Claim
from portal.models.desk import named
from portal.models.due import forget, is_under_way, plan_all
from portal.models.rma import Return
from portal.models.staff import OWN_ORDER, Staff, is_own
from portal.tenancy import OfShop

UNDO_FOR: Final = timedelta(seconds=10)
MOST_AT_ONCE: Final = 100
QUEUE: Final = "act"
ACTS: Final = ("approve", "decline")
# What a role needs for an act on an item of this kind; a claim that is approved is paid at once.
NEEDED: Final = {
    ("ret", "approve"): "decide",
    ("ret", "decline"): "decide",
    ("clm", "approve"): "pay",
    ("clm", "decline"): "decide",
}
DECIDABLE: Final = {"ret": ("requested",), "clm": ("open", "needs_info")}


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wants done with one item, and the version of it that they saw."""

    subject: str
    version: int
    act: str
    code: str = ""
    note: str = ""


class PlannedAct(OfShop, Base):
    """One decision. `status`: planned, done, refused (with `problem`), undone."""

    __tablename__ = "planned_act"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "batch"),
        Index(None, "shop_id", "subject"),
        ForeignKeyConstraint(["shop_id", "staff_id"], ["staff.shop_id", "staff.id"]),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    batch: Mapped[str] = mapped_column(String(40))  # what was decided together is undone together
    subject: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(90), default="")
    version: Mapped[int]
    act: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    staff_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(10), default="planned")
    problem: Mapped[str] = mapped_column(Text, default="")
    planned_at: Mapped[datetime]
    at: Mapped[datetime]  # when it is performed, unless undone
    ended_at: Mapped[datetime | None]

    def perform(self, now: datetime) -> None:
        """Do it, as its person. Raises Conflict or Invalid with the reason why it cannot be."""
        staff = session.get(Staff, self.staff_id)
        if staff is None or not staff.may(NEEDED[self.subject[:3], self.act]):
            raise Conflict("Who decided this may not do so any more. Nothing was changed.")
        _perform(self, staff, now)
        self.status, self.ended_at = "done", now

    def refuse(self, problem: str, now: datetime) -> None:
        """It could not be: its person reads why, and the item is in the queue as before."""
        self.status, self.problem, self.ended_at = "refused", problem, now
        record("job", "desk.refused", named(self.subject), why=problem)


def _perform(act: PlannedAct, staff: Staff, now: datetime) -> None:
    item, who = found(act.subject), staff.who
    if item is None:
        raise Conflict("It is gone. Nothing was changed.")
    item.seen_as(act.version)
    if is_own(staff.email, item.order):
        raise Conflict(OWN_ORDER)
    if isinstance(item, Claim):
        if act.act == "approve":
            claim_acts.approve(item, who, now, act.note)
        else:
            claim_acts.decline(item, who, now, act.code, act.note)
    elif act.act == "approve":
        rma_acts.approve(item, who, now, act.note)
    else:
        rma_acts.decline(item, who, now, act.code, act.note)


def found(subject: str) -> Return | Claim | None:
    """The return or claim with this id for this transaction alone, if any."""
    return Claim.locked(subject) if subject.startswith("clm_") else Return.locked(subject)


def plan_acts(wanted: Sequence[Decision], staff: Staff, now: datetime) -> str:
    """Plan decisions; what cannot be is refused at once, each by itself. Gives their batch.

    Call it inside `writing()`.
    """
    batch = new_id("bat", now)
    taken = wanted[:MOST_AT_ONCE]
    stands = _stands([each.subject for each in taken])
    for each in taken:
        seen = stands.get(each.subject)
        problem = _speaks_against(each, seen, staff)
        act = _planned(batch, each, staff.id, now)
        act.number = seen.number if seen else ""
        if problem:
            act.status, act.problem, act.ended_at = "refused", problem, now
        else:
            record(staff.who, f"desk.{each.act}_planned", named(each.subject), why=each.note)
        session.add(act)
    session.flush()
    live = _of(batch, "planned")
    plan_all([(QUEUE, act.id, act.shop_id, act.at) for act in live])
    return batch


@dataclass(frozen=True, slots=True)
class Stand:
    """How an item stands: its number, version and status, and whether a decision is planned."""

    number: str
    version: int
    status: str
    planned: bool


def _stands(subjects: Sequence[str]) -> dict[str, Stand]:
    """How these items stand, in three statements."""
    busy = select(PlannedAct.subject).where(
        PlannedAct.subject.in_(subjects), PlannedAct.status == "planned"
    )
    planned = set(session.scalars(busy))
    found: dict[str, Stand] = {}
    for model in (Return, Claim):
        wanted = select(model.id, model.number, model.version, model.status)
        for row in session.execute(wanted.where(model.id.in_(subjects))):
            found[row.id] = Stand(row.number, row.version, row.status, row.id in planned)
    return found


def _speaks_against(wanted: Decision, seen: Stand | None, staff: Staff) -> str:
    """Why a decision cannot be planned; "" where nothing speaks against it yet."""
    needed = NEEDED.get((wanted.subject[:3], wanted.act))
    if needed is None or seen is None:
        return "This cannot be decided from the list. Open it."
    if not staff.may(needed):
        return "Your role does not include this."
    if seen.planned:
        return "Somebody decided this a moment ago."
    if seen.status not in DECIDABLE[wanted.subject[:3]]:
        return f"It is {seen.status.replace('_', ' ')} already."
    if seen.version != wanted.version:
        return "It has changed since it was shown. Look at it again."
    if wanted.act == "decline" and not wanted.code:
        return "Choose a reason that fits it."
    return ""


def _planned(batch: str, wanted: Decision, staff_id: int, now: datetime) -> PlannedAct:
    return PlannedAct(
        id=new_id("act", now),
        batch=batch,
        subject=wanted.subject,
        version=wanted.version,
        act=wanted.act,
        code=wanted.code,
        note=wanted.note,
        staff_id=staff_id,
        status="planned",
        planned_at=now,
        at=now + UNDO_FOR,
    )


def undo(batch: str, staff_id: int, by: str, now: datetime) -> int:
    """Take back what is not being performed yet of one's own batch; how many that were.

    Call it inside `writing()`.
    """
    taken = 0
    for act in _of(batch, "planned"):
        if act.staff_id != staff_id or is_under_way(QUEUE, act.id):
            continue
        act.status, act.ended_at = "undone", now
        forget(QUEUE, act.id)
        record(by, "desk.undone", named(act.subject), before={"act": act.act})
        taken += 1
    return taken


def acts_of(batch: str) -> list[PlannedAct]:
    """What was decided together, in the order of the list."""
    wanted = select(PlannedAct).where(PlannedAct.batch == batch)
    return list(session.scalars(wanted.order_by(PlannedAct.id)))


def planned_on(subjects: Iterable[str]) -> dict[str, str]:
    """What is about to be done with these items: their act by item."""
    rows = session.execute(
        select(PlannedAct.subject, PlannedAct.act).where(
            PlannedAct.subject.in_(list(subjects)), PlannedAct.status == "planned"
        )
    )
    return {row.subject: row.act for row in rows}


def _of(batch: str, status: str) -> list[PlannedAct]:
    wanted = select(PlannedAct).where(PlannedAct.batch == batch, PlannedAct.status == status)
    return list(session.scalars(wanted.order_by(PlannedAct.id).with_for_update()))
