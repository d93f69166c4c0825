"""What a parcel's present state is worth saying to its customer, and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carriers.window import Window
from portal.models.arrival import first_day_told, last_day, window_on

if TYPE_CHECKING:  # a shipment tells its news: it imports us
    from portal.models.shipment import Shipment

KINDS = frozenset({"shipped", "out_for_delivery", "delivered", "late", "needs_act"})
NOT_YET_MOVING = frozenset({"", "unknown", "pre_transit"})
UNDER_WAY = frozenset({"unknown", "pre_transit", "in_transit"})
NEEDS_ACT = frozenset({"exception", "attempt_failed", "available_for_pickup", "return_to_sender"})
STALE = timedelta(hours=48)
# A shop may hand its orders over some hours late; an import of last month's tells nobody anything.
HANDED_OVER_LATE = timedelta(hours=12)
LIFE = {
    "shipped": timedelta(days=2),
    "delivered": timedelta(days=3),
    "late": timedelta(days=1),
    "needs_act": timedelta(days=2),
    "silent": timedelta(days=2),
    "presumed_lost": timedelta(days=3),
}
WISH = {"silent": "late", "presumed_lost": "late"}  # told to whoever wants to hear of delays


@dataclass(frozen=True, slots=True)
class News:
    """One thing worth saying. `cause` is the same whenever the same thing is meant."""

    kind: str
    cause: str
    expires_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)


def news_of(shipment: Shipment, timezone: str, now: datetime) -> News | None:
    """The one most telling thing that is true of the parcel now; None when nothing is."""
    kind = _kind(shipment)
    scanned = shipment.last_scan_at or (shipment.created_at if _quiet(shipment) else None)
    if kind is None or scanned is None:
        return None
    until = _end_of_day(scanned, timezone) if kind == "out_for_delivery" else now + LIFE[kind]
    facts = _facts(shipment, kind, scanned, window_on(shipment, now))
    return News(kind, _cause(shipment, kind, scanned), until, facts)


def is_after_the_fact(shipment: Shipment, known_since: datetime, now: datetime) -> bool:
    """Whether the newest scan is old, or from before the order came to us."""
    scanned = shipment.last_scan_at
    if scanned is None:
        return _quiet(shipment) is None
    if scanned < known_since - HANDED_OVER_LATE:
        return True
    return _quiet(shipment) is None and scanned < now - STALE


def is_fresh_start(was: str) -> bool:
    """Whether a parcel that is moving now was not moving before."""
    return was in NOT_YET_MOVING


def _kind(shipment: Shipment) -> str | None:
    status, quiet = shipment.status, _quiet(shipment)
    if quiet is not None:
        return quiet
    if status in ("out_for_delivery", "delivered"):
        return status
    if status in NEEDS_ACT:
        return "needs_act"
    if status in UNDER_WAY and _is_late(shipment):
        return "late"
    return "shipped" if status == "in_transit" else None


def _quiet(shipment: Shipment) -> str | None:
    """How quiet the parcel is, where that is news: a problem already told is not also silent."""
    overlays = shipment.overlays or []
    if "presumed_lost" in overlays:
        return "presumed_lost"
    return "silent" if "silent" in overlays and shipment.status not in NEEDS_ACT else None


def _is_late(shipment: Shipment) -> bool:
    first, present = first_day_told(shipment), last_day(shipment)
    moved = first is not None and present is not None and present > first
    return moved or "delayed" in (shipment.overlays or [])


def _cause(shipment: Shipment, kind: str, scanned: datetime) -> str:
    if kind == "late":
        last = last_day(shipment)
        return f"{shipment.id}:late:{last.isoformat() if last else ''}"
    if kind == "needs_act":
        since = shipment.status_since or scanned
        return f"{shipment.id}:{shipment.status}:{since.date().isoformat()}"
    return f"{shipment.id}:{kind}"


def _facts(
    shipment: Shipment, kind: str, scanned: datetime, window: Window | None
) -> dict[str, Any]:
    at = shipment.delivered_at if kind == "delivered" else None
    eta, first = window.last if window else None, first_day_told(shipment)
    return {
        "carrier": shipment.carrier,
        "status": shipment.status,
        "at": (at or scanned).isoformat(),
        "eta": eta.isoformat() if eta else "",
        "eta_from": window.first.isoformat() if window else "",
        "first_eta": first.isoformat() if first and eta and first < eta else "",
    }


def _end_of_day(at: datetime, timezone: str) -> datetime:
    """Midnight after `at` where the parcel is going."""
    try:
        zone = ZoneInfo(timezone or "UTC")
    except (ValueError, OSError, KeyError):
        zone = ZoneInfo("UTC")
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone)
