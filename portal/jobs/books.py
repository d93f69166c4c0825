"""The books of protection: premiums are earned, and once a day the year is counted anew."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.models import CoverRecord, PlanVersion
from portal.models.cover_record import count_years, keep_years
from portal.models.due import Lease, finish, holds, plan
from portal.models.earned import earn_some

DAY: Final = timedelta(days=1)


def plan_books(now: datetime) -> None:
    """Plan a look at each shop that sells cover. Call it in `every_shop()` and `writing()`."""
    for shop_id in session.scalars(select(PlanVersion.shop_id).distinct()).all():
        plan("books", f"shop:{shop_id}", shop_id, now)


def perform(lease: Lease) -> None:
    """Earn what is to be earned in one shop, a batch a transaction; then count its year."""
    now, after, more = clock.now(), "", True
    while more:
        with inside(lease.shop_id), writing():
            if not holds(lease):
                return
            after = earn_some(now, after)
            more = bool(after)
    with inside(lease.shop_id):
        years = count_years(now) if _is_due(now) else []
        with writing():
            if holds(lease):
                keep_years(years, now)
                finish(lease)


def _is_due(now: datetime) -> bool:
    counted = session.scalar(select(CoverRecord.counted_at).limit(1))
    return counted is None or now - counted >= DAY
