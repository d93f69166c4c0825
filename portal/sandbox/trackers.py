"""Trackers: opening them, telling what is due, and showing them in EasyPost's shape."""

import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any, Final

from carriers.simulated import Step
from portal.sandbox.account import Account, Tracker, new_id, stamp
from portal.sandbox.asked import TrackerAsked, plain_code
from portal.sandbox.carrier_names import NAMES
from portal.sandbox.easypost_numbers import STORIES
from portal.sandbox.parcels import Parcel
from portal.sandbox.refusals import Json, tracker_refused

SAME_FOR: Final = timedelta(days=90)  # the same number and carrier is the same tracker: 3 months
_FEE: Final = {
    "object": "Fee",
    "type": "TrackerFee",
    "amount": "0.02000",
    "charged": False,
    "refunded": False,
}
GUESSES: Final = (
    (re.compile(r"1Z[0-9A-Z]{16}"), "UPS"),
    (re.compile(r"9[0-5]\d{18,24}|[A-Z]{2}\d{9}US"), "USPS"),
    (re.compile(r"\d{12}|\d{15}"), "FedEx"),
)


def open_tracker(account: Account, asked: TrackerAsked) -> tuple[Tracker, bool]:
    """The tracker of that number and carrier, and whether it is new. Raises Refusal 422."""
    code = plain_code(asked.tracking_code)
    carrier = _carrier(account, code, asked.carrier)
    now = account.clock()
    known = account.trackers.get(account.newest.get((carrier, code), ""))
    if known is not None and now - known.created_at < SAME_FOR:
        return known, False
    return add_tracker(account, code, carrier, is_return=asked.is_return), True


def add_tracker(
    account: Account,
    code: str,
    carrier: str,
    *,
    tracker_id: str | None = None,
    shipment_id: str | None = None,
    is_return: bool = False,
) -> Tracker:
    """A new tracker; says `tracker.created`."""
    now = account.clock()
    tracker = Tracker(tracker_id or new_id("trk"), code, carrier, now, now, shipment_id, is_return)
    account.stand_in_for(tracker)
    account.trackers[tracker.id] = tracker
    account.newest[carrier, code] = tracker.id
    account.happened("tracker.created", shown(account, tracker))
    return tracker


def _carrier(account: Account, code: str, given: str | None) -> str:
    if given is not None and given not in NAMES:
        message = f"The carrier {given!r} is not supported for tracking."
        raise tracker_refused("UNSUPPORTED_CARRIER", message, "carrier")
    demo = [carrier for carrier, number in account.parcels if number == code]
    if given is not None:
        if demo and given not in demo:
            message = "The tracking code does not belong to the carrier given."
            raise tracker_refused("CARRIER_CODE_MISMATCH", message, "carrier")
        return given
    if len(demo) > 1:
        message = "More than one carrier uses this tracking code."
        raise tracker_refused("MULTIPLE_CARRIERS_FOR_CODE", message, "carrier")
    guess = demo[0] if demo else _guess(code)
    if guess is None:
        message = "No carrier could be found for this tracking code."
        raise tracker_refused("NO_CARRIER_FOR_CODE", message, "tracking_code")
    return guess


def _guess(code: str) -> str | None:
    if code in STORIES:
        return "USPS"
    return next((carrier for form, carrier in GUESSES if form.fullmatch(code)), None)


def tell_due(account: Account) -> int:
    """Tell every scan whose time has come, oldest due first; returns how many were told."""
    told = 0
    now = account.clock()
    for parcel in account.parcels.values():
        while _tell(account, parcel, now, early=False):
            told += 1
    return told


def advance(account: Account, parcel: Parcel) -> bool:
    """Tell one more scan of this parcel now. False when its story is over."""
    return _tell(account, parcel, account.clock(), early=True)


def _tell(account: Account, parcel: Parcel, now: datetime, *, early: bool) -> bool:
    before = _state(parcel)[0]
    if not (parcel.advance(now) if early else parcel.tell_next(now)):
        return False
    for tracker in account.trackers.values():
        if account.scans_of(tracker) is parcel:
            tracker.updated_at = now
            account.happened("tracker.updated", shown(account, tracker), {"status": before})
    return True


