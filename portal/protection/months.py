"""Months of a shop's calendar in a row, and the moments at which they begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from zoneinfo import ZoneInfo

YEAR = 12
MOST = 120  # ten years


@dataclass(frozen=True)
class Months:
    """From the month of `first` to the month of `last`, both included, as they are in `zone`."""

    first: date
    last: date
    zone: ZoneInfo

    @staticmethod
    def until(today: date, count: int, zone: ZoneInfo) -> Months:
        """The last `count` months, the one that is under way included."""
        return Months(_later(today, 1 - min(count, MOST)), today, zone)

    @staticmethod
    def of_year(year: int, zone: ZoneInfo) -> Months:
        """A calendar year."""
        return Months(date(year, 1, 1), date(year, 12, 1), zone)

    @cached_property
    def starts(self) -> tuple[date, ...]:
        """The first day of each month."""
        count = (self.last.year - self.first.year) * YEAR + self.last.month - self.first.month + 1
        return tuple(_later(self.first, place) for place in range(min(count, MOST)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each month such as 2026-11."""
        return tuple(f"{start:%Y-%m}" for start in self.starts)

    @cached_property
    def bounds(self) -> tuple[datetime, ...]:
        """When each of them begins, in UTC, and when the last one is over."""
        days = (*self.starts, _later(self.starts[-1], 1))
        return tuple(datetime.combine(day, time(), self.zone).astimezone(UTC) for day in days)

    def only(self, name: str) -> Months:
        """The one of this name; all of them where none has it."""
        found = next((s for s, n in zip(self.starts, self.names, strict=True) if n == name), None)
        return self if found is None else Months(found, found, self.zone)


def _later(day: date, months: int) -> date:
    """The first day of the month so many months later."""
    year, month = divmod(day.year * YEAR + day.month - 1 + months, YEAR)
    return date(year, month + 1, 1)
