"""What a page is made from: the selected columns, frozen, before any word is chosen.

Views fill these from rows; `present` turns them into texts. Moments are aware UTC datetimes, local
dates are dates of the destination. `offset_minutes` is the zone a carrier gave with a moment; None
when it gave none.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from carriers.window import Window

Grade = Literal["act", "view"]


@dataclass(frozen=True)
class ItemFacts:
    """One line of an order, or the part of it that a parcel holds."""

    title: str
    variant: str
    quantity: int
    image_url: str | None
    sku: str
    category: str = ""
    awaits_picture: bool = False  # its picture is still being fetched; a drawing stands in


@dataclass(frozen=True)
class ScanFacts:
    """What a carrier said once. `message` is its own wording and is never shown to customers."""

    at: datetime
    offset_minutes: int | None
    status: str
    detail: str | None
    message: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    hidden: bool = False  # kept, but decides nothing: ahead of the clock, or an older parcel's


@dataclass(frozen=True)
class ParcelFacts:
    """One shipment with its derived state and its scans, in any order."""

    id: str
    carrier_name: str
    carrier_code: str
    service: str
    tracking_number: str
    tracking_url: str | None
    status: str
    detail: str | None = None
    overlays: tuple[str, ...] = ()
    since: datetime | None = None  # the newest scan that counts
    delivered_at: datetime | None = None
    delivered_offset_minutes: int | None = None
    shipped_at: datetime | None = None
    eta_from: date | None = None  # the window in force; it may lie in the past
    eta_to: date | None = None
    eta_basis: str = ""  # carrier, promise, or the shop's own: lane, destination, country
    eta_parcels: int = 0  # how many of the shop's own it stands on
    first_eta: date | None = None  # the last day we showed first; struck through once it moved
    last_checked_at: datetime | None = None
    next_check_at: datetime | None = None
    feed_problem: str | None = None  # why the carrier's updates do not reach us, in our words
    items: tuple[ItemFacts, ...] = ()
    scans: tuple[ScanFacts, ...] = ()
    signed_by: str | None = None  # a name: never shown on the tracking page
    pickup_until: date | None = None


@dataclass(frozen=True)
class ReturnFacts:
    """A return of this order; `token` opens its page, "" where it cannot be told any more."""

    number: str
    status: str
    token: str


@dataclass(frozen=True)
class ClaimFacts:
    """A claim on this order; `token` opens its page, "" where it cannot be told any more."""

    number: str
    status: str
    token: str


@dataclass(frozen=True)
class OrderFacts:
    """An order as its tracking page needs it: no name, no street, no e-mail, no phone."""

    number: str
    placed_at: datetime
    status: str
    currency: str
    locale: str
    timezone: str | None  # of the destination
    destination_city: str
    destination_country: str
    items: tuple[ItemFacts, ...]
    parcels: tuple[ParcelFacts, ...] = ()
    grade: Grade = "act"
    returns: tuple[ReturnFacts, ...] = ()
    claims: tuple[ClaimFacts, ...] = ()
    is_all_held: bool = False  # whether every piece is in a return or claim already
    cover_minor: int = 0  # paid for protection that is in force
    is_coverable: bool = False  # whether protection can still be added
    promise: Window | None = None  # when it arrives by the shop's own word


@dataclass(frozen=True)
class ArrivalRecord:
    """Of the windows that ended in a quarter: how many parcels came before, within and after."""

    first: date
    last: date
    shown: int
    early: int
    late: int


@dataclass(frozen=True)
class ShopLinks:
    """The shop's own pages, named in every footer. None leaves the link out."""

    returns_policy: str | None = None
    shipping: str | None = None
    privacy: str | None = None
    withdraw: str | None = None


@dataclass(frozen=True)
class ShopFacts:
    """The brand around the page."""

    name: str
    theme: str
    timezone: str
    support_email: str
    support_url: str | None = None
    reply_time: str = ""  # as the shop words it: "We answer within 2 hours, Monday to Saturday."
    links: ShopLinks = ShopLinks()
    eu_withdrawal: bool = False
    record: ArrivalRecord | None = None  # how the windows of the last quarter held, if told
