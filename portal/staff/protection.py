"""The books of protection before the merchant: what came in, what went out, what is held back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from flask import Response, flash, g, make_response, redirect, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.format import money, plain_amount, sheet
from portal.models import CoverRecord, Shop
from portal.models.book_rows import Asked, Listed, listed, refusals
from portal.models.books import currencies, first_moment, read_books
from portal.models.claims_open import OpenClaim, open_claims
from portal.models.cover_record import SETTING, Year, public_year, speak
from portal.models.offer import text_version_of
from portal.models.protection import live_plan
from portal.pages.dates import Calendar
from portal.pages.protection_words import year_words
from portal.protection.books import FEW, Books, Sum
from portal.protection.months import YEAR, Months
from portal.staff.book_words import CLAIM_KINDS, FIGURES, REFUSED, percent
from portal.staff.desk import bp
from portal.staff.plan_words import plan_said
from portal.staff.rights import me, needs

LATEST: Final = 5  # refused quotes on the page itself
COLUMNS: Final = (
    *("sold_minor", "back_minor", "earned_minor", "paid_minor", "recovered_minor"),
    *("parcels", "claimed", "claims"),
)


@bp.get("/protection")
@needs("books")
def protection() -> Response:
    """The books of a period in one currency, with the plan in force and what was refused."""
    books = asked_books()
    open_ = open_claims(books.currency, g.shop.country)
    text = render_template(
        "staff/protection.html",
        here="protection",
        books=books,
        total=books.total,
        months=_named(_months(books), month_name),
        lanes=_named(_lanes(books, open_), lane_name),
        kinds=_kinds(books, open_),
        reserves=books.reserves,
        open_count=len(open_),
        open_minor=sum(each.expected_minor for each in open_),
        open_lanes=_expected(open_, "lane"),
        refused=_refused(books),
        refusals=refusals(books.months, books.currency),
        reasons=REFUSED,
        plan=_plan(),
        year=_year(books.currency),
        few=FEW,
        meanings=FIGURES.values(),
        can=me().may,
        **choices(books),
        **shown_in(books.currency),
    )
    return make_response(text)


@bp.get("/protection.csv")
@needs("books")
def protection_sheet() -> Response:
    """Every figure of the period by month, lane and kind, for a spreadsheet."""
    books = asked_books()
    return as_sheet("protection", _lines(books))


@bp.post("/protection/record")
@needs("policy")
def protection_record() -> Response:
    """Say the year's figures in public, or stop saying them."""
    aloud = request.form.get("aloud") == "yes"
    with writing():
        speak(session.get_one(Shop, g.shop_id), aloud, me().who)
    told = "is said where cover is offered" if aloud else "is not said any more"
    flash(f"What the last year came to {told}.")
    return make_response(redirect("/staff/protection#record", 303))


# --- which months, in which currency -------------------------------------------------------------


def asked_books() -> Books:
    """The books that the address asks for."""
    return read_books(asked_months(), asked_currency(), g.shop.country)


def asked_months() -> Months:
    """The months of the chosen period: the last twelve unless said."""
    calendar = _calendar()
    period = request.args.get("period", "")
    if period.isascii() and period.isdigit() and int(period) in _years():
        return Months.of_year(int(period), calendar.zone)
    count = 2 * YEAR if period == "24m" else YEAR
    return Months.until(calendar.today, count, calendar.zone)


def asked_currency() -> str:
    """The chosen currency: the shop's own unless said."""
    known = currencies(g.shop.currency)
    asked = request.args.get("currency", "")
    return asked if asked in known else known[0]


def choices(books: Books) -> dict[str, Any]:
    """What can be chosen, and what is."""
    periods = [("12m", "Last 12 months"), ("24m", "Last 24 months")]
    periods += [(str(year), str(year)) for year in _years()]
    period = request.args.get("period", "")
    return {
        "periods": periods,
        "period": period if period in dict(periods) else "12m",
        "currencies": currencies(g.shop.currency),
        "currency": books.currency,
    }


def _years() -> list[int]:
    """The calendar years that the books know, the newest first."""
    calendar, first = _calendar(), first_moment()
    begun = calendar.local(first).year if first else calendar.today.year
    return list(range(calendar.today.year, begun - 1, -1))


