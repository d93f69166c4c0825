"""The arrival window that is shown, out of all that says when a parcel comes. Pure.

The shop's own lanes say it best where enough parcels went there; the carrier's date and the shop's
promise stand in for them. The carrier's "today" is never contradicted, nor shown earlier than the
carrier itself would have it; where anything would be a guess, nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from carriers.contract import Status

CARRIER: Final = "carrier"
PROMISE: Final = "promise"
LANES: Final = frozenset({"lane", "destination", "country"})
# While the carrier reports one of these, only its own date counts; a later leg is anybody's guess.
HELD_UP: Final = frozenset({Status.EXCEPTION, Status.ATTEMPT_FAILED, Status.DELIVERED})
OVER: Final = frozenset(
    {
        Status.AVAILABLE_FOR_PICKUP,
        Status.RETURN_TO_SENDER,
        Status.CANCELLED,
        Status.EXPIRED,
    }
)
HELD_UP_BY: Final = frozenset(
    {
        *("address_correction", "awaiting_information", "customs", "damaged", "held", "lost"),
        *("missorted", "refused", "return", "weather_delay", "delayed", "delivery_exception"),
        *("transit_exception", "failure", "arrived_at_pickup_location"),
    }
)
OVERDUE: Final = 0.8  # of those as late as this parcel, this share arrive by the new last day
LEAST_TAIL: Final = 3  # hundredths of parcels that must have taken as long


@dataclass(frozen=True, slots=True)
class Window:
    """Local dates of the destination, both included. `parcels` is how many `basis` stands on."""

    first: date
    last: date
    basis: str
    parcels: int = 0

    def on(self, today: date) -> Window | None:
        """As it reads on a day: it never begins before that, and is nothing once it is over."""
        if self.last < today:
            return None
        return self if self.first >= today else replace(self, first=today)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "basis": self.basis,
            "parcels": self.parcels,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Window | None:
        """What was stored; None for nothing."""
        if not told:
            return None
        first, last = (date.fromisoformat(told[name]) for name in ("from", "to"))
        return cls(first, last, told["basis"], told["parcels"])


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the shop's lanes said as a parcel set out.

    `tail` are the days by which 50 % to 99 % of such parcels arrive. `leg` is what was said as it
    reached the depot at its destination.
    """

    first: date
    last: date
    tail: tuple[date, ...]
    basis: str
    parcels: int
    leg: tuple[date, date] | None = None

    def window(self, today: date) -> Window:
        """The window as it stands on a day: narrower every day, and a later one once missed."""
        first, last = self.first, self.last
        if self.leg is not None:
            first, last = _narrowed((first, last), self.leg)
        if last < today:
            left = [day for day in self.tail if day >= today]
            if len(left) >= LEAST_TAIL:
                first, last = today, left[int(OVERDUE * (len(left) - 1))]
        return Window(min(max(first, today), last), last, self.basis, self.parcels)

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the parcel."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "tail": [(day - self.first).days for day in self.tail],
            "basis": self.basis,
            "parcels": self.parcels,
            "leg": [day.isoformat() for day in self.leg] if self.leg else [],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Forecast:
        """What was kept."""
        first = date.fromisoformat(told["first"])
        leg = [date.fromisoformat(day) for day in told["leg"]]
        return cls(
            first,
            date.fromisoformat(told["last"]),
            tuple(date.fromordinal(first.toordinal() + days) for days in told["tail"]),
            told["basis"],
            told["parcels"],
            (leg[0], leg[1]) if leg else None,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """Who says when it arrives. `carrier` is its present date, `since` when `status` began."""

    status: Status
    detail: str
    since: date | None = None
    carrier: date | None = None
    forecast: Forecast | None = None
    promise: Window | None = None
    is_handed_over: bool = False


def shown(said: Said, today: date) -> Window | None:
    """The one window to show on a day; None where there is nothing to say.

    It may lie in the past: then it was missed, and `Window.on` gives nothing.
    """
    own = Window(said.carrier, said.carrier, CARRIER) if said.carrier else None
    if said.status in OVER:
        return None
    if said.status is Status.OUT_FOR_DELIVERY:
        return Window(said.since, said.since, CARRIER) if said.since else own
    if said.status in HELD_UP or said.detail in HELD_UP_BY or said.carrier == today:
        return own
    ours = _ours(said, own, today)
    if own is None or (ours is not None and ours.last >= own.last):
        return ours
    return own


def _ours(said: Said, own: Window | None, today: date) -> Window | None:
    """What we say ourselves; a promise is the shop's word until the parcel is on its way."""
    if said.forecast is not None:
        return said.forecast.window(today)
    return said.promise if own is None or not said.is_handed_over else own


def _narrowed(window: tuple[date, date], leg: tuple[date, date]) -> tuple[date, date]:
    """The days in both; where there are none the newer, but no wider than the older."""
    first, last = max(window[0], leg[0]), min(window[1], leg[1])
    if first <= last:
        return first, last
    return leg[0], min(leg[1], leg[0] + (window[1] - window[0]))
