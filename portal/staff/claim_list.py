"""Claims as a list of the queue shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select

from portal.db import session
from portal.format import money
from portal.models import Claim, ClaimUnit, Order
from portal.pages.claim_words import KINDS

SAYS: Final = {
    "approve": ("Approve", "ok"),
    "review": ("Needs a person", "warn"),
    "decline": ("Decline", "bad"),
}


def claim_facts(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the list shows of these claims, by id."""
    first = select(func.min(ClaimUnit.title)).where(ClaimUnit.claim_id == Claim.id)
    rows = session.execute(
        select(
            Claim.id,
            Claim.number,
            Claim.kind,
            Claim.status,
            Claim.covered,
            Claim.decision,
            Claim.payout_minor,
            Claim.currency,
            Claim.version,
            Order.number.label("order"),
            Order.address["name"].as_string().label("who"),
            first.correlate(Claim).scalar_subquery().label("title"),
        )
        .join(Order, Order.id == Claim.order_id)
        .where(Claim.id.in_(ids))
    )
    return {row.id: _row(row) for row in rows}


def _row(row: Any) -> dict[str, Any]:
    decision = row.decision or {}
    says, tone = SAYS.get(decision.get("outcome", ""), ("Waits", ""))
    is_open = row.status == "open"
    worth = row.payout_minor or decision.get("facts", {}).get("paid_minor", 0)
    return {
        "url": f"/staff/claims/{row.id}",
        "what": "Claim, covered" if row.covered else "Claim",
        "number": row.number,
        "order": row.order,
        "who": row.who or "No name",
        "why": KINDS[row.kind],
        "title": row.title or "",
        "value": money(worth, row.currency, "en") if worth else "",
        "says": says if is_open else row.status.replace("_", " ").capitalize(),
        "tone": tone if is_open else "",
        "version": row.version,
        "decidable": row.status in ("open", "needs_info"),
    }
