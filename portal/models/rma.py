"""A return: from asking to money. What it does is in `rma_acts`, `rma_receipt` and `rma_settle`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship, validates

from portal import clock
from portal.db import Base, new_id, session
from portal.keys import digest, unseal
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.order import Order
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.tenancy import OfShop
from returns import lifecycle


class Return(OfShop, Base):
    """A request to send things back, and everything that came of it."""

    __tablename__ = "rma"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "number"),
        UniqueConstraint("token_digest"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "status", "requested_at"),
        Index(None, "shop_id", "status", "arrived_at"),
        Index(None, "shop_id", "status", "checked_at"),
        Index(None, "shop_id", "customer_id"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("ret", clock.now())
    )
    number: Mapped[str] = mapped_column(String(90))  # <order number>-R1
    order_id: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(12), default="requested")
    channel: Mapped[str] = mapped_column(String(20), default="page")  # page, api, staff, withdrawal
    outcome: Mapped[str] = mapped_column(String(10))  # of all lines together
    method: Mapped[str] = mapped_column(String(20), default="")
    label_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # the customer's for the way
    destination: Mapped[str] = mapped_column(String(100), default="")
    quoted: Mapped[dict[str, Any]] = mapped_column(default=dict)  # amounts by resolution, as shown
    worth_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # of all that was quoted
    token_digest: Mapped[str] = mapped_column(String(64))  # of the link to its own page
    token_sealed: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(120), default="")  # "" while the rules did
    note: Mapped[str] = mapped_column(Text, default="")
    override_reason: Mapped[str] = mapped_column(Text, default="")
    rejection_code: Mapped[str] = mapped_column(String(40), default="")
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    requested_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]  # of the approval, while nothing was sent
    shipped_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)  # goes up with every change

    order: Mapped[Order] = relationship()
    lines: Mapped[list[ReturnLine]] = relationship(
        order_by="ReturnLine.position", cascade="all, delete-orphan", back_populates="rma"
    )

    @validates("quoted")
    def _worth(self, _column: str, quoted: dict[str, Any]) -> dict[str, Any]:
        self.worth_minor = sum(part.get("total_minor", 0) for part in quoted.values())
        return quoted

    @staticmethod
    def locked(rma_id: str) -> Return | None:
        """The return with its lines and units, for this transaction alone; None if there is none.

        Its order is locked first, as everybody does: money of an order moves one act at a time.
        """
        order = session.scalar(
            select(Order)
            .join(Return, Return.order_id == Order.id)
            .where(Return.id == rma_id)
            .with_for_update(of=Order)
            .execution_options(populate_existing=True)
        )
        return None if order is None else Return.read(rma_id)

    @staticmethod
    def read(rma_id: str) -> Return | None:
        """The return with its lines and units, as it is now; None if there is none."""
        return (
            session.scalars(
                select(Return)
                .where(Return.id == rma_id)
                .options(joinedload(Return.lines).joinedload(ReturnLine.units))
                .execution_options(populate_existing=True)
            )
            .unique()
            .one_or_none()
        )

    @staticmethod
    def at(token: str) -> Return | None:
        """The return whose own page this token opens, if any."""
        return session.scalar(select(Return).where(Return.token_digest == digest(token)))

    @property
    def token(self) -> str:
        """The token of its own page. Raises Unsealable when the key it was sealed with is gone."""
        return unseal(self.token_sealed)

    @property
    def approved_lines(self) -> list[ReturnLine]:
        """The lines that are not declined."""
        return [line for line in self.lines if line.outcome != "decline"]

    @property
    def units(self) -> list[ReturnUnit]:
        """The units of all lines that are not declined."""
        return [unit for line in self.approved_lines for unit in line.units]

    @property
    def travels(self) -> bool:
        """Whether anything is to be sent back at all."""
        return any(not line.keeps for line in self.approved_lines)

    def seen_as(self, version: int) -> None:
        """Raises Conflict if somebody changed it since it was shown with this version."""
        if version != self.version:
            raise Conflict(
                f"Somebody decided a moment ago: the return is {self.status} now. Nothing was "
                "changed. Look at it again."
            )

    def move(self, move: str, by: str, now: datetime, why: str = "", **more: Any) -> None:
        """Move on by the table of returns, with its audit entry. Raises Conflict."""
        before = self.status
        try:
            self.status = lifecycle.after(move, before)
        except lifecycle.NotAllowed as error:
            raise Conflict(f"{error} Somebody may have decided a moment ago.") from error
        record(
            by,
            f"return.{move}",
            f"return:{self.id}",
            before={"status": before},
            after={"status": self.status, **more},
            why=why,
        )
        self.touch(now)

    def touch(self, now: datetime) -> None:
        """Say that pages of the return and of its order show something else now."""
        self.version += 1
        self.order.version += 1
        self.order.updated_at = now


def units_of(lines: Iterable[ReturnLine]) -> list[int]:
    """The ids of the order's units in these lines."""
    return [unit.unit_id for line in lines for unit in line.units]
