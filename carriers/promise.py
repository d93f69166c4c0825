"""The shop's own word on when an order arrives, before any carrier has seen it. Pure.

An order placed before the cut-off of a business day is worked on that day, else on the next one;
after the processing days it is handed over, and the transit rule that fits best says how many
business days of the destination it then takes. Where the hand-over's day is known, it wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Final

from carriers.window import PROMISE, Window
from carriers.workdays import MONDAY_TO_FRIDAY, Place, Workdays

ANYWHERE: Final = ""


@dataclass(frozen=True, slots=True)
class Transit:
    """Business days that a way takes, both included; an empty field stands for any."""

    first: int
    last: int
    country: str = ANYWHERE
    region: str = ANYWHERE
    carrier: str = ANYWHERE
    service: str = ANYWHERE

    @property
    def _asked(self) -> tuple[str, str, str, str]:
        return self.country, self.region, self.carrier, self.service

    def fits(self, way: Sequence[str]) -> bool:
        """Whether it is meant for this way: country, region, carrier, service."""
        return all(
            not asked or asked.casefold() == there.casefold()
            for asked, there in zip(self._asked, way, strict=True)
        )

    @property
    def narrowness(self) -> tuple[int, ...]:
        """How much it asks for; where two ask for as much, the destination decides."""
        given = [int(bool(asked)) for asked in self._asked]
        return sum(given), *given


@dataclass(frozen=True, slots=True)
class Promise:
    """A shop's rules. `zone` is where its cut-off is read, `workdays` are its own business days."""

    zone: tzinfo
    workdays: Workdays
    transit: tuple[Transit, ...]
    cutoff: time = time(14)
    processing_days: int = 1
    delivery_weekdays: frozenset[int] = MONDAY_TO_FRIDAY

    def handed_over(self, placed_at: datetime) -> date:
        """The day on which an order is handed to its carrier. `placed_at` is aware."""
        local = placed_at.astimezone(self.zone)
        day = local.date()
        is_today = day in self.workdays and local.time() < self.cutoff
        begins = day if is_today else self.workdays.after(day, 1)
        return (
            begins
            if not self.processing_days
            else self.workdays.after(begins, self.processing_days)
        )

    def window(
        self,
        placed_at: datetime,
        shipped_at: datetime | None,
        to: Place,
        carrier: str = "",
        service: str = "",
    ) -> Window | None:
        """When an order arrives; None where no transit rule is meant for it."""
        way = (to.country, to.region, carrier, service)
        fitting = [rule for rule in self.transit if rule.fits(way)]
        if not fitting:
            return None
        rule = max(fitting, key=lambda each: each.narrowness)
        leaves = (
            self.handed_over(placed_at)
            if shipped_at is None
            else shipped_at.astimezone(self.zone).date()
        )
        there = Workdays(self.delivery_weekdays, (to,))
        return Window(there.after(leaves, rule.first), there.after(leaves, rule.last), PROMISE)
