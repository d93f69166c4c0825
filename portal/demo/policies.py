"""The two brands' own return rules, made so that every outcome can be met."""

from __future__ import annotations

from typing import Any, Final

from portal.demo.goods import Good
from returns.reasons import NOT_AS_SOLD
from returns.standard import IN_THE_EU

AT_FAULT: Final = {"fact": "reason", "in": list(NOT_AS_SOLD)}
BROKEN: Final = {"fact": "detail", "is": "arrived_broken"}
UNCLEAR: Final = {"fact": "reason", "in": ["missing_item", "other"]}
WAYS: Final = ["label", "qr", "own_label", "in_store"]


def _small(most_minor: int) -> dict[str, Any]:
    return {"all": [AT_FAULT, {"fact": "unit_price_minor", "at_most": most_minor}]}


FERN: Final[dict[str, Any]] = {
    "name": "Fern & Fable returns",
    "time_zone": "America/New_York",
    "currency": "USD",
    "otherwise": "review",
    "rules": [
        {"id": "delivered", "kind": "delivered", "or_days_after_shipment": 30},
        {"id": "final-sale", "kind": "final_sale"},
        {"id": "window", "kind": "window", "days": 30},
        {"id": "small-faults", "kind": "keep_item", "when": _small(2500)},
        {"id": "broken", "kind": "evidence", "photo": True, "when": BROKEN},
        {"id": "unclear", "kind": "review", "when": UNCLEAR},
        {"id": "ways", "kind": "methods", "allow": WAYS},
        {
            "id": "label",
            "kind": "label",
            "paid_by": "customer",
            "cost_minor": {"label": 495, "qr": 395},
        },
        {"id": "fee", "kind": "restocking_fee", "share_bps": 1000},
        {"id": "thanks", "kind": "bonus", "share_bps": 1000},
        {
            "id": "soon",
            "kind": "money_moves",
            "at": "first_scan",
            "resolutions": ["store_credit"],
        },
        {
            "id": "shipping",
            "kind": "original_shipping",
            "refund": "always",
            "when": AT_FAULT,
        },
        {"id": "at-once", "kind": "instant_exchange", "days": 14},
        {"id": "approve", "kind": "approve"},
    ],
}
VOLTA: Final[dict[str, Any]] = {
    "name": "Volta Nine Rückgabe",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "otherwise": "review",
    "rules": [
        {"id": "delivered", "kind": "delivered", "or_days_after_shipment": 30},
        {"id": "final-sale", "kind": "final_sale", "when": {"not": IN_THE_EU}},
        {"id": "window", "kind": "window", "days": 30},
        {"id": "small-faults", "kind": "keep_item", "when": _small(2000)},
        {"id": "broken", "kind": "evidence", "photo": True, "when": BROKEN},
        {"id": "unclear", "kind": "review", "when": UNCLEAR},
        {"id": "ways", "kind": "methods", "allow": WAYS},
        {"id": "label", "kind": "label", "paid_by": "shop"},
        {"id": "thanks", "kind": "bonus", "share_bps": 500},
        {"id": "shipping-fault", "kind": "original_shipping", "refund": "always", "when": AT_FAULT},
        {
            "id": "shipping-eu",
            "kind": "original_shipping",
            "refund": "whole_order",
            "when": IN_THE_EU,
        },
        {"id": "at-once", "kind": "instant_exchange", "days": 14},
        {"id": "approve", "kind": "approve"},
    ],
}
POLICIES: Final = {"fern": FERN, "volta": VOLTA}


def _variant(sku: str, product: str, colour: str, price_minor: int) -> Good:
    return Good(sku, colour, colour, product, price_minor, "", 0)


# What can be had instead: at the same price, dearer and cheaper.
VARIANTS: Final = {
    "fern": (
        _variant("TEAPOT-MOSS", "teapot", "Moss", 5800),
        _variant("TEAPOT-SAND", "teapot", "Sand", 5800),
        _variant("TEAPOT-DUSK", "teapot", "Dusk, large", 6600),
        _variant("TEAPOT-OAT", "teapot", "Oat, small", 4400),
        _variant("MUG-SAND", "mug", "Sand", 1900),
        _variant("MUG-MOSS", "mug", "Moss", 1900),
    ),
    "volta": (
        _variant("NINE-OVER", "nine", "Graphite", 24900),
        _variant("NINE-WHITE", "nine", "White", 24900),
        _variant("NINE-PRO", "nine", "Pro, graphite", 29900),
        _variant("NINE-GO", "nine", "Go, white", 19900),
    ),
}
