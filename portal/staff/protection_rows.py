"""The rows behind one figure of the books, as a list and for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flask import Response, abort, g, make_response, render_template, request

from portal import clock
from portal.format import plain_amount
from portal.models.book_rows import Asked, Listed, Row, listed
from portal.models.claims_open import open_claims
from portal.pages.dates import Calendar
from portal.staff.book_words import CHANNELS, CLAIM_KINDS, FIGURES, REFUSED, SAYS
from portal.staff.desk import bp
from portal.staff.listing import MOST
from portal.staff.protection import (
    as_sheet,
    asked_currency,
    asked_months,
    lane_name,
    month_name,
    shown_in,
)
from portal.staff.rights import needs

MOST_PAGES: Final = 1_000
SHEET: Final = 100_000  # rows at most in one file


@bp.get("/protection/<what>")
@needs("books")
def protection_rows(what: str) -> Response:
    """The rows of one figure, 50 at a time, the newest first, with what all of them come to."""
    asked = _asked(what)
    page = min(max(1, request.args.get("page", 1, type=int)), MOST_PAGES)
    found = _rows(asked, MOST, page)
    calendar = Calendar.at(clock.now(), "en", g.shop.timezone)
    title, means = FIGURES[what]
    text = render_template(
        "staff/protection_rows.html",
        here="protection",
        asked=asked,
        title=title,
        means=means,
        within=_within(asked),
        found=found,
        has_amounts=what not in ("parcels", "claimed", "refused"),
        says=says,
        kinds=CLAIM_KINDS,
        page=page,
        more=found.count > page * MOST,
        kept=_kept(),
        day=lambda at: f"{calendar.local(at):%-d %b %Y}",
        **shown_in(asked.currency),
    )
    return make_response(text)


@bp.get("/protection/<what>.csv")
@needs("books")
def protection_rows_sheet(what: str) -> Response:
    """All rows of one figure for a spreadsheet."""
    asked = _asked(what)
    return as_sheet(f"protection-{what}", _lines(asked, _rows(asked, SHEET, 1)))


def says(row: Row) -> str:
    """What a row says, in words."""
    known = SAYS.get(row.says) or REFUSED.get(row.says) or row.says.replace("_", " ").capitalize()
    note = CHANNELS.get(row.note, row.note)
    return f"{known} · {note}" if note else known


def _asked(what: str) -> Asked:
    """What the address asks for; 404 for a figure that there is none of."""
    if what not in FIGURES:
        abort(404)
    months = asked_months().only(request.args.get("month", ""))
    lane, kind = request.args.get("lane", "")[:8], request.args.get("kind", "")
    return Asked(what, months, asked_currency(), lane, kind if kind in CLAIM_KINDS else "")


def _rows(asked: Asked, most: int, page: int) -> Listed:
    if asked.what != "open":
        return listed(asked, most, page)
    rows = [
        Row(
            at=each.asked_at,
            order=each.order,
            order_id="",
            to=each.lane.partition(">")[2],
            claim_id=each.id,
            claim=each.number,
            kind=each.kind,
            says=each.status,
            note="",
            amount_minor=each.expected_minor,
        )
        for each in open_claims(asked.currency, g.shop.country)
        if asked.lane in ("", each.lane) and asked.kind in ("", each.kind)
    ]
    total = sum(row.amount_minor for row in rows)
    return Listed(rows[(page - 1) * most : page * most], len(rows), total)


def _within(asked: Asked) -> str:
    """Which months, lane and kind these rows are of."""
    names = asked.months.names
    if asked.what == "open":
        parts = ["now"]
    elif asked.what == "reserve":
        parts = [f"at the end of {month_name(names[-1])}"]
    elif len(names) == 1:
        parts = [month_name(names[0])]
    else:
        parts = [f"{month_name(names[0])} to {month_name(names[-1])}"]
    parts += [lane_name(asked.lane)] if asked.lane else []
    parts += [CLAIM_KINDS[asked.kind]] if asked.kind else []
    return " · ".join([*parts, asked.currency])


def _kept() -> dict[str, str]:
    """What the address says of the rows, for the addresses of other pages of them."""
    names = ("period", "currency", "month", "lane", "kind")
    return {name: request.args[name] for name in names if request.args.get(name)}


def _lines(asked: Asked, found: Listed) -> Iterator[list[object]]:
    yield ["at", "order", "to", "claim", "kind", "what", "currency", "amount"]
    for row in found.rows:
        yield [
            row.at.isoformat(timespec="seconds"),
            row.order,
            row.to,
            row.claim,
            row.kind,
            says(row),
            asked.currency,
            plain_amount(row.amount_minor, asked.currency),
        ]
