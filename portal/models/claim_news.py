"""What a claim's acts are worth saying to its customer, and when that is true no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from portal.models.claim import Claim
from portal.models.due import plan_all
from portal.models.message import Message
from portal.models.outbox import want

LIFE: Final = timedelta(days=7)
# Each kind with the states in which what it says is true.
STAGES: Final = {
    "claim_waiting": ("waiting",),
    "claim_open": ("open",),
    "claim_asked": ("needs_info",),
    "claim_approved": ("approved",),
    "claim_declined": ("declined",),
    "claim_paid": ("paid",),
    "claim_cancelled": ("cancelled",),
}
KINDS: Final = frozenset(STAGES)
NAMES: Final = {
    "needs_info": "asked",
    **{name: name for name in ("waiting", "open", "approved", "declined", "paid", "cancelled")},
}


def tell(claim: Claim, now: datetime) -> None:
    """Have it mailed how the claim stands now: once for each time it comes to stand so."""
    kind = f"claim_{NAMES[claim.status]}"
    cause = f"{claim.id}:{claim.status}:{claim.version}"
    told = {"claim": claim.id}
    plan_all(want(claim.order, kind, cause, told, now, expires_at=now + LIFE))


def over(message: Message) -> str:
    """Why a mail about a claim is not sent any more; "" while what it says is true."""
    claim = Claim.read(message.facts["claim"])
    if claim is None:
        return "The claim is gone."
    if claim.status in STAGES[message.kind]:
        return ""
    return f"The claim is {claim.status.replace('_', ' ')} now."
