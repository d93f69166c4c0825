"""End what has a last day: approvals that nobody used, articles kept that nobody took up."""

from __future__ import annotations

from datetime import datetime

from portal import clock
from portal.db import inside, session, writing
from portal.models import Exchange, Return
from portal.models.due import Lease, finish, holds
from portal.models.rma_acts import expire
from portal.models.rma_settle import Act, lapse

JOB = "job"


def perform(lease: Lease) -> None:
    """End one approval or reservation, if it is time and nothing came of it."""
    with inside(lease.shop_id), writing():
        if not holds(lease):
            return
        now = clock.now()
        if lease.subject.startswith("ret_"):
            again_at = _approval(lease.subject, now)
        else:
            again_at = _reservation(lease.subject, now)
        finish(lease, again_at=again_at)


def _approval(rma_id: str, now: datetime) -> datetime | None:
    """When to look again; None for never."""
    rma = Return.locked(rma_id)
    if rma is None or expire(rma, now) or rma.status != "approved" or rma.expires_at is None:
        return None
    return rma.expires_at if rma.expires_at > now else None


def _reservation(exchange_id: str, now: datetime) -> datetime | None:
    """When to look again; None for never."""
    known = session.get(Exchange, exchange_id)
    rma = Return.locked(known.rma_id) if known else None
    if rma is None or lapse(rma, exchange_id, Act(JOB, now)):
        return None
    exchange = session.get_one(Exchange, exchange_id)
    ends = exchange.expires_at
    return ends if ends is not None and ends > now else None
