"""A customer: whoever the shop's orders go to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, insert_new, new_id, session
from portal.sources.matching import email_key
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

    @staticmethod
    def of(email: str, phone: str, now: datetime) -> str | None:
        """The id of the customer with this address, who is made if new; None without an address."""
        key = email_key(email)
        if not key:
            return None
        mine = select(Customer.id).where(Customer.email_key == key)
        found = session.scalar(mine)
        if found is None:
            row = {"id": new_id("cus", now), "email": email, "email_key": key, "phone": phone}
            new = insert_new(Customer, [row | {"created_at": now}], ["shop_id", "email_key"])
            found = new[0] if new else session.scalar(mine)  # of whoever was a moment faster
        return found
