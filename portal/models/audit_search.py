"""The audit trail as people look through it: newest first, by who, what, about what and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from portal.db import session
from portal.models.audit import AuditEntry

LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked for. Empty texts and None mean any; `before` is the id a page ended with."""

    who: str = ""
    act: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def looked_up(looked: Looked, limit: int) -> list[AuditEntry]:
    """Up to `limit` entries, the newest first."""
    wanted = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    return list(session.scalars(_narrowed(wanted, looked)))


def acts_known() -> list[str]:
    """Every kind of act that this shop's trail holds."""
    return list(session.scalars(select(AuditEntry.act).distinct().order_by(AuditEntry.act)))


def _narrowed(wanted: Select[Any], looked: Looked) -> Select[Any]:
    if looked.who:
        part = f"%{looked.who.lower().translate(LIKE)}%"
        wanted = wanted.where(func.lower(AuditEntry.who).like(part, escape="\\"))
    if looked.act:
        wanted = wanted.where(AuditEntry.act == looked.act)
    if looked.subject:
        part = f"%{looked.subject.translate(LIKE)}%"
        wanted = wanted.where(AuditEntry.subject.like(part, escape="\\"))
    if looked.since is not None:
        wanted = wanted.where(AuditEntry.at >= looked.since)
    if looked.until is not None:
        wanted = wanted.where(AuditEntry.at < looked.until)
    return wanted.where(AuditEntry.id < looked.before) if looked.before else wanted
