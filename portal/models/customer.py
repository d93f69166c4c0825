"""A customer: whoever the shop's orders go to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id
from portal.tenancy import OfShop


class Customer(OfShop, Base):
    """One address that orders came from; orders with the same e-mail share a customer."""

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("shop_id", "id"), UniqueConstraint("shop_id", "email_key"))

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("cus", clock.now())
    )
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    locale: Mapped[str] = mapped_column(String(10), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
