"""What a mail tells, and the forms its dates take."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the parcel; `picture` is a URL or '', `note` what came of it."""

    title: str
    variant: str = ""
    quantity: int = 1
    picture: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReturnFacts:
    """What a mail tells of a return, days and amounts in the reader's form; "" is not known.

    `amounts` are rows of what and how much, which is "" where it is not told, as of a gift.
    """

    number: str
    day: str = ""  # by when: decided, sent off, paid, visible
    reason: str = ""  # why it was declined or cancelled, in plain words
    todo: tuple[str, ...] = ()
    amounts: tuple[tuple[str, str], ...] = ()
    moment: str = ""  # when these are given
    after: str = ""  # what comes next
    label: str = ""  # URL of the PDF
    code: str = ""  # URL of the picture of the code that is shown at the counter
    waits_for_label: bool = False
    keeps: bool = False  # nothing is to be sent back
    accepted: int = 0
    judged: int = 0
    other: str = ""  # the other article of an exchange
    order: str = ""  # the number of the order that it became
    ends: str = ""  # the day store credit ends
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What a mail tells of a claim, days and amounts in the reader's form; "" is not known."""

    number: str
    day: str = ""  # it opens, a person answers, an appeal ends
    reason: str = ""  # why it stands so, or what is asked for
    amount: str = ""
    wanted: str = ""  # a new parcel, money back, store credit


@dataclass(frozen=True, slots=True)
class Facts:
    """What a mail tells. Dates are local to the destination, `at` carries its zone."""

    number: str
    link: str = ""  # the order's page, or its return's
    choose: str = ""  # where the reader chooses or stops these mails
    carrier: str = ""
    status: str = ""
    at: datetime | None = None
    eta: date | None = None
    eta_from: date | None = None  # the first day of the window that ends with `eta`
    first_eta: date | None = None
    items: tuple[Item, ...] = ()
    cover: str = ""  # what was paid for delivery protection
    code: str = ""
    purpose: str = ""
    moment: str = ""  # the date and time that matter, in words
    question: str = ""  # what the shop's staff would like to know
    rma: ReturnFacts = ReturnFacts("")
    claim: ClaimFacts = ClaimFacts("")


def long_day(day: date, locale: str) -> str:
    """Weekday, day and month in the reader's form: "Thursday 26 November"."""
    if locale == "en":
        return str(format_date(day, "EEEE d MMMM", "en"))
    return str(format_skeleton("MMMMEEEEd", _noon(day), locale=_reading(locale)))


def short_day(day: date, locale: str) -> str:
    """The same in few characters, for subjects: "Thu 26 Nov"."""
    if locale == "en":
        return str(format_date(day, "EEE d MMM", "en"))
    return str(format_skeleton("MMMEd", _noon(day), locale=_reading(locale)))


def time_of_day(at: datetime, locale: str) -> str:
    return str(format_time(at.time(), "short", locale=_reading(locale)))


def _reading(locale: str) -> Locale:
    try:
        found = Locale.parse(locale.replace("-", "_"))
    except Exception:  # Babel raises ValueError, TypeError or UnknownLocaleError for odd input
        found = Locale.parse("en")
    return Locale.parse("en_AU") if str(found) == "en" else found


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 - only its date is shown


def plain(text: str) -> str:
    """One line without characters that nobody sees: none may break a header or turn the text."""
    seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(seen.split())
