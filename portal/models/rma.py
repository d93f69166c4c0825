"""A return: from asking to money."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.db import Base, new_id
from portal.models.order import Order
from portal.models.rma_line import ReturnLine
from portal.tenancy import OfShop


class Return(OfShop, Base):
    """A request to send things back, and everything that came of it."""

    __tablename__ = "rma"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "number"),
        UniqueConstraint("token_digest"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "status", "requested_at"),
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
