"""The door through which answers of carriers come in: what a parcel is, and who is told."""

from __future__ import annotations

from datetime import datetime

from carriers.contract import Tracking
from portal.models.claim_acts import follow_claims
from portal.models.outbox import tell
from portal.models.rma_acts import follow
from portal.models.shipment import Shipment


def observe(shipment: Shipment, tracking: Tracking, via: str, now: datetime) -> bool:
    """Take in one answer and plan the messages it causes; True when a page shows something else.

    News of a parcel on its way back moves its return instead.
    Call it inside `writing()`, inside the parcel's shop, on a parcel that `Shipment.locked` gave.
    """
    was = shipment.status
    changed = shipment.record(tracking, via, now)
    if changed:
        _tell(shipment, was, now)
    return changed


def look_again(shipment: Shipment, now: datetime) -> bool:
    """Derive the state anew because time has passed, and plan the messages that causes.

    Call it as `observe`.
    """
    was = shipment.status
    changed = shipment.reread(now)
    if changed:
        _tell(shipment, was, now)
    return changed


def _tell(shipment: Shipment, was: str, now: datetime) -> None:
    if shipment.rma_id is not None:
        follow(shipment, now)
    else:
        tell(shipment, was, now)
        follow_claims(shipment, now)
