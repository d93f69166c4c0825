"""Giving up cover: the premium goes back whole, once, and never after something was paid for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from portal.models.change import Conflict
from portal.models.claim import claims_of
from portal.models.cover import has_moved
from portal.models.due import plan
from portal.models.ledger import book, payments_left
from portal.models.line import split_units
from portal.models.order import Order
from portal.models.protection import Protection, protection_of
from portal.models.rma_rows import Act, new_row
from portal.models.settlement import Settlement

FREE: Final = timedelta(days=1)  # to think it over, even when the parcel is on its way
OVER: Final = ("declined", "cancelled")  # claims that do not keep the premium


def why_kept(order: Order, cover: Protection | None, now: datetime) -> str:
    """Why the premium does not go back, as a sentence; '' where it can."""
    if cover is None or cover.status != "active":
        return "There is no cover on this order that could be cancelled."
    claimed = [claim.number for claim in claims_of(order.id) if claim.status not in OVER]
    if claimed:
        return f"Something is claimed under this cover ({', '.join(claimed)}), so it stays."
    if cover.earned_at is not None:
        return "The journey that it was paid for is over, so it stays."
    fresh = cover.started_at is not None and now - cover.started_at <= FREE
    if not fresh and has_moved(order):
        return "The parcel is on its way and the day to think it over has passed, so it stays."
    return ""


def cancel_cover(order: Order, act: Act) -> Protection:
    """End the cover and want its premium back for the customer.

    The order is locked and its lines are loaded. Raises Conflict with a sentence.
    """
    cover = protection_of(order.id)
    why = why_kept(order, cover, act.now)
    if cover is None or why:
        raise Conflict(f"{why} Nothing was changed.")
    cover.move("cancel", act.by, why=act.reason, premium_minor=cover.premium_minor)
    cover.cancelled_at = act.now
    order.cover_minor = 0
    split_units(order)
    book(
        order.id,
        "premium",
        -cover.premium_minor,
        cover.currency,
        f"{cover.id}:cancel",
        act.now,
        reference=cover.payment or order.payment_reference,
        subject=cover.id,
    )
    _want_back(order, cover, act)
    order.touch(act.now)
    return cover


def _want_back(order: Order, cover: Protection, act: Act) -> Settlement | None:
    """A refund of the payment that the premium came with, at most what is left of that."""
    reference = cover.payment or order.payment_reference
    provider = "stripe" if cover.payment else order.payment_provider
    left = {each.reference: each.left_minor for each in payments_left(order.id, provider)}
    amount = min(cover.premium_minor, left.get(reference, 0))
    if amount <= 0:
        return None
    row = new_row(cover, "refund", amount, act, provider=provider, payment=reference)
    plan("settle", row.id, cover.shop_id, act.now)
    return row
