"""One order for every state a tracking page can be in, for unit and browser tests alike.

`ORDERS[brand][state]` builds on two little stories; `NOW` is the moment they are read at.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from portal.pages.facts import (
    ItemFacts,
    OrderFacts,
    ParcelFacts,
    ScanFacts,
    ShopFacts,
    ShopLinks,
)

NOW = datetime(2026, 11, 25, 16, 32, tzinfo=UTC)  # Wednesday, 10:32 am in Austin
TODAY = date(2026, 11, 25)
CST, MST = -360, -420

LINKS = ShopLinks("/policy", "/policy#shipping", "/privacy", "/withdraw")
FERN = ShopFacts(
    "Fern & Fable", "fern", "America/Chicago", "hello@fern.example", links=LINKS,
)  # fmt: skip
VOLTA = ShopFacts(
    "Volta Nine", "volta", "America/Denver", "support@volta.example", links=LINKS,
    eu_withdrawal=True,
)  # fmt: skip

PICTURES = "/static/pictures"
OLIVE = ItemFacts(
    "Olive tree, small", "Terracotta pot", 1, f"{PICTURES}/potted-plant.webp", "OLIVE-S", "plants"
)
TEAPOT = ItemFacts("Stoneware teapot", "Rose", 1, f"{PICTURES}/teapot.webp", "POT-R", "stoneware")
CANDLE = ItemFacts("Beeswax candle", "Pair", 2, None, "CANDLE-2", "home")
PHONES = ItemFacts(
    "Field headphones", "Graphite", 1, f"{PICTURES}/headphones.webp", "FH-1", "headphones"
)
SPEAKER = ItemFacts("Shelf speaker", "Walnut", 2, f"{PICTURES}/speaker.webp", "SP-2", "speakers")


def at(day: int, hour: int, minute: int = 0, offset: int = CST) -> datetime:
    """A November moment, given as local time with its offset in minutes."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(minutes=offset)


def scan(when: datetime, status: str, detail: str | None, where: str, offset: int | None = CST,
         **more: object) -> ScanFacts:  # fmt: skip
    """A scan at "Town, Region"; its message is the carrier's raw wording, never to be seen."""
    city, _, region = where.partition(", ")
    message = f"BACKEND {status.upper()} manifest pre-advice"
    found = ScanFacts(when, offset, status, detail, message, city, region, "US")
    return replace(found, **more)  # type: ignore[arg-type]


FERN_SCANS = (
    scan(at(23, 9, 15), "pre_transit", "label_created", "Memphis, Tennessee"),
    scan(at(23, 16, 5), "in_transit", "in_transit", "Memphis, Tennessee"),
    scan(at(23, 21, 12), "in_transit", "departed_facility", "Memphis, Tennessee"),
    scan(at(24, 6, 48), "in_transit", "arrived_at_facility", "Dallas, Texas"),
    scan(at(24, 21, 40), "in_transit", "departed_facility", "Dallas, Texas"),
)
NEAR_SCAN = scan(at(25, 6, 12), "in_transit", "received_at_destination_facility", "Austin, Texas")
VAN_SCAN = scan(at(25, 8, 3), "out_for_delivery", "out_for_delivery", "Austin, Texas")
LEFT_SCAN = scan(at(24, 13, 35), "delivered", None, "Austin, Texas")
DOOR_SCAN = scan(at(25, 9, 35), "delivered", "arrived_at_destination", "Austin, Texas")

MOVING = ParcelFacts(
    id="p1",
    carrier_name="UPS",
    carrier_code="ups",
    service="Ground",
    tracking_number="1Z5R89W30310058842",
    tracking_url="https://www.ups.com/track?tracknum=1Z5R89W30310058842",
    status="in_transit",
    detail="departed_facility",
    since=at(24, 21, 40),
    shipped_at=at(23, 16, 5),
    eta_from=date(2026, 11, 26),
    eta_to=date(2026, 11, 27),
    first_eta=date(2026, 11, 27),
    last_checked_at=at(25, 10, 28),
    next_check_at=at(25, 13, 28),
    items=(OLIVE, TEAPOT),
    scans=FERN_SCANS,
)
FERN_ORDER = OrderFacts(
    "1042", at(20, 11, 4), "shipped", "USD", "en", "America/Chicago", "Austin", "US",
    (OLIVE, TEAPOT), (MOVING,),
)  # fmt: skip

