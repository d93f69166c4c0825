"""Whether a parcel is quieter than its lane: silent, or presumed lost. Pure.

A gap counts working hours alone: weekends and holidays of the place it goes to stand still. With
enough past gaps the parcel's own lane and status say what is rare; with fewer, defaults that are
usual in the trade hold. A parcel whose next word is the customer's or its end is never quiet.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from carriers.contract import Status
from carriers.eta import quantile

SILENT_SHARE: Final = 0.95  # a gap longer than this share of the lane's is rarer than 5 %
LOST_SHARE: Final = 0.995
ENOUGH_TO_BE_SILENT: Final = 100  # gaps a threshold may stand on: five lie beyond it
ENOUGH_TO_BE_LOST: Final = 1000
WEEKEND: Final = frozenset({5, 6})
LONGEST: Final = timedelta(days=366)  # counted no farther: quieter than anything by then


class Quiet(StrEnum):
    """How quiet, in the words of a parcel's overlays."""

    SILENT = "silent"
    PRESUMED_LOST = "presumed_lost"


@dataclass(frozen=True, slots=True)
class Patience:
    """Working days without a scan, up to which nothing is said."""

    silent: int
    lost: int


_UNSEEN: Final = Patience(4, 20)  # announced, but never scanned
_WITHIN: Final = Patience(3, 7)
_ABROAD: Final = Patience(5, 20)
DOMESTIC: Final = {
    Status.UNKNOWN: _UNSEEN,
    Status.PRE_TRANSIT: _UNSEEN,
    Status.IN_TRANSIT: _WITHIN,
    Status.OUT_FOR_DELIVERY: Patience(1, 7),
    Status.EXCEPTION: _WITHIN,
    Status.ATTEMPT_FAILED: _WITHIN,
}
INTERNATIONAL: Final = {
    Status.UNKNOWN: _UNSEEN,
    Status.PRE_TRANSIT: _UNSEEN,
    Status.IN_TRANSIT: _ABROAD,
    Status.OUT_FOR_DELIVERY: Patience(2, 20),
    Status.EXCEPTION: _ABROAD,
    Status.ATTEMPT_FAILED: _ABROAD,
}


def quietness(
    status: Status,
    gap: timedelta,
    *,
    is_abroad: bool = False,
    past: Sequence[timedelta] = (),
) -> Quiet | None:
    """How quiet a parcel is after `gap` of working time (see `working_time`); None while usual.

    `past` are earlier gaps of the same lane and status, in working time and in rising order.
    """
    patience = (INTERNATIONAL if is_abroad else DOMESTIC).get(status)
    if patience is None:
        return None
    lost = timedelta(days=patience.lost)
    silent = timedelta(days=patience.silent)
    if len(past) >= ENOUGH_TO_BE_LOST:
        lost = _rare(past, LOST_SHARE)
    if len(past) >= ENOUGH_TO_BE_SILENT:
        silent = min(_rare(past, SILENT_SHARE), lost)
    if gap > lost:
        return Quiet.PRESUMED_LOST
    return Quiet.SILENT if gap > silent else None


def working_time(
    since: datetime, until: datetime, zone: tzinfo, holidays: AbstractSet[date] = frozenset()
) -> timedelta:
    """The time from `since` to `until` on days of `zone` that are no weekend and no holiday.

    Both are aware. Nothing when `until` is first; counted no farther than a year.
    """
    until = min(until, since + LONGEST)
    worked = timedelta()
    day = since.astimezone(zone).date()
    while (begins := _midnight(day, zone)) < until:
        next_day = day + timedelta(days=1)
        if day.weekday() not in WEEKEND and day not in holidays:
            ends = _midnight(next_day, zone)
            worked += max(timedelta(), min(ends, until) - max(begins, since))
        day = next_day
    return worked


def _midnight(day: date, zone: tzinfo) -> datetime:
    """In UTC, so that differences are real time whatever the clocks do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _rare(past: Sequence[timedelta], share: float) -> timedelta:
    return timedelta(seconds=quantile([gap.total_seconds() for gap in past], share))
