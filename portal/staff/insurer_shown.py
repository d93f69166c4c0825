"""How a claim stands with the insurer of its parcel, as the claim's page shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from portal.models.carrier_claim import CLAIMABLE, CarrierClaim, days_of
from portal.models.claim import Claim
from portal.models.claim_facts import Day

STANDS: Final = {
    "wanted": ("To be filed", "warn"),
    "performing": ("Being filed", "warn"),
    "unknown": ("Nobody knows yet whether it was filed; it is looked for", "warn"),
    "failed": ("Not filed", "bad"),
    "filed": ("With the insurer", "warn"),
    "approved": ("Approved", "ok"),
    "rejected": ("Rejected", "bad"),
    "cancelled": ("Called off", ""),
}


def insurer_shown(claim: Claim, now: datetime) -> dict[str, Any] | None:
    """How it stands with the insurer, and until when; None where there is nothing to claim."""
    row, days = CarrierClaim.of_claim(claim.id), days_of(claim)
    if row is None and (days is None or claim.status not in CLAIMABLE):
        return None
    today = Day.of(claim.order).local(now)
    says, tone = STANDS[row.status] if row is not None else ("", "")
    return {
        "row": row,
        "says": says,
        "tone": tone,
        "first": days[0] if days else None,
        "last": days[1] if days else None,
        "days_left": (days[1] - today).days if days else 0,
        "is_early": days is not None and today < days[0],
        "may_file": row is None or row.status == "failed",
    }
