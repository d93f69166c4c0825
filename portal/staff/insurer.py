"""What is claimed with the insurer of a parcel, beside the customer's claim."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from portal.jobs import nudge
from portal.models.carrier_claim import want
from portal.models.claim import Claim
from portal.staff.claims import act_on_claim
from portal.staff.desk import bp
from portal.staff.money_form import typed_amount
from portal.staff.rights import me, needs


@bp.post("/claims/<claim_id>/insurer")
@needs("pay")
def claim_insurer(claim_id: str) -> Response:
    """Claim it with the insurer; what was refused may be tried again."""
    typed = request.form.get("amount", "").strip()[:40]

    def act(claim: Claim, now: datetime) -> None:
        want(claim, typed_amount(typed, claim.currency), me().who, now)

    answer = act_on_claim(claim_id, "It is claimed with the insurer.", act)
    nudge("carrier")
    return answer
