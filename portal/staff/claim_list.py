"""Claims as a list of the queue shows them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, func, select

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import Claim, ClaimUnit, Order
from portal.pages.claim_words import KINDS
from portal.staff.listing import MOST, OVERDUE, age, is_like

SAYS: Final = {
    "approve": ("Approve", "ok"),
    "review": ("Needs a person", "warn"),
    "decline": ("Decline", "bad"),
}


def claim_rows(where: ColumnElement[bool], page: int, found: str = "") -> list[dict[str, Any]]:
    """One page of the claims that fit, oldest first, one more than it shows."""
    first = select(func.min(ClaimUnit.title)).where(ClaimUnit.claim_id == Claim.id)
    wanted = (
        select(
            Claim.id,
            Claim.number,
            Claim.kind,
            Claim.status,
            Claim.covered,
            Claim.decision,
            Claim.payout_minor,
            Claim.currency,
            Claim.asked_at,
            Order.number.label("order"),
            Order.address["name"].as_string().label("who"),
            first.correlate(Claim).scalar_subquery().label("title"),
        )
        .join(Order, Order.id == Claim.order_id)
        .where(where)
    )
    if found:
        wanted = wanted.where(is_like(found, Claim.number))
    ordered = wanted.order_by(Claim.asked_at, Claim.id)
    rows = session.execute(ordered.limit(MOST + 1).offset((page - 1) * MOST)).all()
    return [_row(row) for row in rows]


def _row(row: Any) -> dict[str, Any]:
    waits, decision = clock.now() - row.asked_at, row.decision or {}
    says, tone = SAYS.get(decision.get("outcome", ""), ("Waits", ""))
    is_open = row.status == "open"
    worth = row.payout_minor or decision.get("facts", {}).get("paid_minor", 0)
    return {
        "url": f"/staff/claims/{row.id}",
        "waits": age(waits),
        "waits_tone": "bad" if waits > OVERDUE and is_open else "ok",
        "what": "Claim, covered" if row.covered else "Claim",
        "number": row.number,
        "order": row.order,
        "who": row.who or "No name",
        "why": KINDS[row.kind],
        "title": row.title or "",
        "value": money(worth, row.currency, "en") if worth else "",
        "says": says if is_open else row.status.replace("_", " ").capitalize(),
        "tone": tone if is_open else "",
    }
