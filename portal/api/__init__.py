"""The machine API, /api/v1."""

from portal.api import (
    claims,
    credit,
    ledger,
    openapi,
    orders,
    policy,
    protection,
    returns,
    shipments,
    variants,
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
    "returns",
    "shipments",
    "variants",
]
