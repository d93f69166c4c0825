"""Any pile of scans, in any order, twice over: one state and one ordered history. Pure.

Nothing here is carried on from one reading to the next. Keep every scan, and read them all again
with the present `now`: a scan from the future counts once its time has come.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from carriers.contract import Scan, Status, Tracking

AHEAD: Final = timedelta(hours=24)  # clocks and zones are wrong by less than this
OLDER_PARCEL: Final = timedelta(days=10)  # numbers are used again; before shipment less this

FUTURE: Final = "future"
UNKNOWN: Final = "unknown"
OLDER: Final = "older_parcel"
RESTATED: Final = "restated"

# How far along: decides between scans of the same instant, and nothing else.
RANK: Final = {
    status: rank
    for rank, status in enumerate(
        (
            Status.UNKNOWN,
            Status.EXPIRED,
            Status.PRE_TRANSIT,
            Status.IN_TRANSIT,
            Status.EXCEPTION,
            Status.OUT_FOR_DELIVERY,
            Status.ATTEMPT_FAILED,
            Status.AVAILABLE_FOR_PICKUP,
            Status.CANCELLED,
            Status.RETURN_TO_SENDER,
            Status.DELIVERED,
        )
    )
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A scan and what is odd about it.

    `future`: more than a day ahead of now. `unknown`: a word we do not know. `older_parcel`: from
    before this parcel. `restated`: the same event as another scan, told less far along. A scan with
    any of them decides nothing.
    """

    scan: Scan
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """A parcel, as far as its carrier has told."""

    status: Status
    detail: str
    since: datetime | None  # first scan of the unbroken run that ends in the present status
    delivered_at: datetime | None  # newest delivery; None while it is not delivered, or no more
    last_scan_at: datetime | None  # newest scan of this parcel that is not from the future
    seen: tuple[Seen, ...]  # every scan ever told, oldest first

    @property
    def shown(self) -> tuple[Seen, ...]:
        """The history, oldest first: without older parcels' scans and without doubles."""
        return tuple(seen for seen in self.seen if not seen.flags & {OLDER, RESTATED})


def merge(known: Iterable[Scan], new: Iterable[Scan]) -> tuple[Scan, ...]:
    """The union by `Scan.key`, oldest first, at equal instants the furthest along last."""
    return tuple(scan for scan, _ in _union([*known, *new]))


def read(
    scans: Iterable[Scan],
    *,
    now: datetime,
    top: Tracking | None = None,
    not_before: datetime | None = None,
) -> State:
    """What all `scans` together say at `now`: equal for any order and any doubling of them.

    `top` is an answer that brought no scans (see `newest_top`); its status fills in only where no
    scan decides, and it never dates a delivery. `not_before` is where this parcel can begin:
    `begins(...)` of its shipping or order time.
    """
    ordered = _union(scans)
    furthest = {_event(scan): key for scan, key in ordered}
    seen = tuple(
        Seen(scan, _flags(scan, now, not_before, restated=furthest[_event(scan)] != key))
        for scan, key in ordered
    )
    deciding = [one.scan for one in seen if not one.flags]
    told = [one.scan.at for one in seen if not one.flags & {FUTURE, OLDER}]
    last = max(told, default=None)
    if deciding:
        newest = deciding[-1]
        delivered = newest.status is Status.DELIVERED
        return State(
            status=newest.status,
            detail=newest.detail,
            since=_since(deciding),
            delivered_at=newest.at if delivered else None,
            last_scan_at=last,
            seen=seen,
        )
    if top is None or top.scans or (top.updated_at and top.updated_at > now + AHEAD):
        return State(Status.UNKNOWN, "", None, None, last, seen)
    since = None if top.status is Status.UNKNOWN else top.updated_at
    return State(top.status, top.detail, since, None, last, seen)


def begins(moment: datetime) -> datetime:
    """The earliest scan that can belong to a parcel shipped (else ordered) at `moment`."""
    return moment - OLDER_PARCEL


def newest_top(answers: Iterable[Tracking]) -> Tracking | None:
    """The answer without scans whose status counts: known word first, newest, furthest along."""
    bare = [answer for answer in answers if not answer.scans]
    return max(bare, key=_top_weight, default=None)


def _top_weight(answer: Tracking) -> tuple[bool, float, int, str, str]:
    stamp = answer.updated_at.timestamp() if answer.updated_at else 0.0
    known = answer.status is not Status.UNKNOWN
    return known, stamp, RANK[answer.status], answer.detail, answer.provider_id


def _union(scans: Iterable[Scan]) -> list[tuple[Scan, str]]:
    kept: dict[str, Scan] = {}
    for scan in scans:
        key = scan.key()
        other = kept.setdefault(key, scan)
        if other is not scan and other != scan:
            kept[key] = max(other, scan, key=_fullness)
    pairs = [(scan, key) for key, scan in kept.items()]
    pairs.sort(key=lambda pair: (pair[0].at, RANK[pair[0].status], pair[1]))
    return pairs


def _fullness(scan: Scan) -> tuple[bool, int, str, str]:
    """Which of two tellings of one scan is kept; any fixed order does, if it is the same always."""
    words = f"{scan.message}\x1f{scan.city}\x1f{scan.region}\x1f{scan.country}\x1f{scan.source}"
    raw = json.dumps(scan.raw, sort_keys=True, default=str)
    return scan.offset_minutes is not None, scan.offset_minutes or 0, words, raw


def _event(scan: Scan) -> tuple[datetime, str, str, str, str]:
    """What makes two scans the same event in a carrier's mouth, whatever status it now gives."""
    if not (scan.message or scan.code):  # nothing tells them apart but the status
        return scan.at, "", scan.status.value, scan.key(), scan.source
    place = f"{scan.city or ''}\x1f{scan.country or ''}\x1f{scan.postcode or ''}".casefold()
    return scan.at, scan.code, " ".join(scan.message.split()).casefold(), place, scan.source


def _flags(
    scan: Scan, now: datetime, not_before: datetime | None, *, restated: bool
) -> frozenset[str]:
    found = set()
    if scan.at > now + AHEAD:
        found.add(FUTURE)
    if scan.status is Status.UNKNOWN:
        found.add(UNKNOWN)
    if not_before is not None and scan.at < not_before:
        found.add(OLDER)
    if restated:
        found.add(RESTATED)
    return frozenset(found) if found else _NO_FLAGS


_NO_FLAGS: Final[frozenset[str]] = frozenset()


def _since(deciding: list[Scan]) -> datetime:
    present = deciding[-1].status
    first = deciding[-1].at
    for scan in reversed(deciding):
        if scan.status is not present:
            break
        first = scan.at
    return first
