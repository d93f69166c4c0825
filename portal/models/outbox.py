"""What people are told: messages planned in the transaction that causes them, and their wishes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id
from portal.tenancy import OfShop


class Message(OfShop, Base):
    """One message to one person for one cause on one channel. Sent at least once, shown once.

    `state`: wanted, sent, dead (with the reason), superseded (no longer true), stopped (opt-out).
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("shop_id", "recipient", "cause", "channel"),
        Index(None, "shop_id", "order_id"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("msg", clock.now())
    )
    kind: Mapped[str] = mapped_column(String(40))  # shipped, out_for_delivery, code …
    channel: Mapped[str] = mapped_column(String(10), default="email")
    recipient: Mapped[str] = mapped_column(String(254))
    cause: Mapped[str] = mapped_column(String(120))  # what happened, such as shp_…:delivered
    order_id: Mapped[str | None] = mapped_column(String(40))
    shipment_id: Mapped[str | None] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(10), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sealed: Mapped[str] = mapped_column(Text, default="")  # a code to be sent, until it is sent
    state: Mapped[str] = mapped_column(String(12), default="wanted")
    expires_at: Mapped[datetime | None]
    subject: Mapped[str] = mapped_column(String(300), default="")  # as sent
    text: Mapped[str] = mapped_column(Text, default="")
    html: Mapped[str] = mapped_column(Text, default="")
    reference: Mapped[str] = mapped_column(String(254), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]


class Preference(OfShop, Base):
    """Whether somebody wants the messages of an order. No row: the shop's default applies."""

    __tablename__ = "preference"
    __table_args__ = (
        UniqueConstraint("order_id", "recipient", "channel"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40))
    recipient: Mapped[str] = mapped_column(String(254))
    channel: Mapped[str] = mapped_column(String(10), default="email")
    wanted: Mapped[bool]
    confirmed_at: Mapped[datetime | None]  # an address that is not the order's must be confirmed
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
