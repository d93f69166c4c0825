"""Cover for an order's journey, and the plans it was sold under. What it does is in `cover`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, new_id, session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.protection.plan import Plan
from portal.sources.sentences import read_as
from portal.tenancy import OfShop
from returns.lifecycle import PROTECTION, NotAllowed

COVERING: Final = ("active", "ended")  # ended: the journey is over, what happened on it stays so
MOST_TELLING: Final = ("active", "ended", "cancelled", "refused", "none")


class PlanVersion(OfShop, Base):
    """One version of the shop's protection plan. The newest whose `since` has come is in force.

    A version is never changed: a quote names the one it was made under.
    """

    __tablename__ = "protection_plan"
    __table_args__ = (UniqueConstraint("shop_id", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def publish(document: Any, by: str, now: datetime, note: str = "") -> PlanVersion:
        """Put a plan in force as the shop's next version. Raises Invalid with sentences."""
        plan = read_as(Plan, document)
        newest = session.scalar(select(func.max(PlanVersion.version))) or 0
        made = PlanVersion(
            version=newest + 1,
            hash=plan.hash,
            document=plan.to_json(),
            since=now,
            note=note,
            created_by=by,
            created_at=now,
        )
        session.add(made)
        session.flush()
        record(by, "plan.published", f"plan:{made.version}", after={"hash": made.hash}, why=note)
        return made

    @property
    def plan(self) -> Plan:
        """The document, read."""
        return read_as(Plan, self.document)


def live_plan(now: datetime) -> PlanVersion | None:
    """The version in force; None where the shop sells no protection."""
    wanted = select(PlanVersion).where(PlanVersion.since <= now)
    return session.scalar(wanted.order_by(PlanVersion.version.desc()).limit(1))


class Protection(OfShop, Base):
    """Cover that was asked for with one quote, and what became of it.

    An order may have several: a quote that was refused, then one that was taken. At most one of
    them is active. `status` is none (chosen, not paid yet), active, refused, cancelled or ended.
    """

    __tablename__ = "protection"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "quote_id"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "status", "created_at"),
        Index(None, "shop_id", "earned_at"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("prt", clock.now())
    )
    order_id: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12), default="none")
    reason: Mapped[str] = mapped_column(String(40), default="")  # why refused or cancelled, a code
    channel: Mapped[str] = mapped_column(String(20), default="order")  # order, api, page
    quote_id: Mapped[str | None] = mapped_column(String(40))  # None while refused: not used up
    quote_digest: Mapped[str] = mapped_column(String(64), default="")  # of the text that came
    plan_version: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    premium_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # all that was paid for it
    climate_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # of the premium
    cover_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # at most, for the order
    parcel_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # at most, for one parcel
    covers_return: Mapped[bool] = mapped_column(default=False)  # the label back is free, too
    # How it was chosen: text_version, quoted_at, at, choice, preselected, channel.
    consent: Mapped[dict[str, Any]] = mapped_column(default=dict)
    payment: Mapped[str] = mapped_column(String(120), default="")  # its own, if bought afterwards
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    started_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    earned_at: Mapped[datetime | None]  # when its premium was booked as the shop's own
    version: Mapped[int] = mapped_column(default=1)  # goes up with every change

    def move(self, move: str, by: str, why: str = "", **more: Any) -> None:
        """Move on by the table of protection, with its audit entry. Raises Conflict."""
        before = self.status
        try:
            self.status = PROTECTION.after(move, before)
        except NotAllowed as error:
            raise Conflict(str(error)) from error
        self.version += 1
        record(
            by,
            f"protection.{move}",
            f"order:{self.order_id}",
            before={"status": before},
            after={"status": self.status, **more},
            why=why,
        )

    @property
    def covers(self) -> bool:
        """Whether what went wrong on the way is covered."""
        return self.status in COVERING


def protections_of(order_ids: Iterable[str]) -> dict[str, Protection]:
    """What tells most of each order's cover: the active one before a refused one. One statement."""
    rows = session.scalars(
        select(Protection)
        .where(Protection.order_id.in_(list(order_ids)))
        .order_by(Protection.created_at, Protection.id)
    )
    found: dict[str, Protection] = {}
    for row in rows:
        known = found.get(row.order_id)
        if known is None or _rank(row) <= _rank(known):
            found[row.order_id] = row
    return found


def protection_of(order_id: str) -> Protection | None:
    """What tells most of one order's cover; None where nothing was ever asked for."""
    return protections_of([order_id]).get(order_id)


def _rank(row: Protection) -> int:
    return MOST_TELLING.index(row.status)
