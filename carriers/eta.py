"""When a parcel will arrive, learned from the shop's own finished parcels. Pure.

The logarithm of a journey's days is a sum of small effects: of everything, of the destination, of
the lane, of the two postal areas, of the weekday of hand-over and of the promise. Each effect is
shrunk towards nothing by the parcels it lacks, so a lane of three parcels says little and one of
three hundred says what it knows. What remains is kept for some weeks and gives the spread, which is
why a peak season widens the windows, and its end narrows them, within weeks.
"""

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

ENOUGH: Final = 30  # parcels of a lane, or of a destination, that a window may stand on
REMEMBERED: Final = timedelta(days=42)
LEAST_REMEMBERED: Final = 500  # parcels of the spread kept however old they are
MOST_REMEMBERED: Final = 4000
SHRINK: Final = 10  # parcels that a new effect must outweigh
DRIFT: Final = 0.01  # the least weight of a new parcel on the effect of everything
FARTHEST: Final = 1.5  # of one parcel's pull, in logarithms: a lost one moves nothing far
# The window's ends leave 13 % before and 7 % after: late disappoints more than early.
EARLY: Final = 0.13
LATE: Final = 0.93
DIGITS: Final = 6  # of a logarithm as it is kept
_PROMISE_STEP: Final = 3
_PROMISE_TOP: Final = 12


@dataclass(frozen=True, slots=True)
class Trip:
    """What is known of a journey as it begins. Names are the shop's own; an empty one is unknown.

    `handed_over_at` is local to where the parcel was handed over, as the weekday is read from it.
    """

    handed_over_at: datetime
    origin: str = ""
    origin_area: str = ""
    destination: str = ""
    destination_area: str = ""
    carrier: str = ""
    service: str = ""
    promised: date | None = None

    @property
    def lane(self) -> str:
        """Origin and destination, by carrier and service."""
        return f"lane {self.origin}>{self.destination} {self.carrier}/{self.service}"

    @property
    def toward(self) -> str:
        """The destination alone."""
        return f"to {self.destination}"

    def keys(self) -> list[str]:
        """The effects on this journey, the broadest first."""
        keys = [self.toward, self.lane]
        if self.destination_area:
            keys.append(f"area {self.destination} {self.destination_area}")
        if self.origin_area:
            keys.append(f"from {self.origin} {self.origin_area}")
        keys.append(f"weekday {self.handed_over_at.weekday()}")
        if self.promised is not None:
            step = (self.promised - self.handed_over_at.date()).days // _PROMISE_STEP
            keys.append(f"promise {max(0, min(_PROMISE_TOP, step))}")
        return keys


@dataclass(frozen=True, slots=True)
class Estimate:
    """Whole days from hand-over: quantiles, and the window shown with both its ends included.

    `basis` is `lane`, `destination` or `all`: the narrowest group with `ENOUGH` parcels, of which
    it has `parcels`.
    """

    tenth: float
    median: float
    ninetieth: float
    first: int
    last: int
    basis: str
    parcels: int


@dataclass(slots=True)
class _Effect:
    size: float = 0.0
    parcels: int = 0


@dataclass(slots=True)
class Arrivals:
    """What finished parcels taught. Feed it with `learn` in the order in which they arrived."""

    typical: float = field(default=0.0)
    parcels: int = 0
    _effects: dict[str, _Effect] = field(default_factory=dict)
    _recent: deque[tuple[datetime, float]] = field(default_factory=deque)
    _spread: list[float] = field(default_factory=list)

    def learn(self, trip: Trip, delivered_at: datetime) -> None:
        """Take in a finished parcel. Raises ValueError where it arrived before it set out."""
        days = (delivered_at.date() - trip.handed_over_at.date()).days
        if days < 0:
            raise ValueError("The parcel was delivered before it was handed over.")
        keys = trip.keys()
        left = math.log1p(days) - self._expected(keys)
        if self.parcels:
            self._remember(delivered_at, left)
        self.parcels += 1
        pull = max(-FARTHEST, min(FARTHEST, left)) if self.parcels > 1 else left
        weight = max(1 / self.parcels, DRIFT)
        self.typical += weight * pull
        pull *= 1 - weight
        for key in keys:
            effect = self._effects.setdefault(key, _Effect())
            effect.parcels += 1
            weight = 1 / (effect.parcels + SHRINK)
            effect.size += weight * pull
            pull *= 1 - weight

    def estimate(self, trip: Trip) -> Estimate | None:
        """The days this journey will take; None below `ENOUGH` finished parcels."""
        if self.parcels < ENOUGH:
            return None
        basis, parcels = self._stands_on(trip)
        early, tenth, median, ninetieth, late = self.days(trip, (EARLY, 0.1, 0.5, 0.9, LATE))
        return Estimate(tenth, median, ninetieth, round(early), round(late), basis, parcels)

    def days(self, trip: Trip, shares: Sequence[float]) -> list[float]:
        """The days within which such shares (0 to 1) of journeys like this one are over.

        It needs parcels to stand on: ask `estimate` first.
        """
        expected = self._expected(trip.keys())
        return [max(0.0, math.expm1(expected + quantile(self._spread, share))) for share in shares]

    def to_json(self) -> dict[str, Any]:
        """All that was learned, as JSON, so that `from_json` goes on where this stands."""
        return {
            "typical": round(self.typical, DIGITS),
            "parcels": self.parcels,
            "effects": {
                key: [round(effect.size, DIGITS), effect.parcels]
                for key, effect in self._effects.items()
            },
            "recent": [[at.isoformat(), round(left, DIGITS)] for at, left in self._recent],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Arrivals":
        """What `to_json` told."""
        recent = [(datetime.fromisoformat(at), left) for at, left in told["recent"]]
        return cls(
            typical=told["typical"],
            parcels=told["parcels"],
            _effects={key: _Effect(*effect) for key, effect in told["effects"].items()},
            _recent=deque(recent),
            _spread=sorted(left for _, left in recent),
        )

    def _expected(self, keys: list[str]) -> float:
        known = (self._effects.get(key) for key in keys)
        return self.typical + sum(effect.size for effect in known if effect is not None)

    def _stands_on(self, trip: Trip) -> tuple[str, int]:
        for basis, key in (("lane", trip.lane), ("destination", trip.toward)):
            effect = self._effects.get(key)
            if effect is not None and effect.parcels >= ENOUGH:
                return basis, effect.parcels
        return "all", self.parcels

    def _remember(self, at: datetime, left: float) -> None:
        self._recent.append((at, left))
        insort(self._spread, left)
        while len(self._recent) > MOST_REMEMBERED or (
            len(self._recent) > LEAST_REMEMBERED and at - self._recent[0][0] > REMEMBERED
        ):
            _, oldest = self._recent.popleft()
            del self._spread[bisect_left(self._spread, oldest)]


def quantile(ordered: list[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `ordered` lies, between two by straight line."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
