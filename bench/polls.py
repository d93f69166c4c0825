"""How many questions a parcel costs, against asking at fixed intervals, in made-up lives.

The lives follow documented figures: labels by day, taken over in the evening, seven of ten hub
scans in the night's sorting, out for delivery in the early morning, at the door until the evening,
nothing on Sundays, six in a hundred with an exception; about nine scans in four days. One set of
lives is learned from, another is asked about. Nothing here knows when the next scan comes.

`polls`: with hooks of which one in a hundred is lost. `polls_median`: without hooks, against the
fixed interval whose answers are as old at the median. `polls_matters`: the same, where only news of
delivery and trouble counts. There `ratio` is how many times fewer questions are asked.
"""

from __future__ import annotations

import random
import statistics
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any, Final

from bench.measure import result
from carriers.contract import Status
from carriers.pace import MATTERS, Pace, Waits
from carriers.schedule import (
    ASKED_FOR_ONE,
    HOOK_GRACE,
    OUTAGE,
    QUIET,
    Hooks,
    Parcel,
    next_poll,
)

SEEDS: Final = (1, 2, 7)
TAUGHT: Final = 4000  # lives that are learned from
ASKED: Final = 1000  # lives that are asked about
A_DAY: Final = 30  # parcels a day of the shop with hooks
BEGIN: Final = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
LOST: Final = 0.01  # of hooks
FIXED: Final = HOUR  # the interval compared with; its answers are half of it old at the median

NEVER: Final = Hooks()

Life = tuple[tuple[datetime, Status], ...]


def run() -> list[dict[str, Any]]:
    """Three lines, the medians over several seeds."""
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in SEEDS:
        draw = random.Random(seed)
        waits = Waits()
        for life in _lives(draw, TAUGHT):
            waits.learn(life, UTC, life[-1][0])
        lives = _lives(draw, ASKED)
        fixed = statistics.fmean((life[-1][0] - life[0][0]) / FIXED for life in lives)
        for name, wanted in (("polls_median", _any), ("polls_matters", _matters)):
            asked = _as_fresh_as(FIXED / 2, lives, waits, wanted)
            found.setdefault(name, []).append((fixed / asked, fixed))
        told = _with_hooks(draw, lives, Pace(waits))
        found.setdefault("polls", []).append((told, _alone(lives, Pace(waits), _any)[0]))
    return [_line(name, pairs) for name, pairs in found.items()]


