"""EasyPost's documented test numbers: each stands still in one state."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from carriers.simulated import Step
from portal.sandbox.parcels import Parcel, whole_second


class _Scan(NamedTuple):
    hours_ago: int
    status: str
    detail: str
    message: str
    place: tuple[str | None, str | None, str | None]


_NOWHERE = (None, None, None)
_START = ("AUSTIN", "TX", "78744")
_HUB = ("MEMPHIS", "TN", "38118")
_TOWN = ("RALEIGH", "NC", "27603")

_ROAD: Final = (
    _Scan(720, "pre_transit", "label_created", "Label data received", _NOWHERE),
    _Scan(708, "pre_transit", "label_created", "Label printed", _START),
    _Scan(698, "in_transit", "received_at_origin_facility", "Accepted at facility", _START),
    _Scan(672, "in_transit", "arrived_at_facility", "Arrived at hub", _HUB),
    _Scan(650, "in_transit", "departed_facility", "Departed hub", _HUB),
    _Scan(632, "in_transit", "received_at_destination_facility", "Arrived at depot", _TOWN),
    _Scan(628, "out_for_delivery", "out_for_delivery", "Out for delivery", _TOWN),
)
_DELIVERED = _Scan(624, "delivered", "arrived_at_destination", "Delivered, porch", _TOWN)
_RETURNED = _Scan(620, "return_to_sender", "return", "Returned to sender", _TOWN)
_FAILED = _Scan(620, "failure", "failure", "Could not be delivered", _TOWN)

STORIES: Final[dict[str, tuple[_Scan, ...]]] = {
    "EZ1000000001": _ROAD[:2],
    "EZ2000000002": _ROAD[:5],
    "EZ3000000003": _ROAD,
    "EZ4000000004": (*_ROAD, _DELIVERED),
    "EZ5000000005": (*_ROAD, _RETURNED),
    "EZ6000000006": (*_ROAD, _FAILED),
    "EZ7000000007": (),
}


def standing_parcel(code: str, carrier: str, now: datetime) -> Parcel | None:
    """The parcel of a test number as it stands at `now`; None for any other number."""
    if code not in STORIES:
        return None
    parcel = Parcel(code, carrier, kind="test")
    parcel.told = [_step(scan, now) for scan in STORIES[code]]
    parcel.expected = whole_second(now) if parcel.told else None
    parcel.destination = _step(_ROAD[-1], now)
    return parcel


def _step(scan: _Scan, now: datetime) -> Step:
    city, state, postcode = scan.place
    return Step(
        at=whole_second(now - timedelta(hours=scan.hours_ago)),
        status=scan.status,
        status_detail=scan.detail,
        message=scan.message,
        city=city,
        state=state,
        country="US" if city else None,
        zip=postcode,
        tz_offset_minutes=-300 if city else 0,
        attempt=False,
    )
