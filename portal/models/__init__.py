"""The nouns: one file each. Importing this package makes every table known to `portal.db`."""

from portal.models.access import ApiToken, IdempotencyKey, Link, LinkCode, Tally, WebSession
from portal.models.audit import AuditEntry
from portal.models.catalog import Picture, Variant
from portal.models.customer import Customer
from portal.models.due import Due, Gauge
from portal.models.event import HookEvent
from portal.models.order import Order, OrderLine, Unit
from portal.models.outbox import Message, Preference
from portal.models.shipment import Shipment, ShipmentLine, StoredScan
from portal.models.shop import Shop

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Customer",
    "Due",
    "Gauge",
    "HookEvent",
    "IdempotencyKey",
    "Link",
    "LinkCode",
    "Message",
    "Order",
    "OrderLine",
    "Picture",
    "Preference",
    "Shipment",
    "ShipmentLine",
    "Shop",
    "StoredScan",
    "Tally",
    "Unit",
    "Variant",
    "WebSession",
]
