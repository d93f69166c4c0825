"""Due work: one narrow table that says what is to be done and when.

A queue message is only a nudge. A row here is leased with a fencing token before the outside call
and finished in a transaction of its own after it, so that a killed worker loses nothing and a
worker that lost its lease cannot finish what another one has taken over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Index,
    String,
    UniqueConstraint,
    case,
    delete,
    func,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, db, insert_into, session

LEASE = timedelta(minutes=3)  # longer than any outside call with its time-outs
QUEUES = (
    *("apply", "poll", "send", "picture", "seal"),
    *("settle", "label", "expire", "payment", "reconcile", "claim", "checkout", "instant"),
    *("withdraw", "link", "act", "books", "lanes"),
    *("pulse", "habit", "quiet"),
    *("carrier", "dispute"),
    *("herald", "deliver"),
)


class Due(Base):
    """One thing to do. `at` is when; while leased, when the lease runs out."""

    __tablename__ = "due"
    __table_args__ = (UniqueConstraint("queue", "subject"), Index(None, "queue", "at", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    queue: Mapped[str] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(String(40))  # id of the shipment, message, event …
    shop_id: Mapped[int]
    at: Mapped[datetime]
    leased: Mapped[bool] = mapped_column(default=False)
    again_at: Mapped[datetime | None]  # asked for while leased: done once more afterwards
    fence: Mapped[int] = mapped_column(default=0)  # goes up with every lease
    attempts: Mapped[int] = mapped_column(default=0)  # since the last success


class Gauge(Base):
    """A number the house keeps about itself: budgets, the sweep's heartbeat."""

    __tablename__ = "gauge"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[float] = mapped_column(default=0.0)
    at: Mapped[datetime] = mapped_column(default=clock.now)


@dataclass(frozen=True, slots=True)
class Lease:
    """Work that is ours until `until`, provable by `fence`."""

    id: int
    queue: str
    subject: str
    shop_id: int
    fence: int
    attempts: int
    until: datetime


def plan(queue: str, subject: str, shop_id: int, at: datetime) -> None:
    """Say that work is to be done at `at`. Work that is planned already keeps the earlier time.

    Work under way is not taken from its worker: it is done once more after it.
    """
    plan_all([(queue, subject, shop_id, at)])


def plan_all(work: Sequence[tuple[str, str, int, datetime]]) -> None:
    """Plan several pieces of work, each (queue, subject, shop, when), in one statement."""
    if not work:
        return
    columns = ("queue", "subject", "shop_id", "at")
    session.connection().execute(
        _planning(db.engine.dialect.name),
        [dict(zip(columns, each, strict=True)) for each in work],
    )


@lru_cache(maxsize=4)
def _planning(_dialect: str) -> Any:
    """The statement that plans a piece of work: building it costs more than sending it."""
    table = inspect(Due).local_table
    due, insert = table.c, insert_into(table)
    asked = insert.excluded.at
    later = or_(due.again_at.is_(None), due.again_at > asked)
    return insert.values(leased=False, fence=0, attempts=0).on_conflict_do_update(
        index_elements=["queue", "subject"],
        set_={
            "at": case((due.leased, due.at), (due.at > asked, asked), else_=due.at),
            "again_at": case((due.leased & later, asked), else_=due.again_at),
        },
    )


def claim(queue: str, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Lease]:
    """Lease up to `limit` rows that are due. Call it inside `writing()` and commit."""
    until = now + lease
    due = (
        select(Due.id)
        .where(Due.queue == queue, Due.at <= now)
        .order_by(Due.at, Due.id)
        .limit(limit)
    )
    if db.engine.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    rows = session.execute(
        update(Due)
        .where(Due.id.in_(due.scalar_subquery()))
        .values(at=until, leased=True, fence=Due.fence + 1, attempts=Due.attempts + 1)
        .returning(Due.id, Due.queue, Due.subject, Due.shop_id, Due.fence, Due.attempts)
        .execution_options(synchronize_session=False)
    ).all()
    return [Lease(*row, until) for row in sorted(rows, key=lambda row: row.id)]


def holds(lease: Lease) -> bool:
    """Whether the lease is still ours; it stays so until the transaction ends.

    Ask before storing what was learnt, so that of many results in one transaction only those of
    lost leases are left out.
    """
    found = session.scalar(select(Due.id).where(*_ours(lease)).with_for_update())
    return found is not None


def is_under_way(queue: str, subject: str) -> bool:
    """Whether a worker is at it; if not, none begins before the transaction ends."""
    mine = (Due.queue == queue, Due.subject == subject)
    return bool(session.scalar(select(Due.leased).where(*mine).with_for_update()))


def forget(queue: str, subject: str) -> None:
    """Have nothing done after all. Ask `is_under_way` first: what is leased stays its worker's."""
    mine = (Due.queue == queue, Due.subject == subject, Due.leased.is_(False))
    session.execute(delete(Due).where(*mine))


def finish(lease: Lease, again_at: datetime | None = None, failed: bool = False) -> bool:
    """End a lease: forget the work, or plan it again. False when the lease was lost meanwhile.

    Call it in the transaction that stores the result, and roll that back on False.
    """
    mine = _ours(lease)
    if again_at is None:
        gone = session.execute(delete(Due).where(*mine, Due.again_at.is_(None)))
        if gone.rowcount == 1:  # type: ignore[attr-defined]
            return True
    sooner = case(
        (Due.again_at.is_(None), again_at),
        (Due.again_at < (again_at or lease.until), Due.again_at),
        else_=again_at or Due.again_at,
    )
    values: dict[str, Any] = {"at": sooner, "again_at": None, "leased": False}
    if not failed:
        values["attempts"] = 0
    kept = session.execute(update(Due).where(*mine).values(**values))
    return bool(kept.rowcount == 1)  # type: ignore[attr-defined]


def _ours(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    """What is true of the row while the lease is neither lost nor ended."""
    return (Due.id == lease.id, Due.fence == lease.fence, Due.leased.is_(True))


def read_gauge(name: str, *, alone: bool = False) -> tuple[float, datetime] | None:
    """A gauge's value and when it was set; None where it never was.

    `alone` keeps others from changing it until the transaction ends.
    """
    asked = select(Gauge.value, Gauge.at).where(Gauge.name == name)
    row = session.execute(asked.with_for_update() if alone else asked).first()
    return (row.value, row.at) if row else None


def set_gauge(name: str, value: float, at: datetime) -> None:
    """Set a gauge. Call it inside `writing()`."""
    insert = insert_into(Gauge).values(name=name, value=value, at=at)
    session.execute(
        insert.on_conflict_do_update(index_elements=["name"], set_={"value": value, "at": at})
    )


def backlog(now: datetime) -> dict[str, tuple[int, datetime | None]]:
    """For every queue: how many rows are due, and since when the oldest is."""
    rows = session.execute(
        select(Due.queue, func.count(), func.min(Due.at)).where(Due.at <= now).group_by(Due.queue)
    ).all()
    return {queue: (count, oldest) for queue, count, oldest in rows}
