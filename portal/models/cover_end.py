"""Cover whose journey is over: nothing can be claimed under it any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from portal.db import session
from portal.models.order import Order
from portal.models.protection import Protection


def end_covers(now: datetime) -> int:
    """End active cover once the last right on its order has ended; how many. All shops at once.

    Time does it, nobody acts: so it is no audit entry. Call it inside `writing()`.
    """
    over = select(Order.id).where(Order.rights_end_at <= now)
    done = session.execute(
        update(Protection)
        .where(Protection.status == "active", Protection.order_id.in_(over))
        .values(status="ended", ended_at=now, version=Protection.version + 1)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
