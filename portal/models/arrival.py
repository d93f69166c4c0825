"""When a parcel is expected: derived with its state, stored with it, and what was shown first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import delete

from carriers.contract import Status
from carriers.lanes import Journey
from carriers.timeline import Seen
from carriers.window import CARRIER, OVER, PROMISE, Forecast, Said, Window, shown
from portal.db import session
from portal.models.arrival_terms import carrier_key, place_of, promised, shop_of
from portal.models.heard import zone_of
from portal.models.lane import FACTS, JOURNEY, SHOWN, LaneParcel, lanes_in_force, note_parcels
from portal.models.order import Order
from portal.sources.matching import postcode_key

if TYPE_CHECKING:  # a shipment derives its window: it imports us
    from portal.models.shipment import Shipment

AREA: Final = 3  # characters of a postcode that name its area
NOT_YET: Final = frozenset(
    {Status.UNKNOWN, Status.PRE_TRANSIT, Status.CANCELLED, Status.EXPIRED}
)  # what says nothing of a hand-over
NEAR: Final = frozenset({"arrived_at_destination", "received_at_destination_facility"})
ON_ITS_WAY: Final = frozenset({Status.IN_TRANSIT, Status.OUT_FOR_DELIVERY})
FORESEEN: Final = ON_ITS_WAY | {Status.UNKNOWN, Status.PRE_TRANSIT}
HINDSIGHT: Final = timedelta(days=3)  # after this a parcel that is new to us is no new one


class Deciding(Protocol):
    """What is needed of a scan; scans of carriers and stored ones have it."""

    @property
    def at(self) -> datetime: ...
    @property
    def offset_minutes(self) -> int | None: ...
    @property
    def status(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def region(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Milestones:
    """The local days that a journey is measured by, and where it began."""

    handed_on: date | None = None
    near_on: date | None = None
    origin: str = ""

    @classmethod
    def of(cls, scans: Iterable[Deciding], home: tzinfo, there: tzinfo) -> Milestones:
        """Read from scans that decide something, in any order.

        A time without an offset is read in the shop's zone at the start and at the destination's
        at its end.
        """
        moves = sorted(
            (scan for scan in scans if Status(scan.status) not in NOT_YET), key=lambda scan: scan.at
        )
        if not moves:
            return cls()
        near = next((scan for scan in moves if _is_near(scan)), None)
        begins = moves[0]
        country = (begins.country or "").strip().upper()
        region = (begins.region or "").strip().upper()
        return cls(
            handed_on=_local(begins, home),
            near_on=_local(near, there) if near else None,
            origin=f"{country}-{region}".strip("-"),
        )


def foresee(shipment: Shipment, seen: Iterable[Seen], now: datetime) -> None:
    """Set the window that is shown of a parcel, and keep the first one.

    It reads status, dates, carrier and service, which must be set before. A parcel on its way back
    has its carrier's date alone.
    """
    order = shipment.order
    there = zone_of(order.timezone)
    today = now.astimezone(there).date()
    journey = None
    if shipment.rma_id is None:
        journey = _journey(shipment, order, seen, there)
    status = Status(shipment.status or Status.UNKNOWN)  # a new one has none before it is stored
    since = shipment.status_since
    found = shown(
        Said(
            status=status,
            detail=shipment.detail,
            since=since.astimezone(there).date() if since else None,
            carrier=shipment.eta_date,
            forecast=_forecast(shipment, journey, today),
            promise=None if shipment.rma_id else _promise(shipment, order),
            is_handed_over=journey is not None,
        ),
        today,
    )
    shipment.window = found.to_json() if found else {}
    visible = found.on(today) if found and status in FORESEEN else None
    if visible and not shipment.first_window and not _is_hindsight(shipment, visible, now):
        shipment.first_window = visible.to_json() | {"on": today.isoformat()}


def window_in_force(told: Mapping[str, Any], carrier: date | None) -> Window | None:
    """A stored window; it may lie in the past.

    Parcels that nobody has asked about since windows are stored have their carrier's date.
    """
    window = Window.from_json(told)
    if window is not None or carrier is None:
        return window
    return Window(carrier, carrier, CARRIER)


def window_on(shipment: Shipment, now: datetime) -> Window | None:
    """The window that is shown of a parcel; one that has arrived keeps what was said."""
    status = Status(shipment.status)
    window = window_in_force(shipment.window, shipment.eta_date)
    if window is None or status in OVER or "presumed_lost" in shipment.overlays:
        return None
    if status is Status.DELIVERED:
        return window
    return window.on(now.astimezone(zone_of(shipment.order.timezone)).date())


def last_day(shipment: Shipment) -> date | None:
    """The last day of the window in force; it may lie in the past."""
    window = Window.from_json(shipment.window or {})
    return window.last if window else None


def first_day_told(shipment: Shipment) -> date | None:
    """The day by which the parcel was first said to arrive."""
    return first_told(shipment.first_window or {}, shipment.window or {}, shipment.first_eta_date)


def first_told(
    told: Mapping[str, Any], window: Mapping[str, Any], carrier: date | None
) -> date | None:
    """The last day of a stored first window, or of the one in force where that is the first.

    A carrier's first date is told by its own stamps, whatever order its answers came in.
    """
    first = Window.from_json(told) or Window.from_json(window)
    return carrier if first is None or first.basis == CARRIER else first.last


def noted(shipment: Shipment) -> tuple[Any, ...]:
    """What the lane's row of a parcel follows from: written again where this changes."""
    return (
        shipment.handed_on,
        shipment.near_on,
        shipment.delivered_at,
        shipment.first_window or {},
    )


