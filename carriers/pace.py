"""How often to ask: a table of statuses, and above it what a shop's own scans taught. Pure.

With a fixed number of questions, what is known lags least when the questions come as often as the
square root of the rate of news. So news is counted by status, by the time since the newest scan and
by the hour of the day where the parcel goes; what matters to its customer weighs more. Each cell
is drawn towards the table by the parcel-hours it lacks: with nothing learned the table holds alone.

The table follows what services publish of themselves: EasyPost asks every couple of hours, more
often near delivery, AfterShip every 3 to 12 hours, 17TRACK less often the longer a parcel is quiet.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any, Final

from carriers.contract import FINAL, Status

HOUR: Final = 3600
DAY: Final = 24
EVERY: Final = {
    Status.OUT_FOR_DELIVERY: timedelta(minutes=30),
    Status.IN_TRANSIT: timedelta(hours=3),
    Status.EXCEPTION: timedelta(hours=3),
    Status.ATTEMPT_FAILED: timedelta(hours=3),
    Status.AVAILABLE_FOR_PICKUP: timedelta(hours=3),
    Status.RETURN_TO_SENDER: timedelta(hours=6),
    Status.PRE_TRANSIT: timedelta(hours=6),
    Status.UNKNOWN: timedelta(hours=6),
}
QUIET_SHARE: Final = 16  # a parcel quiet for long is asked about after a 16th of that time
LONGEST: Final = timedelta(days=1)
# Hours since the newest scan, at which a new step of waiting begins.
STEPS: Final = (0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 36, 48, 72, 96, 144, 240, 480)
EDGES: Final = tuple(step * HOUR for step in STEPS)
CELLS: Final = len(STEPS) * DAY
MATTERS: Final = frozenset({Status.OUT_FOR_DELIVERY, Status.DELIVERED, Status.EXCEPTION})
WEIGHT: Final = 8  # of news that matters, against other news
EAGERNESS: Final = 1.2  # questions for each square root of weighted news an hour, at effort 1
WATCHED: Final = timedelta(days=30)  # a longer wait teaches nothing
A_HAIR: Final = 1e-6  # seconds: what sums of fractions lack
DRAWN: Final = 20.0  # parcel-hours a cell must outweigh


@dataclass(slots=True)
class Waits:
    """Parcel-hours waited, and the news they brought. Its size does not grow with what it saw.

    By status, `hours` and `weight` (of news) hold a number for each step and hour of the day.
    """

    parcels: int = 0
    hours: dict[Status, list[float]] = field(default_factory=dict)
    weight: dict[Status, list[float]] = field(default_factory=dict)

    def learn(self, scans: Sequence[tuple[datetime, Status]], zone: tzinfo, now: datetime) -> None:
        """Take in a parcel's scans, the oldest first, and its waiting until `now`."""
        self.parcels += 1
        for (at, status), (then, told) in pairwise(scans):
            if status in EVERY and then - at <= WATCHED:
                step, hour = self._wait(status, at, then, zone)
                matters = told in MATTERS and told is not status
                self.weight[status][step * DAY + hour] += WEIGHT if matters else 1
        if scans and scans[-1][1] not in FINAL:
            at, status = scans[-1]
            self._wait(status, at, min(now, at + WATCHED), zone)

    def _wait(self, status: Status, at: datetime, until: datetime, zone: tzinfo) -> tuple[int, int]:
        """Count the hours waited; gives the step and the hour of the day they ended in."""
        hours = self.hours.setdefault(status, [0.0] * CELLS)
        self.weight.setdefault(status, [0.0] * CELLS)
        end = _seconds(until - at)
        for step, hour, begins, ends in _stretches(0, seconds_of_day(at, zone)):
            hours[step * DAY + hour] += max(0, min(ends, end) - begins) / HOUR
            if ends > end:
                return step, hour
        raise AssertionError("time goes on")

    def kept(self) -> dict[str, Any]:
        """As plain numbers, for storing."""
        tables = {"hours": self.hours, "weight": self.weight}
        plain = {
            name: {status.value: [round(n, 2) for n in numbers] for status, numbers in rows.items()}
            for name, rows in tables.items()
        }
        return {"parcels": self.parcels, **plain}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Waits:
        """What `kept` gave. Raises ValueError for what was stored by another shape of the table."""
        hours, weight = (
            {Status(key): list(numbers) for key, numbers in kept.get(name, {}).items()}
            for name in ("hours", "weight")
        )
        if any(len(numbers) != CELLS for numbers in (*hours.values(), *weight.values())):
            raise ValueError("The table of waits has another shape.")
        return cls(int(kept.get("parcels", 0)), hours, weight)


