"""An exchange: another variant instead, kept for the customer until it is ordered or let go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id
from portal.tenancy import OfShop


class Exchange(OfShop, Base):
    """What a return line is exchanged for. `status` is one of returns.lifecycle.EXCHANGE."""

    __tablename__ = "exchange"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "rma_id"),
        Index(None, "shop_id", "status", "expires_at"),
        ForeignKeyConstraint(["shop_id", "rma_id"], ["rma.shop_id", "rma.id"]),
        ForeignKeyConstraint(["shop_id", "rma_line_id"], ["rma_line.shop_id", "rma_line.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("exc", clock.now())
    )
    rma_id: Mapped[str] = mapped_column(String(40))
    rma_line_id: Mapped[str] = mapped_column(String(40))
    sku: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(300), default="")
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)  # frozen when it was approved
    is_even: Mapped[bool] = mapped_column(Boolean, default=False)  # same product and price
    currency: Mapped[str] = mapped_column(String(3))
    tax_included: Mapped[bool] = mapped_column(default=True)
    fallback: Mapped[str] = mapped_column(String(140), default="")
    status: Mapped[str] = mapped_column(String(12), default="wanted")
    counted: Mapped[int] = mapped_column(default=0)  # pieces taken off the variant's count
    difference: Mapped[dict[str, Any]] = mapped_column(default=dict)  # returns.money.Difference
    due_reference: Mapped[str] = mapped_column(String(120), default="")  # how what was due was paid
    order_id: Mapped[str | None] = mapped_column(String(40))  # the order it became
    expires_at: Mapped[datetime | None]  # of the reservation
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
