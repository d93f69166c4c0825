"""How well arrivals would have been told: each parcel by what had arrived before it set out. Pure.

The baseline it is held against knows no more than plain quantiles: of all earlier parcels of the
lane, of the destination below 30 of these, of everything below 30 of those.
"""

import heapq
import time
from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from carriers.eta import ENOUGH, Estimate, Trip, quantile

SHARES: Final = (0.1, 0.5, 0.9)
WARM_UP: Final = 0.6  # of the rows, not scored where no date is given


@dataclass(frozen=True, slots=True)
class Finished:
    """A parcel that arrived."""

    trip: Trip
    delivered_at: datetime

    @property
    def days(self) -> int:
        """Whole days from the date of hand-over to the date of delivery."""
        return (self.delivered_at.date() - self.trip.handed_over_at.date()).days


class Model(Protocol):
    """What can be scored."""

    def learn(self, trip: Trip, delivered_at: datetime) -> None:
        """Take in a finished parcel."""

    def estimate(self, trip: Trip) -> Estimate | None:
        """The days a journey will take; None for no answer."""


@dataclass
class Plain:
    """The baseline: quantiles of the narrowest group with enough parcels, all of them alike."""

    _groups: defaultdict[tuple[str, ...], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def learn(self, trip: Trip, delivered_at: datetime) -> None:
        """Take in a finished parcel."""
        for group in _groups(trip):
            insort(self._groups[group], float(Finished(trip, delivered_at).days))

    def estimate(self, trip: Trip) -> Estimate | None:
        """Its quantiles; None before the first parcel."""
        past: list[float] = []
        for group in _groups(trip):
            past = self._groups.get(group, [])
            if len(past) >= ENOUGH:
                break
        if not past:
            return None
        tenth, median, ninetieth = (quantile(past, share) for share in SHARES)
        return Estimate(
            tenth, median, ninetieth, round(tenth), round(ninetieth), "plain", len(past)
        )


def _groups(trip: Trip) -> list[tuple[str, ...]]:
    return [(trip.origin, trip.destination), (trip.destination,), ()]


@dataclass(frozen=True)
class Score:
    """The figures of one model over the rows it answered for."""

    rows: int
    mae_days: float
    coverage_80: float
    width_days: float
    pinball: dict[str, float]
    late_after_window: float
    rows_per_second: int
    months: dict[str, tuple[int, float]]  # by month of hand-over: parcels, coverage

    def to_json(self) -> dict[str, Any]:
        """The figures that are printed, without the months."""
        return {name: value for name, value in vars(self).items() if name != "months"}


def first_scored(parcels: Sequence[Finished]) -> datetime:
    """The hand-over of the first parcel after the first 60 %, of parcels in order of hand-over."""
    return parcels[int(len(parcels) * WARM_UP)].trip.handed_over_at


def backtest(model: Model, parcels: Sequence[Finished], since: datetime) -> Score | None:
    """Score `model` on the parcels handed over from `since` on; None where it answers for none.

    `parcels` are in order of hand-over. Those delivered at the very moment of a hand-over are not
    yet known to it.
    """
    began = time.perf_counter()
    told = list(_told(model, parcels, since))
    seconds = max(time.perf_counter() - began, 1e-9)
    return _score(told, int(len(parcels) / seconds)) if told else None


def _told(
    model: Model, parcels: Sequence[Finished], since: datetime
) -> Iterator[tuple[Finished, Estimate]]:
    underway: list[tuple[datetime, int]] = []
    for index, parcel in enumerate(parcels):
        while underway and underway[0][0] < parcel.trip.handed_over_at:
            arrived = parcels[heapq.heappop(underway)[1]]
            model.learn(arrived.trip, arrived.delivered_at)
        if parcel.trip.handed_over_at >= since:
            estimate = model.estimate(parcel.trip)
            if estimate is not None:
                yield parcel, estimate
        heapq.heappush(underway, (parcel.delivered_at, index))


def _score(told: list[tuple[Finished, Estimate]], speed: int) -> Score:
    rows = len(told)
    months: defaultdict[str, list[bool]] = defaultdict(list)
    for parcel, said in told:
        month = f"{parcel.trip.handed_over_at:%Y-%m}"
        months[month].append(said.first <= parcel.days <= said.last)
    loss = [0.0, 0.0, 0.0]
    for parcel, said in told:
        quantiles = (said.tenth, said.median, said.ninetieth)
        for place, (share, value) in enumerate(zip(SHARES, quantiles, strict=True)):
            missed = parcel.days - value
            loss[place] += max(share * missed, (share - 1) * missed)
    return Score(
        rows=rows,
        mae_days=_mean(sum(abs(p.days - said.median) for p, said in told), rows),
        coverage_80=_mean(sum(sum(held) for held in months.values()), rows),
        width_days=_mean(sum(said.last - said.first for _, said in told), rows),
        pinball={
            f"{share * 100:.0f}": _mean(total, rows)
            for share, total in zip(SHARES, loss, strict=True)
        },
        late_after_window=_mean(sum(p.days > said.last for p, said in told), rows),
        rows_per_second=speed,
        months={month: (len(held), _mean(sum(held), len(held))) for month, held in months.items()},
    )


def _mean(total: float, count: int) -> float:
    return round(total / count, 4)
