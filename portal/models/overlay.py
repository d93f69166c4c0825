"""What we say of a parcel beside its carrier: delayed, silent, presumed lost."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from carriers.contract import FINAL, Status
from carriers.schedule import GIVES_UP
from carriers.silence import (
    LEAST,
    Lane,
    Patience,
    Quiet,
    after_working,
    patience_with,
    working_time,
)
from portal.db import session
from portal.models.arrival import first_day_told, last_day
from portal.models.habit import habits_in_force, lane_of, workdays_of
from portal.models.heard import is_delayed, zone_of
from portal.models.shop import Shop

if TYPE_CHECKING:  # a shipment derives its overlays: it imports us
    from portal.models.shipment import Shipment

NOT_SENT_YET = frozenset({Status.UNKNOWN, Status.PRE_TRANSIT})
A_MOMENT = timedelta(seconds=1)


def overlays_of(shipment: Shipment, now: datetime) -> list[str]:
    """The most serious thing to say, alone; nothing for a parcel that goes as it should.

    A parcel is never presumed lost while its carrier's date lies ahead. It reads status, window
    and the newest scan, which must be set before.
    """
    status, zone = Status(shipment.status), shipment.order.timezone
    late = is_delayed(status, last_day(shipment), first_day_told(shipment), zone, now)
    quiet = _quiet(shipment, now)
    if quiet is Quiet.PRESUMED_LOST and _is_still_to_come(shipment, now):
        quiet = Quiet.SILENT
    if quiet is not None:
        return [quiet.value]
    return ["delayed"] if late else []


def next_change(shipment: Shipment, now: datetime) -> datetime | None:
    """The next moment at which time alone may change what is said; None where it never will.

    A parcel is looked at then whether or not its carrier answers.
    """
    if Status(shipment.status) in FINAL:
        return None
    zone = zone_of(shipment.order.timezone)
    since = quiet_since(shipment)
    moments = [since + GIVES_UP]
    patience = _patience(shipment)
    if patience is not None:
        days = workdays_of(shipment.order)
        for limit in (patience.silent, patience.lost):
            moments.append(after_working(since, limit, zone, days) + A_MOMENT)
    for day in (shipment.eta_date, last_day(shipment)):
        if day is not None:
            ends = datetime.combine(day + timedelta(days=1), time(), zone)
            moments.append(ends.astimezone(UTC))
    return min((moment for moment in moments if moment > now), default=None)


def quiet_since(shipment: Shipment) -> datetime:
    """Since when nothing was heard.

    What was never scanned is waited for since we know of it, however late the shop told us.
    """
    return shipment.last_scan_at or max(
        shipment.created_at, shipment.shipped_at or shipment.created_at
    )


def _quiet(shipment: Shipment, now: datetime) -> Quiet | None:
    since, zone = quiet_since(shipment), zone_of(shipment.order.timezone)
    if now - since <= LEAST:
        return None
    patience = _patience(shipment)
    if patience is None:
        return None
    return patience.quietness(working_time(since, now, zone, workdays_of(shipment.order)))


def _patience(shipment: Shipment) -> Patience | None:
    """How long its silence is borne: as usual on its lane."""
    status = Status(shipment.status)
    if shipment.rma_id is not None and status in NOT_SENT_YET:
        return None  # a label in the customer's drawer: no carrier has it
    return patience_with(status, _lane(shipment), habits_in_force().usual)


def _lane(shipment: Shipment) -> Lane:
    home = session.get_one(Shop, shipment.shop_id).country
    return lane_of(shipment, shipment.order, home)


def _is_still_to_come(shipment: Shipment, now: datetime) -> bool:
    today = now.astimezone(zone_of(shipment.order.timezone)).date()
    return shipment.eta_date is not None and shipment.eta_date >= today
