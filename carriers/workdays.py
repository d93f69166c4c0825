"""Business days: the weekdays on which a place works, without its public holidays. Pure.

Holidays are the `holidays` package's. It is loaded with the first question for one (a fifth of a
second, 8 MB); the days of a country, a region and a year are then kept in the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, Final

MONDAY_TO_FRIDAY: Final = frozenset({0, 1, 2, 3, 4})
EVERY_DAY: Final = frozenset(range(7))
# Holidays of these regions close offices, and no carrier.
OFFICES_ONLY: Final = frozenset({"US"})
FARTHEST: Final = 400  # business days that can be counted ahead
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Whose holidays: a country as ISO 3166 names it ("DE"), and a region by code or name.

    An unknown country has no holidays; of an unknown or empty region the country's hold, and of a
    state of the US too.
    """

    country: str
    region: str = ""

    def holidays(self, year: int) -> frozenset[date]:
        """The public holidays of one year, with the days on which they are observed."""
        country = self.country.strip().upper()
        asked = "" if country in OFFICES_ONLY else self.region.strip().casefold()
        return _holidays(country, _region(country, asked), year)

    def is_holiday(self, day: date) -> bool:
        """Whether this is a public holiday here."""
        return day in self.holidays(day.year)


@dataclass(frozen=True, slots=True)
class Workdays:
    """Days of `weekdays` (Monday is 0) that are a holiday in none of `places`, nor `closed`.

    Raises ValueError where no weekday is given, or one that is none.
    """

    weekdays: frozenset[int] = MONDAY_TO_FRIDAY
    places: tuple[Place, ...] = ()
    closed: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= EVERY_DAY:
            raise ValueError("Business days are one or more of 0 (Monday) to 6 (Sunday).")

    def __contains__(self, day: object) -> bool:
        """Whether `day` is a business day."""
        return (
            isinstance(day, date)
            and day.weekday() in self.weekdays
            and day not in self.closed
            and not any(place.is_holiday(day) for place in self.places)
        )

    def first_from(self, day: date) -> date:
        """`day` itself or the first business day after it."""
        return self._next(day - DAY)

    def last_until(self, day: date) -> date:
        """`day` itself or the last business day before it."""
        while day not in self:
            day -= DAY
        return day

    def after(self, day: date, count: int) -> date:
        """The business day that many after `day`; with 0 `day` itself or the first one after it.

        Raises ValueError for a count below 0 or above 400.
        """
        if not 0 <= count <= FARTHEST:
            raise ValueError(f"Between 0 and {FARTHEST} business days can be counted, not {count}.")
        if count == 0:
            return self.first_from(day)
        for _ in range(count):
            day = self._next(day)
        return day

    def between(self, first: date, last: date) -> int:
        """How many business days lie after `first` up to and with `last`; 0 where it is earlier."""
        days = range((last - first).days)
        return sum(first + (number + 1) * DAY in self for number in days)

    def _next(self, day: date) -> date:
        day += DAY
        while day not in self:
            day += DAY
        return day


def holidays_during(first: date, last: date, places: Iterable[Place]) -> frozenset[date]:
    """The holidays of any of `places` in the years from that of `first` to that of `last`."""
    years = range(first.year, last.year + 1)
    return frozenset().union(*(place.holidays(year) for place in places for year in years))


def weekend_of(country: str) -> frozenset[int]:
    """The weekdays on which a country rests; Saturday and Sunday where it is unknown."""
    asked = _calendar(country.strip().upper(), "", None)
    return frozenset(asked.weekend) if asked is not None else EVERY_DAY - MONDAY_TO_FRIDAY


@cache
def _library() -> Any:
    # Commands and pages that need no date must not pay for loading it.
    return import_module("holidays")


def _calendar(country: str, region: str, year: int | None) -> Any:
    """The package's own calendar; None where it knows no such country."""
    try:
        return _library().country_holidays(country, region or None, years=year, expand=False)
    except NotImplementedError:
        return None


@lru_cache(maxsize=1024)
def _holidays(country: str, region: str, year: int) -> frozenset[date]:
    found = _calendar(country, region, year)
    return frozenset(found) if found is not None else frozenset()


@lru_cache(maxsize=4096)
def _region(country: str, asked: str) -> str:
    """The package's code of a region given by code or name; "" where it has none like it."""
    if not asked:
        return ""
    known = _calendar(country, "", None)
    if known is None:
        return ""
    named: dict[str, str] = {code.casefold(): code for code in known.subdivisions}
    named |= {name.casefold(): code for name, code in known.subdivisions_aliases.items()}
    return named.get(asked.removeprefix(f"{country.casefold()}-"), "")
