"""The ledger of what providers pushed to us: every event once, with its bytes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId


class HookEvent(Base):
    """One push, stored before it is worked on. Not a shop's row: accounts may be shared by shops.

    `state`: received, applied, ignored, unmatched, quarantined (signed but unreadable), failed.
    """

    __tablename__ = "hook_event"
    __table_args__ = (
        UniqueConstraint("provider", "account", "key"),
        Index(None, "state", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(64))  # digest of the signing secret: whose ledger
    key: Mapped[str] = mapped_column(String(80))  # the provider's event id, else the body's digest
    shop_id: Mapped[int]  # the shop named in the URL
    kind: Mapped[str] = mapped_column(String(60), default="")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    body_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default="received")
    error: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    applied_at: Mapped[datetime | None]