def _line(name: str, pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    value, reference = (statistics.median(side) for side in zip(*pairs, strict=True))
    if name == "polls":
        told = f"questions a parcel without hooks: {reference:.1f}; goal 6"
        unit = "questions a parcel with hooks"
        return {**result(name, value, reference, unit, told), "runs": len(SEEDS)}
    goal = 1.6 if name == "polls_median" else 2.8
    told = f"asking every hour: {reference:.1f} questions a parcel; goal {goal} times fewer"
    line = result(name, value, 1.0, "times fewer questions, equally fresh", told)
    return {**line, "value": round(value, 2), "runs": len(SEEDS)}


def _any(_before: Status, _told: Status) -> bool:
    return True


def _matters(before: Status, told: Status) -> bool:
    return told in MATTERS and told is not before


# --- asking without hooks -------------------------------------------------------------------------


def _as_fresh_as(
    age: timedelta, lives: Sequence[Life], waits: Waits, wanted: Callable[[Status, Status], bool]
) -> float:
    """Questions a parcel at the effort at which answers are as old as `age` at the median."""
    low, high = 0.1, 10.0
    for _ in range(7):
        effort = (low * high) ** 0.5
        asked, median = _alone(lives, Pace(waits, effort), wanted)
        low, high = (effort, high) if median > age else (low, effort)
    return asked


def _alone(
    lives: Sequence[Life], pace: Pace, wanted: Callable[[Status, Status], bool]
) -> tuple[float, timedelta]:
    """Questions a parcel, and how old news is at the median when it is heard."""
    polls, ages = 0, []
    for place, life in enumerate(lives):
        at: datetime | None = life[0][0]
        seen = 0
        while at is not None:
            polls += 1
            known = bisect_right(life, at, key=lambda scan: scan[0])
            ages += [
                at - life[n][0]
                for n in range(max(seen, 1), known)
                if wanted(life[n - 1][1], life[n][1])
            ]
            seen = known
            at = next_poll(_parcel(life, seen, at, str(place)), at, pace=pace)
    return polls / len(lives), statistics.median(ages)


def _parcel(life: Life, seen: int, asked_at: datetime, seed: str) -> Parcel:
    at, status = life[seen - 1] if seen else (None, Status.UNKNOWN)
    return Parcel(status, life[0][0], last_scan_at=at, asked_at=asked_at, seed=seed)


# --- asking beside hooks --------------------------------------------------------------------------


@dataclass
class _Followed:
    """A parcel as the house knows it."""

    life: Life
    seed: str
    seen: int = 0
    asked_at: datetime | None = None
    look_at: datetime | None = None
    polls: int = 0

    def known(self) -> Parcel:
        asked_at = self.asked_at or self.life[0][0]
        return _parcel(self.life, self.seen, asked_at, self.seed)


@dataclass
class _Shop:
    """A shop whose hooks come a minute after their scans, or not at all.

    `sent` are the hooks' moments and whether they arrived, as the provider lists them.
    """

    pace: Pace
    parcels: list[_Followed]
    sent: list[tuple[datetime, bool]] = field(default_factory=list)
    hooks: Hooks = NEVER
    checked: int = 0  # how many of `sent` were looked at
    lost: int = 0  # in a row
    checks: int = 0
    heap: list[tuple[datetime, int, str, _Followed | None]] = field(default_factory=list)
    count: int = 0

    def put(self, at: datetime, what: str, parcel: _Followed | None = None) -> None:
        self.count += 1
        heappush(self.heap, (at, self.count, what, parcel))

    def run(self) -> None:
        """Until every story is told and every parcel asked about for the last time."""
        self.sent.sort()
        self.put(self.sent[0][0], "check")
        while self.heap:
            now, _, what, parcel = heappop(self.heap)
            if parcel is None:
                self._check(now)
            elif what == "hook":
                self.hooks, self.lost = Hooks(now, self.hooks.missed_at), 0
                self._heard(parcel, now)
            elif parcel.look_at == now:
                self._look(parcel, now)

    def _check(self, now: datetime) -> None:
        """Where no hook came for a while, ask what was sent, and bring forward what was lost."""
        heard_at = self.hooks.heard_at or BEGIN
        if now - heard_at < QUIET:
            self.put(heard_at + QUIET, "check")
            return
        self.checks += 1
        done = bisect_right(self.sent, now - HOOK_GRACE, key=lambda one: one[0])
        lost = [at for at, came in self.sent[self.checked : done] if not came and now - at < HOUR]
        self.checked = done
        self.lost += len(lost)
        was_missing = self.hooks.are_missing(now)
        if not lost:
            self.hooks = Hooks(now, self.hooks.missed_at)
        elif self.lost >= OUTAGE:
            self.hooks = Hooks(heard_at, now)
        if lost and not was_missing:
            self._forward(lost[-1], now)
        if self.heap:
            self.put(now + QUIET, "check")

    def _forward(self, lost_at: datetime, now: datetime) -> None:
        """Ask now about parcels under way that were not answered for since a hook was lost."""
        late = [
            parcel
            for parcel in self.parcels
            if parcel.look_at and parcel.asked_at and parcel.asked_at < lost_at
            and parcel.known().is_under_way(now)
        ]  # fmt: skip
        late.sort(key=lambda parcel: (parcel.known().status not in MATTERS, parcel.asked_at))
        for parcel in late[: None if self.lost >= OUTAGE else ASKED_FOR_ONE]:
            parcel.look_at = now
            self.put(now, "look", parcel)

    def _look(self, parcel: _Followed, now: datetime) -> None:
        if parcel.asked_at is None:
            due: datetime | None = now
        else:
            due = next_poll(parcel.known(), now, hooks=self.hooks, pace=self.pace)
        if due is not None and due <= now + MINUTE:
            parcel.polls += 1
            parcel.look_at = None
            self._heard(parcel, now)
        else:
            parcel.look_at = due
            if due is not None:
                self.put(due, "look", parcel)

    def _heard(self, parcel: _Followed, now: datetime) -> None:
        parcel.seen = bisect_right(parcel.life, now, key=lambda scan: scan[0])
        parcel.asked_at = now
        due = next_poll(parcel.known(), now, hooks=self.hooks, pace=self.pace)
        if due is not None and (parcel.look_at is None or due < parcel.look_at):
            parcel.look_at = due
            self.put(due, "look", parcel)


def _with_hooks(draw: random.Random, lives: Sequence[Life], pace: Pace) -> float:
    """Questions a parcel where all but a few hooks arrive, those about what was sent included."""
    parcels = [_Followed(_on_day(life, n // A_DAY), str(n)) for n, life in enumerate(lives)]
    shop = _Shop(pace, parcels)
    for parcel in parcels:
        parcel.look_at = parcel.life[0][0]
        shop.put(parcel.look_at, "look", parcel)
        for at, _ in parcel.life[1:]:
            came = draw.random() >= LOST
            shop.sent.append((at + MINUTE, came))
            if came:
                shop.put(at + MINUTE, "hook", parcel)
    shop.run()
    return (shop.checks + sum(parcel.polls for parcel in parcels)) / len(parcels)


def _on_day(life: Life, day: int) -> Life:
    """The life, begun about so many days later, on the same weekday."""
    shift = DAY * (day - day % 7)
    return tuple((at + shift, status) for at, status in life)


# --- lives ----------------------------------------------------------------------------------------


def _lives(draw: random.Random, number: int) -> list[Life]:
    return [_life(draw) for _ in range(number)]


def _life(draw: random.Random) -> Life:
    """What is told of one parcel from its label to the door, in the hours of where it goes."""
    day = BEGIN + DAY * draw.randrange(6)  # no labels on Sundays
    scans = [(_at(draw, day, 9, 17), Status.PRE_TRANSIT)]
    if draw.random() < 0.3:
        day = _workday(day + DAY)
    scans.append((_at(draw, day, 17, 22), Status.IN_TRANSIT))
    for _ in range(draw.choice((1, 2, 2, 3))):
        day = _hub(draw, day, scans)
        if draw.random() < 0.03:
            scans.append((scans[-1][0] + HOUR * draw.uniform(1, 9), Status.EXCEPTION))
            day += DAY
    day = _workday(max(day, _midnight(scans[-1][0])) + DAY)
    scans.append((_at(draw, day, 1, 5), Status.IN_TRANSIT))
    while True:
        scans.append((_at(draw, day, 5.5, 9.5), Status.OUT_FOR_DELIVERY))
        if draw.random() > 0.05:
            break
        scans.append((_at(draw, day, 10, 20), Status.ATTEMPT_FAILED))
        day = _workday(day + DAY)
    scans.append((max(_at(draw, day, 9, 21), scans[-1][0] + 10 * MINUTE), Status.DELIVERED))
    return tuple(scans)


def _hub(draw: random.Random, day: datetime, scans: list[tuple[datetime, Status]]) -> datetime:
    """A hub on the way: in and out, seven times of ten in the night; gives the day it leaves."""
    day = _midnight(scans[-1][0])
    begins = draw.uniform(22, 27) if draw.random() < 0.7 else draw.uniform(30, 44)
    arrives = max(day + HOUR * begins, scans[-1][0] + HOUR * draw.uniform(1.5, 4))
    if arrives.weekday() == 6:
        arrives += DAY
    leaves = arrives + HOUR * draw.choice((1, 2, 3, 3, 4, 8, 16))
    scans += [(arrives, Status.IN_TRANSIT), (leaves, Status.IN_TRANSIT)]
    return _midnight(leaves)


def _at(draw: random.Random, day: datetime, first: float, last: float) -> datetime:
    return day + HOUR * draw.uniform(first, last)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _workday(day: datetime) -> datetime:
    return day + DAY if day.weekday() == 6 else day
