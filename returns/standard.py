"""The policy that a shop has from its first day, until it publishes its own."""

from typing import Any, Final

from returns.lint import EU
from returns.reasons import NOT_AS_SOLD

DAYS: Final = 30
REVIEW_FROM_POINTS: Final = 50
IN_THE_EU: Final = {"fact": "country", "in": sorted(EU)}


def standard_policy(currency: str, time_zone: str) -> dict[str, Any]:
    """A policy document: 30 days from delivery, no fee, labels paid by the shop.

    Where the goods are at fault the way there is paid back too; within the EU it is with a whole
    order, and a final sale does not bind, as the right to withdraw asks.
    """
    return {
        "version": 1,
        "name": "Standard returns",
        "time_zone": time_zone,
        "currency": currency,
        "otherwise": "review",
        "rules": [*_deciding(), *_effects(), {"id": "approve", "kind": "approve"}],
    }


def _deciding() -> list[dict[str, Any]]:
    broken = {"fact": "detail", "is": "arrived_broken"}
    unclear = {"fact": "reason", "in": ["missing_item", "other"]}
    return [
        {"id": "delivered", "kind": "delivered", "or_days_after_shipment": 30},
        {"id": "final-sale", "kind": "final_sale", "when": {"not": IN_THE_EU}},
        {"id": "window", "kind": "window", "days": DAYS},
        {"id": "history", "kind": "risk_review", "from_points": REVIEW_FROM_POINTS},
        {"id": "broken", "kind": "evidence", "photo": True, "when": broken},
        {"id": "unclear", "kind": "review", "when": unclear},
    ]


def _effects() -> list[dict[str, Any]]:
    at_fault = {"fact": "reason", "in": list(NOT_AS_SOLD)}
    shipping = {"kind": "original_shipping"}
    return [
        {"id": "ways", "kind": "methods", "allow": ["label", "qr", "own_label", "in_store"]},
        {"id": "label", "kind": "label", "paid_by": "shop"},
        {"id": "shipping-fault", **shipping, "refund": "always", "when": at_fault},
        {"id": "shipping-eu", **shipping, "refund": "whole_order", "when": IN_THE_EU},
    ]
