"""Claims that waited for their first day, or whose parcel has news."""

from __future__ import annotations

from portal import clock
from portal.db import inside, writing
from portal.jobs.queue import nudge
from portal.models.claim import Claim
from portal.models.claim_acts import open_claim
from portal.models.due import Lease, finish, holds


def perform(lease: Lease) -> None:
    """Open one claim if its time has come, else look again on the day it has moved to."""
    with inside(lease.shop_id), writing():
        claim = Claim.locked(lease.subject)
        if not holds(lease):
            return
        again_at = open_claim(claim, clock.now()) if claim is not None else None
        finish(lease, again_at=again_at)
    nudge("settle")
