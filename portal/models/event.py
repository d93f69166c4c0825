"""The ledger of what providers pushed to us: every event once, with its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_new, session

WAITS = timedelta(days=30)  # how long an event waits for an order that comes later
KEY_LENGTH = 80


class HookEvent(Base):
    """One push, stored before it is worked on. Not a shop's row: accounts may be shared by shops.

    `state`: received, applied, ignored, unmatched, quarantined (signed but unreadable), failed.
    """

    __tablename__ = "hook_event"
    __table_args__ = (
        UniqueConstraint("provider", "account", "key"),
        Index(None, "state", "received_at"),
        Index(None, "number_key"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(64))  # digest of the signing secret: whose ledger
    key: Mapped[str] = mapped_column(String(80))  # the provider's event id, else the body's digest
    shop_id: Mapped[int]  # the shop named in the URL
    kind: Mapped[str] = mapped_column(String(60), default="")
    number_key: Mapped[str] = mapped_column(String(80), default="")  # of the parcel it is about
    body: Mapped[bytes] = mapped_column(LargeBinary)
    body_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="received")
    error: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    applied_at: Mapped[datetime | None]


def keep(told: Mapping[str, Any]) -> int | None:
    """Write an event into the ledger; its id, or None when it stands there already.

    `told` holds the columns. Call it inside `writing()`.
    """
    new = insert_new(HookEvent, [told], ["provider", "account", "key"])
    return int(new[0]) if new else None


def key_for(shop_id: int, name: str) -> str:
    """Once a shop: shops of one account get the same event each, and look for it among their own.

    In front of a digest or an id of the provider's it stays below the column's length.
    """
    return f"{shop_id}:{name}"


def of_number(number_key: str, shop_id: int, now: datetime) -> list[HookEvent]:
    """Events about this number that found no parcel in this shop so far, oldest first."""
    waiting = (
        select(HookEvent)
        .where(
            HookEvent.number_key == number_key,
            HookEvent.shop_id == shop_id,
            HookEvent.state == "unmatched",
            HookEvent.received_at >= now - WAITS,
        )
        .order_by(HookEvent.id)
    )
    return list(session.scalars(waiting))
