"""A shop's finished parcels, and what they tell of one that has just set out. Pure.

Two things are learned: how long whole journeys take, and how long the last leg does, from the depot
at the destination to the door. A forecast is made when the parcel is handed over and kept with it;
what is learned afterwards changes windows of later parcels only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from carriers.eta import ENOUGH, Arrivals, Estimate, Trip
from carriers.window import Forecast
from carriers.workdays import Place

TAIL: Final = tuple(share / 100 for share in range(50, 100))  # kept for parcels that are overdue
LEAST_KNOWN: Final = 100  # deliveries of a country after which a weekday without any is a rest day
REST: Final = 0.01  # a weekday with a smaller share of deliveries than this is one
LAST_LEG: Final = "last leg"
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Journey:
    """A parcel from its hand-over on.

    Dates are local: `handed_on` to where that was, the others to the destination. `area` is the
    beginning of its postcode, `near_on` when it reached the depot there, `promised` the carrier's
    first date.
    """

    handed_on: date
    origin: str
    country: str
    region: str
    area: str
    carrier: str
    service: str
    near_on: date | None = None
    promised: date | None = None
    delivered_on: date | None = None

    @property
    def destination(self) -> str:
        """Country and region, as lanes are named."""
        return f"{self.country}-{self.region}" if self.region else self.country

    @property
    def trip(self) -> Trip:
        """The whole journey."""
        return self._trip(self.handed_on, self.origin, self.promised)

    @property
    def last_leg(self) -> Trip | None:
        """From the depot at the destination on; None before it is there."""
        return None if self.near_on is None else self._trip(self.near_on, LAST_LEG, None)

    def _trip(self, begins: date, origin: str, promised: date | None) -> Trip:
        return Trip(
            _midnight(begins),
            origin=origin,
            destination=self.destination,
            destination_area=self.area,
            carrier=self.carrier,
            service=self.service,
            promised=promised,
        )


@dataclass(slots=True)
class Lanes:
    """What finished journeys taught. Feed it with `learn` in the order in which they arrived."""

    whole: Arrivals = field(default_factory=Arrivals)
    legs: Arrivals = field(default_factory=Arrivals)
    weekdays: dict[str, list[int]] = field(default_factory=dict)  # deliveries by country, from Mon

    def learn(self, journey: Journey) -> None:
        """Take in a finished journey; one whose dates cannot be true teaches nothing."""
        done = journey.delivered_on
        if done is None or done < journey.handed_on:
            return
        self.whole.learn(journey.trip, _midnight(done))
        leg = journey.last_leg
        if leg is not None and leg.handed_over_at <= _midnight(done):
            self.legs.learn(leg, _midnight(done))
        counts = self.weekdays.setdefault(journey.country, [0] * 7)
        counts[done.weekday()] += 1

    def forecast(self, journey: Journey) -> Forecast | None:
        """When it will arrive; None where too few parcels went there to say so."""
        said = self.whole.estimate(journey.trip)
        stands_on = _stands_on(said, self._to(journey.country)) if said else None
        if said is None or stands_on is None:
            return None
        first, last = self._days(journey, journey.handed_on, said)
        tail = self.whole.days(journey.trip, TAIL)
        return Forecast(
            first=first,
            last=last,
            tail=tuple(journey.handed_on + timedelta(days=round(took)) for took in tail),
            basis=stands_on[0],
            parcels=stands_on[1],
        )

    def last_leg(self, journey: Journey) -> tuple[date, date] | None:
        """The days on which it arrives from its last depot; None where that is not known."""
        leg = journey.last_leg
        said = self.legs.estimate(leg) if leg is not None else None
        if journey.near_on is None or said is None or _stands_on(said, 0) is None:
            return None
        return self._days(journey, journey.near_on, said)

    def _to(self, country: str) -> int:
        return sum(self.weekdays.get(country, ()))

    def _days(self, journey: Journey, begins: date, said: Estimate) -> tuple[date, date]:
        """The window, moved off days on which nothing is delivered there."""
        first, last = (
            self._delivering(journey, begins + timedelta(days=days))
            for days in (said.first, said.last)
        )
        return first, last

    def _delivering(self, journey: Journey, day: date) -> date:
        """`day` or the next one on which parcels arrive there."""
        counts = self.weekdays.get(journey.country, [1] * 7)
        is_known = sum(counts) >= LEAST_KNOWN
        place = Place(journey.country, journey.region)
        for _ in range(7):
            rests = is_known and counts[day.weekday()] < REST * sum(counts)
            if not rests and not place.is_holiday(day):
                break
            day += DAY
        return day

    def to_json(self) -> dict[str, Any]:
        """All that was learned, as JSON."""
        return {
            "whole": self.whole.to_json(),
            "legs": self.legs.to_json(),
            "weekdays": self.weekdays,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Lanes:
        """What `to_json` told."""
        whole, legs = (Arrivals.from_json(told[name]) for name in ("whole", "legs"))
        return cls(whole, legs, told["weekdays"])


def _stands_on(said: Estimate, to_country: int) -> tuple[str, int] | None:
    """On what a window rests; a country that hardly any parcel went to is no ground to stand on."""
    if said.basis != "all":
        return said.basis, said.parcels
    return ("country", to_country) if to_country >= ENOUGH else None


def _midnight(day: date) -> datetime:
    # Local times without a zone: only days are counted, and both ends have their own zone.
    return datetime.combine(day, time())
