"""The nouns: one file each. Importing this package makes every table known to `portal.db`."""

from portal.models.access import ApiToken, IdempotencyKey, Link, LinkCode, Tally, WebSession
from portal.models.audit import AuditEntry
from portal.models.carrier_claim import CarrierClaim
from portal.models.catalog import Picture, Variant
from portal.models.checkout import Checkout
from portal.models.claim import Claim, ClaimUnit
from portal.models.cover_record import CoverRecord
from portal.models.credit import CreditEntry
from portal.models.customer import Customer
from portal.models.desk import DeskHabit, DeskMark, DeskPresence, SavedView
from portal.models.dispute import Dispute
from portal.models.due import Due, Gauge
from portal.models.event import HookEvent
from portal.models.exchange import Exchange
from portal.models.habit import Habit
from portal.models.instant import Instant
from portal.models.label import Label
from portal.models.lane import LaneBook, LaneParcel
from portal.models.ledger import LedgerEntry
from portal.models.order import Order, OrderLine, Unit
from portal.models.order_change import Change
from portal.models.outbox import Message, Preference
from portal.models.photo import Photo
from portal.models.planned import PlannedAct
from portal.models.policy import PolicyVersion
from portal.models.protection import PlanVersion, Protection
from portal.models.pulse import Pulse
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.settlement import Settlement
from portal.models.shipment import Shipment, ShipmentLine, StoredScan
from portal.models.shop import Shop, ShopFront
from portal.models.staff import Staff
from portal.models.unit_claim import UnitClaim
from portal.models.webhook import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookPlace,
)
from portal.models.withdrawal import Withdrawal

__all__ = [
    "ApiToken",
    "AuditEntry",
    "CarrierClaim",
    "Change",
    "Checkout",
    "Claim",
    "ClaimUnit",
    "CoverRecord",
    "CreditEntry",
    "Customer",
    "DeskHabit",
    "DeskMark",
    "DeskPresence",
    "Dispute",
    "Due",
    "Exchange",
    "Gauge",
    "Habit",
    "HookEvent",
    "IdempotencyKey",
    "Instant",
    "Label",
    "LaneBook",
    "LaneParcel",
    "LedgerEntry",
    "Link",
    "LinkCode",
    "Message",
    "Order",
    "OrderLine",
    "Photo",
    "Picture",
    "PlanVersion",
    "PlannedAct",
    "PolicyVersion",
    "Preference",
    "Protection",
    "Pulse",
    "Return",
    "ReturnLine",
    "ReturnUnit",
    "SavedView",
    "Settlement",
    "Shipment",
    "ShipmentLine",
    "Shop",
    "ShopFront",
    "Staff",
    "StoredScan",
    "Tally",
    "Unit",
    "UnitClaim",
    "Variant",
    "WebSession",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookPlace",
    "Withdrawal",
]
