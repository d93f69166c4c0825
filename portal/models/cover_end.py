"""Cover whose journey is over: nothing can be claimed under it any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, func, or_, select, update

from portal.db import session
from portal.models.cover import NOT_MOVED
from portal.models.order import Order
from portal.models.protection import Protection
from portal.models.shipment import Shipment

QUIET: Final = timedelta(days=120)  # twice as long as loss can be claimed after the last scan


def end_covers(now: datetime) -> int:
    """End active cover once the last right on its order has ended; how many. All shops at once.

    So does cover of parcels that nobody has heard of for `QUIET`. Cover of an order that was called
    off before anything was sent stays, so that it can still be given back. Time does it, nobody
    acts: so it is no audit entry. Call it inside `writing()`.
    """
    done = session.execute(
        update(Protection)
        .where(
            Protection.status == "active",
            or_(
                Protection.order_id.in_(_over(now)),
                (Protection.started_at <= now - QUIET) & Protection.order_id.in_(_quiet(now)),
            ),
        )
        .values(status="ended", ended_at=now, version=Protection.version + 1)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def _over(now: datetime) -> Select[str]:
    """The orders whose rights have ended, but those that were called off before they were sent."""
    sent = select(Shipment.order_id).where(
        Shipment.rma_id.is_(None), Shipment.status.not_in(NOT_MOVED)
    )
    return select(Order.id).where(
        Order.rights_end_at <= now, Order.cancelled_at.is_(None) | Order.id.in_(sent)
    )


def _quiet(now: datetime) -> Select[str]:
    """The orders that were sent, and of which no parcel has been heard of since."""
    heard = func.max(func.coalesce(Shipment.last_scan_at, Shipment.shipped_at))
    parcels = select(Shipment.order_id).where(Shipment.rma_id.is_(None))
    return parcels.group_by(Shipment.order_id).having(heard <= now - QUIET)