def note(shipment: Shipment) -> None:
    """Write the parcel's row among its shop's lanes, once it was handed over or promised."""
    if shipment.rma_id is not None or not (shipment.handed_on or shipment.first_window):
        return
    first = Window.from_json(shipment.first_window or {})
    milestones = Milestones(shipment.handed_on, shipment.near_on, shipment.origin)
    row = {"shipment_id": shipment.id, **lane_facts(shipment, shipment.order, milestones)}
    if first is not None:
        row |= {
            "shown_first": first.first,
            "shown_last": first.last,
            "shown_basis": first.basis,
            "shown_parcels": first.parcels,
            "shown_on": date.fromisoformat(shipment.first_window["on"]),
        }
    note_parcels([row], [*FACTS, *SHOWN])


def lane_facts(shipment: Any, order: Any, milestones: Milestones) -> dict[str, Any]:
    """The `FACTS` of one parcel as its lane keeps them."""
    to = place_of(order)
    done = shipment.delivered_at
    return {
        "origin": milestones.origin,
        "country": to.country,
        "region": to.region,
        "area": postcode_key(str(order.address.get("postcode") or ""))[:AREA],
        "carrier": carrier_key(shipment.carrier_code or shipment.carrier),
        "service": shipment.service.strip().casefold(),
        "handed_on": milestones.handed_on,
        "near_on": milestones.near_on,
        "promised": shipment.first_eta_date,
        "delivered_on": done.astimezone(zone_of(order.timezone)).date() if done else None,
        "delivered_at": done,
    }


def forget_lane(shipment: Shipment) -> None:
    """Nothing is known of this parcel any more: its number was another one's."""
    shipment.handed_on = shipment.near_on = None
    shipment.origin = ""
    shipment.forecast, shipment.window, shipment.first_window = {}, {}, {}
    session.execute(
        delete(LaneParcel)
        .where(LaneParcel.shipment_id == shipment.id)
        .execution_options(synchronize_session=False)
    )


def _is_hindsight(shipment: Shipment, window: Window, now: datetime) -> bool:
    """Whether a promise is about a parcel that left long ago, and was brought in just now."""
    left = shipment.shipped_at or shipment.order.placed_at
    return window.basis == PROMISE and now - left > HINDSIGHT


def _journey(
    shipment: Shipment, order: Order, seen: Iterable[Seen], there: tzinfo
) -> Journey | None:
    shop = shop_of(order)
    deciding = [one.scan for one in seen if not one.flags]
    milestones = Milestones.of(deciding, zone_of(shop.timezone), there)
    if shipment.handed_on is not None or milestones.handed_on is not None:
        shipment.handed_on, shipment.near_on = milestones.handed_on, milestones.near_on
        shipment.origin = milestones.origin
    if milestones.handed_on is None:
        return None
    facts = lane_facts(shipment, order, milestones)
    return Journey(**{name: facts[name] for name in JOURNEY})


def _forecast(shipment: Shipment, journey: Journey | None, today: date) -> Forecast | None:
    """The forecast kept with the parcel; made anew only where its journey turned out another.

    Where nothing could be said, it is tried again once a day.
    """
    if journey is None:
        return None
    kept = shipment.forecast or {}
    begun = _told(journey)
    stale = kept.get("of") != begun or ("first" not in kept and kept.get("on") != str(today))
    is_open = shipment.status in ON_ITS_WAY
    if stale and is_open:
        kept = {"of": begun, "on": str(today)}
        lanes = lanes_in_force()
        made = lanes.forecast(journey) if lanes else None
        kept |= made.to_json() if made else {}
    if "first" in kept and is_open and kept.get("near") != str(journey.near_on):
        kept = {**kept, "near": str(journey.near_on), "leg": _leg(journey)}
    shipment.forecast = kept
    return Forecast.from_json(kept) if "first" in kept else None


def _told(journey: Journey) -> list[str]:
    """What a forecast was made of."""
    known = (journey.handed_on, journey.promised, journey.origin, journey.country)
    return [str(each) for each in (*known, journey.region, journey.carrier, journey.service)]


def _leg(journey: Journey) -> list[str]:
    lanes = lanes_in_force() if journey.near_on else None
    days = lanes.last_leg(journey) if lanes else None
    return [day.isoformat() for day in days] if days else []


def _promise(shipment: Shipment, order: Order) -> Window | None:
    carrier = shipment.carrier_code or shipment.carrier
    return promised(order, shipment.shipped_at, carrier, shipment.service or "")


def _is_near(scan: Deciding) -> bool:
    status = Status(scan.status)
    return status is Status.OUT_FOR_DELIVERY or (
        status is Status.IN_TRANSIT and scan.detail in NEAR
    )


def _local(scan: Deciding, zone: tzinfo) -> date:
    if scan.offset_minutes is not None:
        zone = timezone(timedelta(minutes=scan.offset_minutes))
    return scan.at.astimezone(zone).date()
