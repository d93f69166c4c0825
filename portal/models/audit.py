"""Who did what: one entry for every act of a person and every change of money or rights."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, session
from portal.tenancy import OfShop


class AuditEntry(OfShop, Base):
    """One act, in the same transaction as its effect; sealed into a chain later, in order."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "shop_id", "subject"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    who: Mapped[str] = mapped_column(String(120))
    act: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(80))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    why: Mapped[str] = mapped_column(Text, default="")
    seal: Mapped[str | None] = mapped_column(String(64))


def record(
    who: str,
    act: str,
    subject: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    why: str = "",
) -> None:
    """Write an entry beside the change it tells of. `who` is `token:…`, `customer`, `operator` …"""
    session.add(
        AuditEntry(
            who=who, act=act, subject=subject, before=before or {}, after=after or {}, why=why
        )
    )
