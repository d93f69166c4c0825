"""Whether a parcel is quieter than its lane: silent, or presumed lost. Pure.

A gap counts working days alone: weekends and holidays of the place it goes to stand still. With
enough past gaps the parcel's own lane and status say what is rare; with fewer, defaults that are
usual in the trade hold. A parcel whose next word is the customer's or its end is never quiet.

The defaults: a label without a scan for 4 business days, no scan under way for 3 at home and 5
abroad (Onward's shipping exceptions); presumed lost after 7 days at home and 20 abroad (Route).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final

from carriers.contract import Status

SILENT_SHARE: Final = 0.95  # a gap longer than this share of the lane's is rarer than 5 %
LOST_SHARE: Final = 0.995
ENOUGH_TO_BE_SILENT: Final = 100  # gaps a threshold may stand on: five lie beyond it
ENOUGH_TO_BE_LOST: Final = 1000
LEAST: Final = timedelta(days=1)  # no lane is so quick that less is told to anybody …
LEAST_TO_BE_LOST: Final = timedelta(days=3)  # … or that a parcel is given up any sooner
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=366)  # counted no farther: quieter than anything by then
LONGEST_GAP: Final = 60 * 24  # hours; longer ones are learned as so long
MOST_LANES: Final = 500  # learned apart; what is beyond counts for the broader ones alone


class Quiet(StrEnum):
    """How quiet, in the words of a parcel's overlays."""

    SILENT = "silent"
    PRESUMED_LOST = "presumed_lost"


@dataclass(frozen=True, slots=True)
class Patience:
    """Working time without a scan, up to which nothing is said."""

    silent: timedelta
    lost: timedelta

    def quietness(self, gap: timedelta) -> Quiet | None:
        """How quiet a parcel is after `gap` of working time; None while that is usual."""
        if gap > self.lost:
            return Quiet.PRESUMED_LOST
        return Quiet.SILENT if gap > self.silent else None


def _days(silent: int, lost: int) -> Patience:
    return Patience(silent * DAY, lost * DAY)


_UNSEEN: Final = _days(4, 20)  # announced, but never scanned
_WITHIN: Final = _days(3, 7)
_ABROAD: Final = _days(5, 20)
DOMESTIC: Final = {
    Status.UNKNOWN: _UNSEEN,
    Status.PRE_TRANSIT: _UNSEEN,
    Status.IN_TRANSIT: _WITHIN,
    Status.OUT_FOR_DELIVERY: _days(1, 7),
    Status.EXCEPTION: _WITHIN,
    Status.ATTEMPT_FAILED: _WITHIN,
}
INTERNATIONAL: Final = {
    Status.UNKNOWN: _UNSEEN,
    Status.PRE_TRANSIT: _UNSEEN,
    Status.IN_TRANSIT: _ABROAD,
    Status.OUT_FOR_DELIVERY: _days(2, 20),
    Status.EXCEPTION: _ABROAD,
    Status.ATTEMPT_FAILED: _ABROAD,
}


@dataclass(frozen=True, slots=True)
class Lane:
    """A way parcels go: by which carrier, to which country, and whether over a border."""

    carrier: str
    country: str
    is_abroad: bool = False

    def names(self) -> tuple[str, str]:
        """The lane itself, and the broader one it belongs to."""
        return f"{self.carrier}>{self.country}", "abroad" if self.is_abroad else "home"


@dataclass(frozen=True, slots=True)
class Usual:
    """What past gaps of one lane and status say: their number, and how long the rare ones are."""

    gaps: int
    silent: timedelta
    lost: timedelta


