"""The machine API, /api/v1."""

from portal.api import (
    claims,
    credit,
    ledger,
    openapi,
    orders,
    policy,
    protection,
    protection_plan,
    returns,
    shipments,
    variants,
    webhooks,
)
from portal.api.endpoint import bp

__all__ = [
    "bp",
    "claims",
    "credit",
    "ledger",
    "openapi",
    "orders",
    "policy",
    "protection",
    "protection_plan",
    "returns",
    "shipments",
    "variants",
    "webhooks",
]
