"""An order's cover as its tracking page shows it: columns for its one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, func, select

from portal.models import PlanVersion
from portal.models.cover import NOT_MOVED


def plans_column() -> ScalarSelect[int]:
    """How many plans the shop has put in force: without any it offers no protection."""
    return select(func.count(PlanVersion.id)).scalar_subquery()


def is_coverable(row: Any, cancelled_at: datetime | None) -> bool:
    """Whether protection can still be added: the shop offers it, and no carrier has a parcel."""
    waits = all(parcel["status"] in NOT_MOVED for parcel in row.shipments or ())
    return bool(row.plans) and not row.cover_minor and cancelled_at is None and waits
