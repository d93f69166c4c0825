"""Seal what was written to the audit trail into each shop's chain, a batch a transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.db import inside, session, writing
from portal.models import AuditEntry
from portal.models.chain import BATCH, seal_some
from portal.models.due import Lease, finish, holds, plan


def plan_seals(now: datetime) -> None:
    """Plan the sealing of every shop's new entries. Call it in `every_shop()` and `writing()`."""
    waiting = select(AuditEntry.shop_id).where(AuditEntry.place.is_(None)).distinct()
    for shop_id in session.scalars(waiting).all():
        plan("seal", f"shop:{shop_id}", shop_id, now)


def perform(lease: Lease) -> None:
    """Seal one shop's entries until none is left."""
    more = True
    while more:
        with inside(lease.shop_id), writing():
            if not holds(lease):
                return
            more = seal_some() == BATCH
            if not more:
                finish(lease)
