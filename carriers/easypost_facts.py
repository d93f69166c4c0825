"""EasyPost's tracker object in our words. Pure: the same for a poll, a hook and a recording.

`failure` is an exception. It is a failed attempt only where the scan's own instant is the
`carrier_detail.initial_delivery_attempt`: EasyPost has no word for an attempt, and reading one out
of free text turns "could not be delivered" into anything. `error` means EasyPost could not track,
which says nothing of the parcel: unknown, with its detail kept.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from carriers.contract import BadPayload, Place, Scan, Status, Tracking

STATUSES: Final = {
    "unknown": Status.UNKNOWN,
    "pre_transit": Status.PRE_TRANSIT,
    "in_transit": Status.IN_TRANSIT,
    "out_for_delivery": Status.OUT_FOR_DELIVERY,
    "delivered": Status.DELIVERED,
    "available_for_pickup": Status.AVAILABLE_FOR_PICKUP,
    "return_to_sender": Status.RETURN_TO_SENDER,
    "failure": Status.EXCEPTION,
    "cancelled": Status.CANCELLED,
    "error": Status.UNKNOWN,
}

_NOTHING: Final[Mapping[str, Any]] = {}
_TOWN: Final = re.compile(
    r"^(?P<city>.+?),? (?P<region>[A-Z]{2}),? (?P<rest>\d{5}(?:-\d{4})?|[A-Z]{2})$"
)


def normalise(tracker: Mapping[str, Any]) -> Tracking:
    """One tracker object as Tracking; the object itself stays whole in `raw`.

    Every tracking detail with a readable time becomes a Scan, in the order given; a detail without
    one stays in `raw` alone, since no instant is invented. Raises BadPayload when this is no
    tracker.
    """
    number = tracker.get("tracking_code") if isinstance(tracker, Mapping) else None
    provider_id = tracker.get("id") if number else None
    if not (isinstance(number, str) and isinstance(provider_id, str)):
        raise BadPayload("EasyPost sent a tracker without id or number; nothing of it was used.")
    about = _mapping(tracker.get("carrier_detail"))
    carrier = _text(tracker.get("carrier"))
    attempted_at = read_time(about.get("initial_delivery_attempt"))[0]
    status, detail = _status(tracker)
    estimated, local_date = _estimate(tracker.get("est_delivery_date"), about)
    return Tracking(
        provider_id=provider_id,
        carrier=carrier,
        tracking_number=number,
        status=status,
        detail=detail,
        scans=_scans(tracker.get("tracking_details"), carrier, attempted_at),
        estimated_delivery=estimated,
        estimated_local_date=local_date,
        service=_text(about.get("service")) or None,
        signed_by=_text(tracker.get("signed_by")) or None,
        origin=_place(about.get("origin_tracking_location"), about.get("origin_location")),
        destination=_place(
            about.get("destination_tracking_location"), about.get("destination_location")
        ),
        weight_oz=_number(tracker.get("weight")),
        attempted_at=attempted_at,
        updated_at=read_time(tracker.get("updated_at"))[0],
        is_return=tracker.get("is_return") is True,
        finalized=tracker.get("finalized") is True,
        public_url=_web_address(tracker.get("public_url")),
        raw=tracker,
    )


def read_time(value: object) -> tuple[datetime | None, int | None]:
    """An instant in UTC, and the local offset in minutes where the text gives one.

    `Z` and no zone at all both mean UTC and tell nothing of the place: offset None.
    """
    if not isinstance(value, str):
        return None, None
    try:
        moment = datetime.fromisoformat(value)
        zone = moment.tzinfo
        if zone is UTC:
            return moment, 0 if value.endswith("+00:00") else None
        if zone is None:
            return moment.replace(tzinfo=UTC), None
        return moment.astimezone(UTC), _minutes(moment)
    except (ValueError, OverflowError):
        return None, None


def _minutes(moment: datetime) -> int:
    offset = moment.utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def _scans(details: object, carrier: str, attempted_at: datetime | None) -> tuple[Scan, ...]:
    if not isinstance(details, list):
        return ()
    found = (_scan(item, carrier, attempted_at) for item in details if isinstance(item, Mapping))
    return tuple(scan for scan in found if scan is not None)


def _scan(item: Mapping[str, Any], carrier: str, attempted_at: datetime | None) -> Scan | None:
    at, offset = read_time(item.get("datetime"))
    if at is None:
        return None
    status, detail = _status(item)
    if status is Status.EXCEPTION and at == attempted_at:
        status = Status.ATTEMPT_FAILED
    town = _mapping(item.get("tracking_location"))
    return Scan(
        at=at,
        status=status,
        offset_minutes=offset,
        detail=detail,
        code=_text(item.get("carrier_code")),
        message=_text(item.get("message")) or _text(item.get("description")),
        city=_text(town.get("city")) or None,
        region=_text(town.get("state")) or None,
        country=_text(town.get("country")) or None,
        postcode=_text(town.get("zip")) or None,
        source=_text(item.get("source")) or carrier,
        raw=item,
    )


def _status(told: Mapping[str, Any]) -> tuple[Status, str]:
    """Our status, and their sub-status; without one, a word we do not keep apart stays as it."""
    word = _text(told.get("status"))
    status = STATUSES.get(word, Status.UNKNOWN)
    detail = _text(told.get("status_detail"))
    if status is Status.UNKNOWN and word != "unknown":
        detail = detail if detail not in ("", "unknown") else word
    return status, detail


def _estimate(value: object, about: Mapping[str, Any]) -> tuple[datetime | None, date | None]:
    """The carrier's estimate as an instant, as a local date, or as both.

    Midnight means that only a day is known. Moving it through a zone would show the day before.
    """
    local = _local_date(about.get("est_delivery_date_local"))
    at, offset = read_time(value)
    if at is None or not isinstance(value, str):
        return None, local
    there = datetime.fromisoformat(value)
    if (there.hour, there.minute, there.second) == (0, 0, 0):
        return None, local or there.date()
    return at, local or (there.date() if offset is not None else None)


def _local_date(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _place(town: object, line: object) -> Place:
    """The place as parts, else out of a line such as "HOUSTON TX, 77001"."""
    if isinstance(town, Mapping) and town.get("city"):
        return Place(
            _text(town.get("city")) or None,
            _text(town.get("state")) or None,
            _text(town.get("country")) or None,
            _text(town.get("zip")) or None,
        )
    words = _text(line)
    parts = _TOWN.match(words)
    if parts is None:
        return Place(city=words or None)
    rest = parts["rest"]
    return Place(
        parts["city"],
        parts["region"],
        None if rest[0].isdigit() else rest,
        rest if rest[0].isdigit() else None,
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _NOTHING


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _web_address(value: object) -> str | None:
    """Only https: this ends in a link on a page."""
    return value if isinstance(value, str) and value.startswith("https://") else None
