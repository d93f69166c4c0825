"""Money that a carrier or an insurer paid for a claim, written down by a person."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from portal.models.change import Conflict
from portal.models.claim import Claim
from portal.models.recovered import recover, take_back
from portal.staff.claims import act_on_claim
from portal.staff.desk import bp
from portal.staff.money_form import typed_amount
from portal.staff.rights import me, needs


@bp.post("/claims/<claim_id>/recovery")
@needs("pay")
def claim_recovery(claim_id: str) -> Response:
    """Book what came in, once for each payment; or book it back where it was wrong."""
    source, reference = _typed("source"), _typed("reference")

    def book(claim: Claim, now: datetime) -> None:
        amount = typed_amount(_typed("amount"), claim.currency) or 0
        if not recover(claim.id, amount, source, reference, me().who, now):
            raise Conflict("This payment is booked already. Nothing was changed.")

    def unbook(claim: Claim, now: datetime) -> None:
        if not take_back(claim.id, source, reference, me().who, now, _typed("why")):
            raise Conflict("This payment is taken back already. Nothing was changed.")

    if request.form.get("back") == "yes":
        return act_on_claim(claim_id, "Taken back.", unbook)
    return act_on_claim(claim_id, "Booked as recovered.", book)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:500]
