"""Parcels of which time alone says something new: late, silent, presumed lost, expired."""

from __future__ import annotations

from portal import clock
from portal.db import inside, writing
from portal.jobs.queue import nudge
from portal.models import Shipment
from portal.models.due import Lease, finish, holds
from portal.models.observe import look_again
from portal.models.overlay import next_change


def perform(lease: Lease) -> None:
    """Look at one parcel, tell what is new of it, and plan the next look."""
    changed = False
    with inside(lease.shop_id), writing(synchronous="NORMAL"):
        shipment = Shipment.locked(lease.subject)
        if not holds(lease):
            return
        again_at = None
        if shipment is not None:
            now = clock.now()
            changed = look_again(shipment, now)
            again_at = next_change(shipment, now)
        finish(lease, again_at=again_at)
    if changed:
        nudge("send")