VOLTA_SCANS = (
    scan(at(18, 8, 2, -480), "pre_transit", None, "Portland, Oregon", -480),
    scan(at(18, 17, 20, -480), "in_transit", "in_transit", "Portland, Oregon", -480),
    scan(at(19, 23, 5, MST), "in_transit", "arrived_at_facility", "Denver, Colorado", MST),
    scan(at(21, 11, 5, MST), "exception", "weather_delay", "Denver, Colorado", MST),
)
LATE = ParcelFacts(
    id="v1",
    carrier_name="DHL",
    carrier_code="dhl",
    service="Express",
    tracking_number="JD014600006552109931",
    tracking_url="https://www.dhl.com/us-en/home/tracking.html?tracking-id=JD014600006552109931",
    status="exception",
    detail="weather_delay",
    overlays=("delayed",),
    since=at(21, 11, 5, MST),
    shipped_at=at(18, 17, 20, -480),
    eta_from=date(2026, 11, 27),
    eta_to=date(2026, 11, 27),
    first_eta=date(2026, 11, 24),
    last_checked_at=at(25, 9, 28, MST),
    next_check_at=at(25, 12, 28, MST),
    items=(PHONES,),
    scans=VOLTA_SCANS,
)
VOLTA_ORDER = OrderFacts(
    "VN-20418", at(16, 19, 40, MST), "shipped", "USD", "en", "America/Denver", "Boulder", "US",
    (PHONES,), (LATE,),
)  # fmt: skip


def fern(**changes: object) -> OrderFacts:
    """The Fern & Fable order with its one parcel changed."""
    return replace(FERN_ORDER, parcels=(replace(MOVING, **changes),))  # type: ignore[arg-type]


def _split() -> OrderFacts:
    done = replace(
        MOVING, id="p1", status="delivered", detail=None, delivered_at=at(24, 13, 35),
        delivered_offset_minutes=CST, items=(TEAPOT,), scans=(*FERN_SCANS[:4], LEFT_SCAN),
    )  # fmt: skip
    van = replace(
        MOVING, id="p2", tracking_number="1Z5R89W30310058851", status="out_for_delivery",
        detail=None, eta_from=TODAY, eta_to=TODAY, items=(OLIVE,),
        scans=(*FERN_SCANS, NEAR_SCAN, VAN_SCAN),
    )  # fmt: skip
    third = replace(done, id="p3", tracking_number="1Z5R89W30310058860", items=(CANDLE,))
    return replace(
        FERN_ORDER, status="partially_delivered", items=(OLIVE, TEAPOT, CANDLE),
        parcels=(done, van, third),
    )  # fmt: skip


def _trouble(detail: str, **changes: object) -> Callable[[], OrderFacts]:
    told = (*FERN_SCANS, scan(at(25, 7, 30), "exception", detail, "Austin, Texas"))
    return lambda: fern(
        status="exception", detail=detail, since=at(25, 7, 30), scans=told, **changes
    )


DELIVERED = {
    "status": "delivered", "detail": None, "delivered_at": at(25, 9, 35), "signed_by": "J. Tester",
    "delivered_offset_minutes": CST, "since": at(25, 9, 35), "next_check_at": None,
    "scans": (*FERN_SCANS, NEAR_SCAN, VAN_SCAN, DOOR_SCAN),
}  # fmt: skip

