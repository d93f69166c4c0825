"""A message to one person, and when it is no longer said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.keys import is_signed, sign
from portal.tenancy import OfShop, shop_in_scope


class Message(OfShop, Base):
    """One message to one person for one cause on one channel. Sent at least once, shown once.

    `state`: wanted, sent, dead (with the reason), superseded (no longer true), stopped (opt-out).
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("shop_id", "recipient", "cause", "channel"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "shipment_id"),
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
    text: Mapped[str] = mapped_column(Text, default="")  # as sent, sealed: its link is a key
    html: Mapped[str] = mapped_column(Text, default="")  # as sent, sealed
    reference: Mapped[str] = mapped_column(String(254), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]

    @property
    def stop_token(self) -> str:
        """What opens `/u/<token>`: whoever holds it got this message and may stop its like."""
        return f"{self.id}.{sign('stop', f'{self.shop_id}:{self.id}')}"

    @staticmethod
    def with_stop_token(token: str) -> Message | None:
        """The message of this shop whose stop token this is, if any."""
        message_id, _, signature = token.partition(".")
        if not is_signed("stop", f"{shop_in_scope()}:{message_id}", signature):
            return None
        return session.scalar(select(Message).where(Message.id == message_id))

    @staticmethod
    def locked(message_id: str) -> Message | None:
        """The message with this id for this transaction alone, if any."""
        return session.scalar(
            select(Message)
            .where(Message.id == message_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )


def supersede(shipment_id: str, still_true: str = "") -> None:
    """Nothing that waits is sent once the parcel has moved on, is another one, or is gone.

    `still_true` is the cause of what may go out all the same.
    """
    session.execute(
        update(Message)
        .where(
            Message.shipment_id == shipment_id,
            Message.state == "wanted",
            Message.cause != still_true,
        )
        .values(state="superseded")
    )
