"""The audit trail at the desk: who did what, to what, why, and what it was before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, render_template, request

from portal import clock
from portal.models.audit import AuditEntry
from portal.models.audit_search import Looked, acts_known, looked_up
from portal.models.chain import check
from portal.pages.dates import Calendar
from portal.staff.desk import bp
from portal.staff.listing import MOST
from portal.staff.protection import as_sheet
from portal.staff.return_shown import when
from portal.staff.rights import needs

SHEET: Final = 100_000  # entries at most in one file
LONGEST: Final = 120
# Where the thing that an entry tells of has a page of its own.
PAGES: Final = {"order": "orders", "return": "returns", "claim": "claims"}


@bp.get("/audit")
@needs("audit")
def audit() -> Response:
    """The newest entries that match, 50 at a time."""
    chain = check() if request.args.get("check") else None
    rows = looked_up(_looked(), MOST + 1)
    calendar = Calendar.at(clock.now(), "en", g.shop.timezone)
    text = render_template(
        "staff/audit.html",
        here="audit",
        rows=rows[:MOST],
        older=rows[MOST - 1].id if len(rows) > MOST else None,
        asked=_kept(),
        acts=acts_known(),
        chain=chain,
        page_of=page_of,
        changes=changes,
        when=lambda at: when(at, calendar),
    )
    return make_response(text)


@bp.get("/audit.csv")
@needs("audit")
def audit_sheet() -> Response:
    """Every entry that matches, for a spreadsheet."""
    return as_sheet("audit", _lines(looked_up(_looked(), SHEET)))


def page_of(subject: str) -> str:
    """The address of the thing's page at the desk; '' where it has none."""
    kind, _, id = subject.partition(":")
    return f"/staff/{PAGES[kind]}/{id}" if kind in PAGES and id else ""


def changes(entry: AuditEntry) -> list[tuple[str, str, str]]:
    """What became of each fact: (name, before, after), '' where there was none."""
    before, after = entry.before or {}, entry.after or {}
    return [
        (name.replace("_", " "), _said(before.get(name)), _said(after.get(name)))
        for name in sorted({*before, *after})
    ]


def _said(value: Any) -> str:
    if value is None or value == "":
        return ""
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _kept() -> dict[str, str]:
    names = ("who", "act", "subject", "since", "until")
    return {name: request.args.get(name, "").strip()[:LONGEST] for name in names}


def _looked() -> Looked:
    asked = _kept()
    until = _day(asked["until"])
    return Looked(
        who=asked["who"],
        act=asked["act"],
        subject=asked["subject"],
        since=_begin(_day(asked["since"])),
        until=_begin(until + timedelta(days=1)) if until and until < date.max else None,
        before=request.args.get("before", type=int),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _begin(day: date | None) -> datetime | None:
    """When a day begins in the shop's zone; None for a day that no database can count."""
    if day is None or not 1970 <= day.year <= 9000:
        return None
    return datetime.combine(day, time.min, ZoneInfo(g.shop.timezone))


def _lines(rows: list[AuditEntry]) -> Iterator[list[object]]:
    yield ["at", "who", "act", "subject", "why", "before", "after", "place", "seal"]
    for row in rows:
        told = (json.dumps(part or {}, ensure_ascii=False) for part in (row.before, row.after))
        yield [
            row.at.isoformat(timespec="seconds"),
            *(row.who, row.act, row.subject, row.why, *told),
            *(row.place or "", row.seal or ""),
        ]
