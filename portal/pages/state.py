"""One parcel, one state: what its page speaks of."""

from enum import StrEnum

from portal.pages.facts import ParcelFacts


class State(StrEnum):
    """What the page says about a parcel: status, detail and overlays folded into one."""

    PLACED = "placed"
    PACKED = "packed"
    UNKNOWN = "unknown"
    MOVING = "moving"
    NEAR = "near"
    OUT_FOR_DELIVERY = "out_for_delivery"
    PICKUP = "pickup"
    DELIVERED = "delivered"
    LATE = "late"
    QUIET = "quiet"
    ADDRESS = "address"
    WEATHER = "weather"
    CUSTOMS = "customs"
    INFORMATION = "information"
    DAMAGED = "damaged"
    HELD = "held"
    REFUSED = "refused"
    MISSORTED = "missorted"
    PROBLEM = "problem"
    ATTEMPT_FAILED = "attempt_failed"
    LOST = "lost"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


FINAL = {
    "delivered": State.DELIVERED,
    "cancelled": State.CANCELLED,
    "expired": State.EXPIRED,
    "return_to_sender": State.RETURNING,
}
WAITING = {"available_for_pickup": State.PICKUP, "attempt_failed": State.ATTEMPT_FAILED}
TROUBLE = {
    "address_correction": State.ADDRESS,
    "awaiting_information": State.INFORMATION,
    "customs": State.CUSTOMS,
    "damaged": State.DAMAGED,
    "held": State.HELD,
    "lost": State.LOST,
    "missorted": State.MISSORTED,
    "refused": State.REFUSED,
    "return": State.RETURNING,
    "weather_delay": State.WEATHER,
    "delayed": State.LATE,
    "delivery_exception": State.PROBLEM,
    "transit_exception": State.PROBLEM,
    "failure": State.PROBLEM,
    "arrived_at_pickup_location": State.PICKUP,
}
NEAR = {"arrived_at_destination", "received_at_destination_facility"}
RUNNING = {
    "pre_transit": State.PACKED,
    "in_transit": State.MOVING,
    "out_for_delivery": State.OUT_FOR_DELIVERY,
    "exception": State.PROBLEM,
}


def state_of(parcel: ParcelFacts, is_overdue: bool = False) -> State:
    """Fold a parcel's status, detail and overlays into the one state its page speaks of.

    `is_overdue` says that the arrival it was given lies in the past. A status we do not know is
    UNKNOWN, never guessed.
    """
    if parcel.status == "return_to_sender" and parcel.delivered_at:
        return State.RETURNED
    if parcel.status in FINAL:
        return FINAL[parcel.status]
    if "presumed_lost" in parcel.overlays:
        return State.LOST
    if parcel.status in WAITING:
        return WAITING[parcel.status]
    if parcel.status in ("exception", "in_transit") and parcel.detail in TROUBLE:
        return TROUBLE[parcel.detail]
    return _on_the_way(parcel, is_overdue)


def _on_the_way(parcel: ParcelFacts, is_overdue: bool) -> State:
    if parcel.status == "out_for_delivery" and "silent" not in parcel.overlays:
        return State.OUT_FOR_DELIVERY
    if "delayed" in parcel.overlays or is_overdue:
        return State.LATE
    if "silent" in parcel.overlays and parcel.since:
        return State.QUIET
    if parcel.status == "in_transit" and parcel.detail in NEAR:
        return State.NEAR
    return RUNNING.get(parcel.status, State.UNKNOWN)
