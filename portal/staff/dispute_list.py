"""Disputes in words, and as a list of the queue shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import Dispute, Order

STATUSES: Final = {
    "needs_response": ("Answer it", "bad"),
    "warning_needs_response": ("The bank asks", "warn"),
    "appeal_needs_response": ("Answer the appeal", "bad"),
    "under_review": ("With the bank", "warn"),
    "warning_under_review": ("With the bank", "warn"),
    "appeal_under_review": ("With the bank", "warn"),
    "won": ("Won", "ok"),
    "lost": ("Lost", "bad"),
    "warning_closed": ("Closed", "ok"),
    "prevented": ("Prevented", "ok"),
}
REASONS: Final = {
    "product_not_received": "It did not arrive",
    "product_unacceptable": "It is not as it should be",
    "credit_not_processed": "A refund did not come",
    "fraudulent": "The card's owner did not buy it",
    "duplicate": "It was charged twice",
    "unrecognized": "The card's owner does not know the charge",
    "general": "No reason was given",
}


def time_left(due_at: datetime | None, now: datetime) -> str:
    """How long is left to answer, in words."""
    if due_at is None:
        return ""
    hours = int((due_at - now).total_seconds() // 3600)
    if hours < 0:
        return "too late"
    return f"{hours} hours left" if hours < 48 else f"{hours // 24} days left"


def dispute_facts(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Disputes as a list of the queue shows them, by id."""
    wanted = select(Dispute, Order.number, Order.address["name"].as_string().label("who"))
    rows = session.execute(
        wanted.join(Order, Order.id == Dispute.order_id).where(Dispute.id.in_(ids))
    )
    return {row.Dispute.id: _fact(*row) for row in rows}


def _fact(row: Dispute, number: str, who: str | None) -> dict[str, Any]:
    says, tone = STATUSES.get(row.status, (in_words(row.status), "warn"))
    return {
        "url": f"/staff/disputes/{row.id}",
        "what": "Dispute",
        "number": row.provider_id,
        "order": number,
        "who": who or "No name",
        "why": REASONS.get(row.reason, in_words(row.reason)),
        "title": f"To be answered: {time_left(row.due_at, clock.now())}" if row.due_at else "",
        "value": money(row.amount_minor, row.currency, "en"),
        "says": says,
        "tone": tone,
        "version": row.version,
        "decidable": False,
    }


def in_words(code: str) -> str:
    """A word of Stripe's that we have none for."""
    return code.replace("_", " ").capitalize()