class Pace:
    """How often each kind of waiting is asked about; from the table alone unless `waits` is given.

    `effort` is the one knob: 2 asks twice as often as 1. Raises ValueError unless it is above 0.
    """

    def __init__(self, waits: Waits | None = None, effort: float = 1.0) -> None:
        if not 0 < effort < math.inf:
            raise ValueError("The effort must be a number above zero.")
        self.effort = effort
        self.parcels = waits.parcels if waits else 0
        self._often = {status: _often(status, waits or Waits()) for status in EVERY}

    def wait(self, status: Status, quiet: int, clock: int, share: float = 1.0) -> int:
        """For how many more seconds not to ask about a parcel.

        `quiet` is how many seconds its newest scan was old when it was asked about last, `clock`
        the second of the day, where it goes, of that scan. `share` is of the effort.
        """
        left = 1.0 / (self.effort * share)
        often = self._often[status]
        for step, hour, begins, ends in _stretches(quiet, clock):
            rate = often[step * DAY + hour] / HOUR
            if (ends - begins) * rate >= left:
                return begins - quiet + math.floor(left / rate + A_HAIR)
            left -= (ends - begins) * rate
        raise AssertionError("time goes on")


def usual(status: Status, quiet: timedelta) -> timedelta:
    """What the table alone says of a parcel that is quiet for so long."""
    return min(LONGEST, max(EVERY[status], quiet / QUIET_SHARE))


def seconds_of_day(at: datetime, zone: tzinfo) -> int:
    """The second of the local day."""
    local = at.astimezone(zone)
    return local.hour * HOUR + local.minute * 60 + local.second


def _seconds(span: timedelta) -> int:
    return max(0, int(span.total_seconds()))


def _stretches(start: int, clock: int) -> Iterator[tuple[int, int, int, int]]:
    """Time since a scan from `start` seconds on, cut where its step or the hour of the day ends.

    (step, hour, begins, ends), without end. Whole seconds, so that every cut is exact.
    """
    at = start
    while True:
        step = bisect_right(EDGES, at) - 1
        hour = (clock + at) // HOUR
        ends = (hour + 1) * HOUR - clock
        if step + 1 < len(EDGES):
            ends = min(ends, EDGES[step + 1])
        yield step, hour % DAY, at, ends
        at = ends


def _often(status: Status, waits: Waits) -> list[float]:
    """Questions an hour, for each step and hour of the day.

    A cell is drawn to the product of its step and its hour of the day, these to the status,
    and that to the table.
    """
    hours = waits.hours.get(status) or [0.0] * CELLS
    weight = waits.weight.get(status) or [0.0] * CELLS
    tabled = [_tabled(status, step) for step in STEPS]
    whole = _drawn(sum(weight), sum(hours), tabled[0])
    steps = [
        _drawn(sum(weight[n * DAY : n * DAY + DAY]), sum(hours[n * DAY : n * DAY + DAY]), prior)
        for n, prior in enumerate(tabled)
    ]
    of_day = [_drawn(sum(weight[n::DAY]), sum(hours[n::DAY]), whole) / whole for n in range(DAY)]
    return [
        EAGERNESS
        * math.sqrt(_drawn(weight[cell], hours[cell], steps[cell // DAY] * of_day[cell % DAY]))
        for cell in range(CELLS)
    ]


def _tabled(status: Status, quiet_hours: int) -> float:
    """The weighted rate of news under which the table would be right."""
    every = usual(status, timedelta(hours=quiet_hours)) / timedelta(hours=1)
    return (1 / (EAGERNESS * every)) ** 2


def _drawn(seen: float, hours: float, towards: float) -> float:
    return (seen + DRAWN * towards) / (hours + DRAWN)
