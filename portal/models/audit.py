"""Who did what: one entry for every act of a person and every change of money or rights."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, session
from portal.tenancy import OfShop


class AuditEntry(OfShop, Base):
    """One act, in the same transaction as its effect; sealed into a chain later, in order."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(None, "shop_id", "subject"),
        UniqueConstraint("shop_id", "place"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    who: Mapped[str] = mapped_column(String(120))
    act: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(80))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    why: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[int | None]  # in the shop's chain, from 1; None until it is sealed
    seal: Mapped[str | None] = mapped_column(String(64))  # of this entry and all before it


class AuditHead(OfShop, Base):
    """Where a shop's chain ends: without it, cutting off the newest entries would leave no trace.

    `mark` is made with the house's SECRET_KEY, so that whoever can write to the database alone
    cannot make a chain anew.
    """

    __tablename__ = "audit_head"
    __table_args__ = (UniqueConstraint("shop_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(default=0)
    seal: Mapped[str] = mapped_column(String(64), default="")
    mark: Mapped[str] = mapped_column(String(64), default="")


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
