"""The machine API, /api/v1."""

from portal.api import openapi, orders, shipments, variants
from portal.api.endpoint import bp

__all__ = ["bp", "openapi", "orders", "shipments", "variants"]