STATES: dict[str, Callable[[], OrderFacts]] = {
    "placed": lambda: replace(FERN_ORDER, status="placed", parcels=()),
    "packed": lambda: fern(
        status="pre_transit", detail="label_created", since=at(23, 9, 15), shipped_at=None,
        scans=FERN_SCANS[:1], eta_from=None, eta_to=None, first_eta=None,
    ),
    "unknown": lambda: fern(
        status="unknown", detail=None, since=None, scans=(), eta_from=None,
        eta_to=None, first_eta=None,
    ),
    "moving": fern,
    "moving_without_date": lambda: fern(
        eta_from=None, eta_to=None, first_eta=None
    ),
    "near": lambda: fern(
        detail="received_at_destination_facility", scans=(*FERN_SCANS, NEAR_SCAN),
        eta_from=date(2026, 11, 26), eta_to=date(2026, 11, 26),
        since=at(25, 6, 12),
    ),
    "out_for_delivery": lambda: fern(
        status="out_for_delivery", detail="out_for_delivery", eta_from=TODAY,
        eta_to=TODAY, since=at(25, 8, 3), scans=(*FERN_SCANS, NEAR_SCAN, VAN_SCAN),
    ),
    "pickup": lambda: fern(
        status="available_for_pickup", detail="arrived_at_pickup_location",
        pickup_until=date(2026, 11, 28), since=at(25, 8, 3),
        scans=(*FERN_SCANS, scan(at(25, 8, 3), "available_for_pickup",
                                 "arrived_at_pickup_location", "Austin, Texas")),
    ),
    "delivered": lambda: replace(fern(**DELIVERED), status="delivered"),
    "late": lambda: fern(
        overlays=("delayed",), eta_from=date(2026, 11, 30),
        eta_to=date(2026, 11, 30), first_eta=date(2026, 11, 24),
    ),
    "overdue": lambda: fern(
        eta_from=date(2026, 11, 24), eta_to=date(2026, 11, 24),
        first_eta=date(2026, 11, 24), overlays=("delayed",),
    ),
    "quiet": lambda: fern(
        overlays=("silent",), since=at(22, 21, 40), scans=FERN_SCANS[:2],
        next_check_at=at(26, 14, 0),
    ),
    "weather": lambda: VOLTA_ORDER,
    "address": _trouble("address_correction"),
    "customs": _trouble("customs"),
    "information": _trouble("awaiting_information"),
    "damaged": _trouble("damaged"),
    "held": _trouble("held"),
    "refused": _trouble("refused"),
    "missorted": _trouble("missorted"),
    "problem": _trouble("delivery_exception"),
    "attempt_failed": lambda: fern(
        status="attempt_failed", detail=None, since=at(25, 9, 50),
        eta_from=date(2026, 11, 26), eta_to=date(2026, 11, 26),
        scans=(*FERN_SCANS, VAN_SCAN, scan(at(25, 9, 50), "attempt_failed", None, "Austin, Texas")),
    ),
    "lost": lambda: fern(overlays=("presumed_lost",), since=at(10, 16, 5), scans=FERN_SCANS[:2]),
    "returning": lambda: fern(
        status="return_to_sender", detail="return", since=at(25, 7, 30),
        scans=(*FERN_SCANS, scan(at(25, 7, 30), "return_to_sender", "return", "Austin, Texas")),
    ),
    "returned": lambda: fern(
        status="return_to_sender", detail="return", delivered_at=at(25, 9, 0), since=at(25, 9, 0),
        scans=(*FERN_SCANS, scan(at(25, 9), "return_to_sender", "return", "Memphis, Tennessee")),
    ),
    "cancelled": lambda: replace(FERN_ORDER, status="cancelled", parcels=()),
    "expired": lambda: fern(status="expired", detail="expired", since=at(1, 12)),
    "feed_down": lambda: fern(feed_problem="no answer", last_checked_at=at(24, 22, 10)),
    "zoneless": lambda: fern(
        scans=tuple(replace(told, offset_minutes=None) for told in FERN_SCANS)
    ),
    "split": _split,
    "partly_sent": lambda: replace(
        fern(items=(TEAPOT,)), status="partially_shipped"
    ),
}  # fmt: skip


def as_volta(order: OrderFacts) -> OrderFacts:
    """The same story told by the other brand: its goods, its order number."""
    goods = (PHONES, SPEAKER)
    parcels = tuple(
        replace(parcel, items=goods[index % 2 :][: len(parcel.items)])
        for index, parcel in enumerate(order.parcels)
    )
    return replace(order, number="VN-20418", items=goods, parcels=parcels)


def sample(brand: str, state: str) -> tuple[OrderFacts, ShopFacts]:
    """The order in `state` as the shop `brand` ("fern" or "volta") would show it."""
    order = STATES[state]()
    if brand == "fern":
        return order, FERN
    return (order if order is VOLTA_ORDER else as_volta(order)), VOLTA