@dataclass(slots=True)
class Gaps:
    """Past gaps between scans, by lane and status, in hours of working time.

    Each is a count of hours, so that its size does not grow with what it saw.
    """

    counts: dict[str, dict[int, int]] = field(default_factory=dict)

    def learn(self, lane: Lane, status: Status, gap: timedelta) -> None:
        """Take in a gap of working time that a scan has ended."""
        if status not in DOMESTIC:
            return
        hours = min(LONGEST_GAP, int(gap / HOUR))
        narrow, broad = (f"{key} {status.value}" for key in lane.names())
        for name in (narrow, broad):
            has_room = len(self.counts) < MOST_LANES * len(DOMESTIC)
            if has_room or name in self.counts or name == broad:
                found = self.counts.setdefault(name, {})
                found[hours] = found.get(hours, 0) + 1

    def usual(self) -> dict[str, Usual]:
        """What is usual on each lane that has enough gaps to say it."""
        found = {}
        for name, counts in self.counts.items():
            gaps = sum(counts.values())
            if gaps >= ENOUGH_TO_BE_SILENT:
                silent, lost = (_rare(counts, gaps, share) for share in (SILENT_SHARE, LOST_SHARE))
                found[name] = Usual(gaps, silent, lost)
        return found


def kept(usual: Mapping[str, Usual]) -> dict[str, Any]:
    """As plain numbers, for storing."""
    return {
        name: [one.gaps, one.silent / HOUR, one.lost / HOUR] for name, one in sorted(usual.items())
    }


def read_kept(plain: Mapping[str, Any]) -> dict[str, Usual]:
    """What `kept` gave."""
    return {
        name: Usual(int(gaps), float(silent) * HOUR, float(lost) * HOUR)
        for name, (gaps, silent, lost) in plain.items()
    }


def patience_with(
    status: Status, lane: Lane, usual: Mapping[str, Usual] | None = None
) -> Patience | None:
    """How long a parcel's silence is borne; None where it is never called quiet.

    Each threshold stands on the narrowest lane that has enough gaps for it.
    """
    found = (INTERNATIONAL if lane.is_abroad else DOMESTIC).get(status)
    if found is None:
        return None
    silent, lost = found.silent, found.lost
    past = [(usual or {}).get(f"{key} {status.value}") for key in lane.names()]
    for one in reversed([each for each in past if each is not None]):
        if one.gaps >= ENOUGH_TO_BE_LOST:
            lost = max(one.lost, LEAST_TO_BE_LOST)
        if one.gaps >= ENOUGH_TO_BE_SILENT:
            silent = max(one.silent, LEAST)
    return Patience(min(silent, lost), lost)


def working_time(
    since: datetime, until: datetime, zone: tzinfo, days: Container[date]
) -> timedelta:
    """The time from `since` to `until` within `days`, the business days of `zone`.

    Both are aware. Nothing when `until` is first; counted no farther than a year.
    """
    until = min(until, since + LONGEST)
    worked = timedelta()
    day = since.astimezone(zone).date()
    while (begins := _midnight(day, zone)) < until:
        if day in days:
            ends = _midnight(day + DAY, zone)
            worked += max(timedelta(), min(ends, until) - max(begins, since))
        day += DAY
    return worked


def after_working(
    since: datetime, worked: timedelta, zone: tzinfo, days: Container[date]
) -> datetime:
    """The first moment at which that much working time has passed; at most a year later."""
    day, at = since.astimezone(zone).date(), since
    while worked > timedelta() and at < since + LONGEST:
        begins, ends = max(at, _midnight(day, zone)), _midnight(day + DAY, zone)
        at = ends
        if day in days:
            at = min(ends, begins + worked)
            worked -= at - begins
        day += DAY
    return min(at, since + LONGEST)


def _midnight(day: date, zone: tzinfo) -> datetime:
    """In UTC, so that differences are real time whatever the clocks do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _rare(counts: Mapping[int, int], gaps: int, share: float) -> timedelta:
    """The end of the hour in which the gap at this share lies."""
    before = 0
    for hours in sorted(counts):
        before += counts[hours]
        if before >= share * gaps:
            return (hours + 1) * HOUR
    raise ValueError("There are no gaps.")
