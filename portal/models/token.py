"""The scopes a token of the machine API may have."""

SCOPES = (
    "orders",
    "shipments",
    "returns",
    "returns:decide",
    "protection",
    "claims",
    "claims:decide",
    "policy",
    "customers",
    "ledger",
    "webhooks",
    "quote",
)
PUBLISHABLE = frozenset({"quote"})
