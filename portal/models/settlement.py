"""Money and value that is wanted for a return: planned here, performed by jobs, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id
from portal.tenancy import OfShop


class Settlement(OfShop, Base):
    """One payout: a refund of one payment, store credit, an exchange, or what is due for one.

    `status` is wanted, performing, done, failed or unknown. The row is written, and counted against
    what can be refunded, before anybody outside is asked.
    """

    __tablename__ = "settlement"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "subject"),
        Index(None, "shop_id", "status", "created_at"),
        Index(None, "shop_id", "reference"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("stl", clock.now())
    )
    order_id: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))  # ret_… or clm_…
    # The first row of what is paid together: a refund over two payments is two rows of one group.
    group_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))  # refund, store_credit, exchange, top_up
    status: Mapped[str] = mapped_column(String(12), default="wanted")
    amount_minor: Mapped[int] = mapped_column(BigInteger)  # what moves by this row
    currency: Mapped[str] = mapped_column(String(3))
    amounts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the group's seven, on its first
    provider: Mapped[str] = mapped_column(String(40), default="")  # of the payment to give back to
    payment: Mapped[str] = mapped_column(String(120), default="")
    exchange_id: Mapped[str | None] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(120), default="")  # the provider's, once known
    round: Mapped[int] = mapped_column(default=1)  # of trying: part of the key after a failure
    reason: Mapped[str] = mapped_column(Text, default="")  # why staff chose so
    problem: Mapped[str] = mapped_column(Text, default="")  # why it failed, in words
    replaced: Mapped[bool] = mapped_column(default=False)  # failed, and another one was made
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    performing_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
