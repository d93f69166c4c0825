"""Store credit: lots that were given, each with its end, and what was used of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId
from portal.tenancy import OfShop


class CreditEntry(OfShop, Base):
    """Credit given (a lot: no `lot_id`) or used (negative, of a lot). Never changed."""

    __tablename__ = "credit_entry"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "cause"),
        Index(None, "shop_id", "customer_id", "id"),
        ForeignKeyConstraint(["shop_id", "customer_id"], ["customer.shop_id", "customer.id"]),
        ForeignKeyConstraint(["shop_id", "lot_id"], ["credit_entry.shop_id", "credit_entry.id"]),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    customer_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))  # credited, bonus, spent, revoked
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    lot_id: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[datetime | None]  # of a lot; None: never
    subject: Mapped[str] = mapped_column(String(40), default="")  # ret_…, ord_…
    cause: Mapped[str] = mapped_column(String(120))
