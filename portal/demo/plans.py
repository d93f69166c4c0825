"""The two brands' protection plans: a share of the value, and tiers with the way back included."""

from __future__ import annotations

from typing import Any, Final

PLANS: Final[dict[str, dict[str, Any]]] = {
    "fern": {
        "currency": "USD",
        "price": {"kind": "share", "basis_points": 180},
        "rates": [
            {"categories": ["Stoneware"], "price": {"kind": "share", "basis_points": 220}},
        ],
        "floor_minor": 98,
        "cap_minor": 2_500,
        "round_to_minor": 5,
        "order_limit_minor": 100_000,
        "parcel_limit_minor": 50_000,
        "climate_points": 500,
        "climate_for": "planting trees along the Columbia River",
        "provider": {"name": "Fern & Fable"},
    },
    "volta": {
        "currency": "EUR",
        "price": {
            "kind": "tiers",
            "tiers": [
                {"up_to_minor": 5_000, "amount_minor": 119},
                {"up_to_minor": 20_000, "amount_minor": 249},
                {"up_to_minor": 50_000, "amount_minor": 449},
                {"amount_minor": 799},
            ],
        },
        "order_limit_minor": 150_000,
        "covers_return": True,
        "return_minor": 99,
        "provider": {"name": "Volta Nine"},
    },
}