def _state(parcel: Parcel | None) -> tuple[str, str]:
    if parcel is None or not parcel.told:
        return "unknown", "unknown"
    return parcel.told[-1]["status"], parcel.told[-1]["status_detail"]


def shown(account: Account, tracker: Tracker) -> Json:
    """The whole tracker as POST and GET of one give it and as webhooks carry it."""
    parcel = account.scans_of(tracker)
    told = parcel.told if parcel else []
    status, detail = _state(parcel)
    public = urlsafe_b64encode(f"v1:{tracker.id}".encode()).decode().rstrip("=")
    return {
        "id": tracker.id,
        "object": "Tracker",
        "mode": "test",
        "tracking_code": tracker.tracking_code,
        "status": status,
        "status_detail": detail,
        "created_at": stamp(tracker.created_at),
        "updated_at": stamp(tracker.updated_at),
        "signed_by": "Rehearsal Neighbour" if status == "delivered" else None,
        "weight": None,
        "est_delivery_date": stamp(parcel.expected)
        if parcel and told and parcel.expected
        else None,
        "shipment_id": tracker.shipment_id,
        "carrier": tracker.carrier,
        "tracking_details": [_detail(parcel, step) for step in told] if parcel else [],
        "carrier_detail": _carrier_detail(parcel) if parcel and told else None,
        "delivery_evidence": [],
        "finalized": bool(parcel and told and not parcel.planned),
        "is_return": tracker.is_return,
        "public_url": f"https://track.easypost.com/{public}",
        "fees": [_FEE] if tracker.shipment_id is None else [],
    }


def listed(account: Account, tracker: Tracker) -> Json:
    """The tracker as lists and shipments hold it: two fields fewer."""
    whole = shown(account, tracker)
    return {key: whole[key] for key in whole if key not in ("finalized", "is_return")}


def _detail(parcel: Parcel, step: Step) -> Json:
    return {
        "object": "TrackingDetail",
        "message": step["message"],
        "description": "",
        "status": step["status"],
        "status_detail": step["status_detail"],
        "datetime": _when(parcel, step),
        "source": parcel.carrier,
        "carrier_code": "",
        "tracking_location": _location(step),
        "est_delivery_date": None,
    }


def _when(parcel: Parcel, step: Step) -> str:
    if not parcel.local_times or step["city"] is None:
        return stamp(step["at"])
    local = step["at"] + timedelta(minutes=step["tz_offset_minutes"])
    minutes = abs(step["tz_offset_minutes"])
    sign = "-" if step["tz_offset_minutes"] < 0 else "+"
    return f"{local:%Y-%m-%dT%H:%M:%S}{sign}{minutes // 60:02}:{minutes % 60:02}"


def _location(step: Step) -> Json:
    return {
        "object": "TrackingLocation",
        "city": step["city"],
        "state": step["state"],
        "country": step["country"],
        "zip": step["zip"],
    }


def _carrier_detail(parcel: Parcel) -> Json:
    placed = [step for step in parcel.told if step["city"]]
    attempt = next((step for step in parcel.told if step["attempt"]), None)
    end = parcel.destination
    return {
        "object": "CarrierDetail",
        "service": parcel.service,
        "container_type": None,
        "est_delivery_date_local": _local_date(parcel),
        "est_delivery_time_local": None,
        "origin_location": _words(placed[0]) if placed else None,
        "origin_tracking_location": _location(placed[0]) if placed else None,
        "destination_location": _words(end) if end else None,
        "destination_tracking_location": _location(end)
        if end and parcel.told[-1]["city"]
        else None,
        "guaranteed_delivery_date": None,
        "alternate_identifier": None,
        "initial_delivery_attempt": _when(parcel, attempt) if attempt else None,
    }


def _local_date(parcel: Parcel) -> str | None:
    """The expected day as the town of the receiver counts it."""
    if parcel.expected is None:
        return None
    minutes = parcel.destination["tz_offset_minutes"] if parcel.destination else 0
    return f"{parcel.expected + timedelta(minutes=minutes):%Y-%m-%d}"


def _words(step: Step) -> str:
    parts: list[Any] = [step["city"], step["state"] or step["country"]]
    return " ".join(str(part) for part in parts if part) + (f", {step['zip']}" * bool(step["zip"]))
