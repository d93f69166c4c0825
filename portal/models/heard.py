"""What answers about a parcel say beside their scans: dates, signature, a status without a scan.

Answers come in any order and more than once. So nothing here asks which came last: each fact is
kept from the greatest (or first: the least) answer in one fixed order, which any sequence of the
same answers ends in. The form is a small dictionary that lies in a JSON column.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from carriers.contract import Status, Tracking
from carriers.timeline import RANK

LATE_AFTER = timedelta(days=1)
LAST_ZONE = timezone(timedelta(hours=-12))  # where a day ends last on earth
ON_ITS_WAY = frozenset(
    {
        Status.UNKNOWN,
        Status.PRE_TRANSIT,
        Status.IN_TRANSIT,
        Status.OUT_FOR_DELIVERY,
        Status.ATTEMPT_FAILED,
        Status.EXCEPTION,
    }
)
KEEPS_ITS_DATE = frozenset({Status.DELIVERED, Status.EXCEPTION})


class Said(NamedTuple):
    """One answer, comparable: newer first by its stamp, then by how much it knew."""

    stamp: str
    scans: int
    eta: str
    signed_by: str
    carrier: str
    service: str


NOTHING = Said("", -1, "", "", "", "")


def hear(known: Mapping[str, Any], answer: Tracking, zone: str) -> dict[str, Any]:
    """What is known after `answer`: the same for any order of the same answers."""
    said = _said(answer, zone)
    found = {**known, "newest": list(max(_kept(known, "newest"), said))}
    if said.eta:
        found["dated"] = list(max(_kept(known, "dated"), said))
        first = [said.stamp, said.scans, said.eta]
        found["first"] = min(known.get("first", first), first)
    if said.signed_by:
        found["signed"] = list(max(_kept(known, "signed"), said))
    if not answer.scans:
        found["top"] = max(known.get("top", []), _top(answer))
    return found


def top_of(known: Mapping[str, Any], number: str) -> Tracking | None:
    """The answer without scans whose status counts where no scan does."""
    if "top" not in known:
        return None
    _, stamp, _, status, detail = known["top"]
    updated_at = datetime.fromisoformat(stamp) if stamp else None
    return Tracking("", "", number, Status(status), detail, updated_at=updated_at)


def eta_of(known: Mapping[str, Any], status: Status) -> tuple[date | None, date | None]:
    """The carrier's date now and the first one it gave. A parcel that is done keeps its last."""
    name = "dated" if status in KEEPS_ITS_DATE else "newest"
    now, first = _kept(known, name).eta, known.get("first", ["", 0, ""])[2]
    return (date.fromisoformat(now) if now else None, date.fromisoformat(first) if first else None)


def signed_by(known: Mapping[str, Any], status: Status) -> str:
    """Who signed, for a parcel that is delivered."""
    return _kept(known, "signed").signed_by if status is Status.DELIVERED else ""


def carrier_and_service(known: Mapping[str, Any]) -> tuple[str, str]:
    """The provider's names for the carrier and its service, "" where it gives none."""
    newest = _kept(known, "newest")
    return newest.carrier, newest.service


def is_delayed(
    status: Status, eta: date | None, first: date | None, zone: str, now: datetime
) -> bool:
    """Whether the date moved by a day or more, or has passed where the parcel goes."""
    if eta is None or status not in ON_ITS_WAY:
        return False
    moved = first is not None and eta - first >= LATE_AFTER
    return moved or now.astimezone(zone_of(zone)).date() > eta


def zone_of(name: str) -> tzinfo:
    """The time zone of that name; where it is unknown, the one whose day ends last."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return LAST_ZONE


def _said(answer: Tracking, zone: str) -> Said:
    eta = answer.estimated_local_date
    if eta is None and answer.estimated_delivery is not None:
        eta = answer.estimated_delivery.astimezone(zone_of(zone) if zone else UTC).date()
    return Said(
        _stamp(answer),
        len(answer.scans),
        eta.isoformat() if eta else "",
        (answer.signed_by or "")[:120],
        answer.carrier[:80],
        (answer.service or "")[:120],
    )


def _top(answer: Tracking) -> list[Any]:
    known = answer.status is not Status.UNKNOWN
    rank = RANK[answer.status]
    return [known, _stamp(answer), rank, answer.status.value, answer.detail[:60]]


def _stamp(answer: Tracking) -> str:
    """ISO 8601 in UTC at one width, so that text compares as time."""
    if answer.updated_at is None:
        return ""
    return answer.updated_at.astimezone(UTC).isoformat(timespec="microseconds")


def _kept(known: Mapping[str, Any], name: str) -> Said:
    return Said(*known[name]) if name in known else NOTHING