def _calendar() -> Calendar:
    return Calendar.at(clock.now(), "en", g.shop.timezone)


# --- what is shown -------------------------------------------------------------------------------


def shown_in(currency: str) -> dict[str, Any]:
    """How a template says amounts and shares."""
    return {"money": lambda minor: money(minor, currency, "en"), "percent": percent}


def month_name(name: str) -> str:
    """A month such as Nov 2026."""
    return f"{date.fromisoformat(f'{name}-01'):%b %Y}"


def lane_name(lane: str) -> str:
    """A lane such as US → CA."""
    return lane.replace(">", " → ")


def _named(sums: dict[str, Sum], name: Any) -> list[tuple[str, str, Sum]]:
    return [(key, name(key), sum_) for key, sum_ in sums.items()]


def _months(books: Books) -> dict[str, Sum]:
    """Each month, but those before anything happened."""
    found = books.by("month")
    begun = next((name for name, sum_ in found.items() if sum_ != Sum()), books.months.names[-1])
    opened = books.months.names[0] if books.opening_minor else begun
    return {name: sum_ for name, sum_ in found.items() if name >= opened}


def _lanes(books: Books, open_: list[OpenClaim]) -> dict[str, Sum]:
    """Each lane of the period; also those on which nothing but an older claim is open."""
    return dict(sorted({**{each.lane: Sum() for each in open_}, **books.by("lane")}.items()))


def _kinds(books: Books, open_: list[OpenClaim]) -> list[tuple[str, str, Sum, int, int]]:
    """Each kind of claim: its sums, how many are open, and what those are expected to cost."""
    by_kind, expected = books.by("kind"), _expected(open_, "kind")
    return [
        (kind, words, by_kind.get(kind, Sum()), *expected.get(kind, (0, 0)))
        for kind, words in CLAIM_KINDS.items()
        if kind in by_kind or kind in expected
    ]


def _expected(open_: list[OpenClaim], name: str) -> dict[str, tuple[int, int]]:
    """How many claims are open and what they are expected to cost, by lane or kind."""
    found: dict[str, tuple[int, int]] = {}
    for each in open_:
        count, minor = found.get(getattr(each, name), (0, 0))
        found[getattr(each, name)] = (count + 1, minor + each.expected_minor)
    return found


def _refused(books: Books) -> Listed:
    return listed(Asked("refused", books.months, books.currency), LATEST)


def _plan() -> dict[str, Any] | None:
    """The plan in force in plain sentences, and the version of the words it is sold in."""
    found = live_plan(clock.now())
    if found is None:
        return None
    calendar = _calendar()
    return {
        "version": found.version,
        "since": calendar.long(calendar.local(found.since).date()),
        "text_version": text_version_of(found, g.shop.settings),
        "said": plan_said(found.plan),
    }


def _year(currency: str) -> dict[str, Any]:
    """What can be said in public of the last year, and whether it is."""
    row = session.scalar(select(CoverRecord).where(CoverRecord.currency == currency))
    said = ""
    if row is not None and row.parcels >= FEW:
        figures = (row.parcels, row.claimed, row.earned_minor, row.paid_minor)
        said = year_words(Year(currency, *figures), "en")
    return {
        "said": said,
        "parcels": row.parcels if row is not None else 0,
        "is_wanted": g.shop.settings.get(SETTING) is True,
        "is_public": public_year(g.shop.settings, currency) is not None,
    }


# --- for a spreadsheet ---------------------------------------------------------------------------


def as_sheet(name: str, rows: Iterator[list[object]]) -> Response:
    """Rows as a file to keep."""
    response = Response(sheet(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _lines(books: Books) -> Iterator[list[object]]:
    names = [name.removesuffix("_minor") for name in COLUMNS]
    yield ["month", "lane", "kind", "covered", "currency", *names]
    ordered = sorted(books.cells.items(), key=lambda pair: repr(pair[0]))
    for cell, sum_ in ordered:
        values = [_value(sum_, name, books.currency) for name in COLUMNS]
        covered = "yes" if cell.covered else "no"
        yield [cell.month, cell.lane, cell.kind, covered, books.currency, *values]


def _value(sum_: Sum, name: str, currency: str) -> object:
    value: int = getattr(sum_, name)
    return plain_amount(value, currency) if name.endswith("_minor") else value
