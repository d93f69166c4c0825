"""Dates and times in the reader's form, and the zone they are read in.

A bare "en" reads as day before month with a 12-hour clock; "en_US" and every other locale follow
their own customs, as Babel knows them.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_timezone_name

from portal.pages.speech import _

NEARBY_DAYS = 20  # a weekday and a day of the month name one date only this close to today
YEAR = re.compile(r",?\s*(?:'[^']*'\s*)?y+(?:\s*'[^']*'|年|년)?\s*")
MONTH = re.compile(r"\s*(?:'[^']*'\s*)?M+")


@lru_cache(maxsize=64)
def reading(locale: str) -> Locale:
    """The Babel locale whose customs `locale` reads in; English when it is not known to Babel."""
    try:
        found = Locale.parse(locale.replace("-", "_"))
    except Exception:  # Babel raises ValueError, TypeError or UnknownLocaleError for odd input
        found = Locale.parse("en")
    return Locale.parse("en_AU") if str(found) == "en" else found


def zone(*names: str | None) -> ZoneInfo:
    """The first of `names` that is a zone; UTC when none is."""
    for name in names:
        try:
            return ZoneInfo(name or "")
        except (ValueError, OSError, KeyError):
            continue
    return ZoneInfo("UTC")


@dataclass(frozen=True)
class Calendar:
    """The reader's customs, zone and today: everything a date needs to become words."""

    locale: str
    zone: ZoneInfo
    today: date

    @classmethod
    def at(cls, now: datetime, locale: str, *zones: str | None) -> "Calendar":
        """The customs at the moment `now`, in the first of `zones` that is known."""
        here = zone(*zones)
        return cls(locale, here, now.astimezone(here).date())

    @property
    def midnight(self) -> datetime:
        """The next moment at which "today" means another day, in UTC."""
        tomorrow = self.today + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self.zone).astimezone(UTC)

    def local(self, at: datetime, offset_minutes: int | None = None) -> datetime:
        """`at` where it happened when the offset is known, else in the reader's zone."""
        if offset_minutes is None:
            return at.astimezone(self.zone)
        return at.astimezone(timezone(timedelta(minutes=offset_minutes)))

    def long(self, day: date) -> str:
        """Weekday, day and month: "Thursday 26 November"; the year where it is another one."""
        pattern = _full(self.locale)
        if day.year == self.today.year or abs((day - self.today).days) < NEARBY_DAYS:
            pattern = YEAR.sub("", pattern)
        return _day(day, pattern, self.locale)

    def near(self, day: date) -> str:
        """As `long`, but "today", "yesterday" and "tomorrow" by name."""
        return self.day_name(day) or self.long(day)

    def day_name(self, day: date) -> str:
        """Today, Yesterday or Tomorrow, else nothing."""
        names = {0: _("Today"), -1: _("Yesterday"), 1: _("Tomorrow")}
        return names.get((day - self.today).days, "")

    def span(self, first: date, last: date) -> str:
        """ "Thursday 26 to Friday 27 November"; one date when both are the same."""
        if first >= last:
            return self.long(last)
        start = self.long(first)
        pattern = _full(self.locale)
        same_month = (first.year, first.month) == (last.year, last.month)
        if same_month and pattern.find("d") < pattern.find("M"):
            start = format_date(first, MONTH.sub("", YEAR.sub("", pattern)), reading(self.locale))
        return _("%(first)s to %(last)s", first=start, last=self.long(last))

    def short(self, day: date) -> str:
        """ "Thu 26" near today, else "26 Sept"."""
        if day == self.today:
            return _("today")
        if abs((day - self.today).days) > NEARBY_DAYS:
            return format_skeleton("MMMd", _noon(day), locale=reading(self.locale))
        dot = "." if "d." in _full(self.locale) else ""
        return _day(day, f"EEE d{dot}", self.locale)

    def clock(self, at: datetime) -> str:
        """The time of day of an already local `at`."""
        return _clock(at.hour, at.minute, self.locale)

    def full(self, at: datetime) -> str:
        """The whole moment with its zone, for titles: nothing about it needs today's date."""
        day = _day(at.date(), _full(self.locale), self.locale)
        return _(
            "%(day)s at %(time)s, %(zone)s",
            day=day,
            time=self.clock(at),
            zone=zone_name(at, self.locale),
        )


def month(day: date, locale: str) -> str:
    """Month and year: "July 2026"."""
    return str(format_skeleton("yMMMM", _noon(day), locale=reading(locale)))


# A history says the same days and minutes again and again, and so do all others of the week.
@lru_cache(maxsize=4096)
def _clock(hour: int, minute: int, locale: str) -> str:
    return format_time(time(hour, minute), "short", locale=reading(locale))


@lru_cache(maxsize=4096)
def _day(day: date, pattern: str, locale: str) -> str:
    return format_date(day, pattern, reading(locale))


def zone_name(at: datetime, locale: str) -> str:
    """The zone of a local moment in words; a bare offset as "UTC−6"."""
    if isinstance(at.tzinfo, ZoneInfo):
        return get_timezone_name(at, "long", locale=reading(locale))
    return _offset_name(at.tzinfo, at)


def _offset_name(of: tzinfo | None, at: datetime) -> str:
    minutes = int(((of.utcoffset(at) if of else None) or timedelta()).total_seconds() // 60)
    sign = "−" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return "UTC" if not minutes else f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")


@lru_cache(maxsize=64)
def _full(locale: str) -> str:
    here = reading(locale)
    pattern = str(here.date_formats["full"].pattern)
    if here.language == "en":  # "Thursday, 26 November" reads calmer without its comma
        pattern = pattern.replace("EEEE, d", "EEEE d")
    return pattern


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
