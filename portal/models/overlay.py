"""What we say of a parcel beside its carrier: delayed, silent, presumed lost."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from carriers.contract import Status
from carriers.silence import Quiet, quietness, working_time
from portal.db import session
from portal.models.arrival import first_day_told, last_day
from portal.models.heard import is_delayed, zone_of
from portal.models.shop import Shop

if TYPE_CHECKING:  # a shipment derives its overlays: it imports us
    from portal.models.shipment import Shipment

NOT_SENT_YET = frozenset({Status.UNKNOWN, Status.PRE_TRANSIT})


def overlays_of(shipment: Shipment, now: datetime) -> list[str]:
    """The most serious thing to say, alone; nothing for a parcel that goes as it should.

    A parcel is never presumed lost while its carrier's date lies ahead. It reads status, window
    and the newest scan, which must be set before.
    """
    status, zone = Status(shipment.status), shipment.order.timezone
    quiet = _quiet(shipment, status, now)
    if quiet is Quiet.PRESUMED_LOST and _is_still_to_come(shipment, now):
        quiet = Quiet.SILENT
    if quiet is not None:
        return [quiet.value]
    late = is_delayed(status, last_day(shipment), first_day_told(shipment), zone, now)
    return ["delayed"] if late else []


def _quiet(shipment: Shipment, status: Status, now: datetime) -> Quiet | None:
    if shipment.rma_id is not None and status in NOT_SENT_YET:
        return None  # a label in the customer's drawer: no carrier has it
    # What was never scanned is waited for since we know of it, however late the shop told us.
    since = shipment.last_scan_at or max(
        shipment.created_at, shipment.shipped_at or shipment.created_at
    )
    gap = working_time(since, now, zone_of(shipment.order.timezone))
    found = quietness(status, gap)
    if found is None or not _is_abroad(shipment):
        return found
    return quietness(status, gap, is_abroad=True)


def _is_still_to_come(shipment: Shipment, now: datetime) -> bool:
    today = now.astimezone(zone_of(shipment.order.timezone)).date()
    return shipment.eta_date is not None and shipment.eta_date >= today


def _is_abroad(shipment: Shipment) -> bool:
    to = shipment.order.address.get("country", "")
    return bool(to) and to != session.get_one(Shop, shipment.shop_id).country
