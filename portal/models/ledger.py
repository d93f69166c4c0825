"""The ledger of an order: every movement of money or value, once, for ever."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId
from portal.tenancy import OfShop


class LedgerEntry(OfShop, Base):
    """One movement, in the same transaction as what caused it. Never changed, never removed.

    What is taken back stands as an entry with the opposite sign. `cause` makes it happen once.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("shop_id", "cause"),
        Index(None, "shop_id", "order_id", "id"),
        Index(None, "shop_id", "reference"),
        # No cascade: an order with money in the ledger cannot be deleted.
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    order_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))  # one of KINDS
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reference: Mapped[str] = mapped_column(String(120), default="")  # the payment, or what was made
    subject: Mapped[str] = mapped_column(String(40), default="")  # ret_…, clm_…, or ""
    cause: Mapped[str] = mapped_column(String(120))
