"""What a draft would have decided of the requests of the last ninety days, and what it moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response, make_response, render_template
from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import Return, ReturnLine
from portal.models.policy import live_version
from portal.models.rma_past import past_requests
from portal.pages.dates import Calendar
from portal.pages.policy_words import because
from portal.staff.desk import bp
from portal.staff.policy_edit import found
from portal.staff.policy_sentences import desk_reader
from portal.staff.policy_trial import OUTCOMES
from portal.staff.rights import needs
from returns.replay import Changed, Replayed, replay

LOOKED_BACK: Final = timedelta(days=90)
MOST_KEPT: Final = 100_000
MOST_READ: Final = 20_000  # returns
MOST_SHOWN: Final = 50
NOUNS: Final = {
    "approve": ("approval", "approvals"),
    "review": ("case for a person", "cases for a person"),
    "decline": ("decline", "declines"),
}
MONEY: Final = {
    "refund": "Refunds",
    "store_credit": "Store credit",
    "exchange": "Exchanges",
    "fee": "Fees that are kept",
    "label": "Labels that customers pay",
    "bonus": "Bonus, in the credit and exchanges above",
}


@bp.get("/policy/<int:version>/replay")
@needs("read")
def policy_replay(version: int) -> Response:
    """Decide every request of the last ninety days by this version, and by the one in force."""
    tried, now = found(version), clock.now()
    live = live_version(now) or tried
    begun = _newest_since(now - LOOKED_BACK)
    since = begun or now - LOOKED_BACK
    past = past_requests(since)
    report = replay(live.policy, tried.policy, past, most_changes=MOST_KEPT)
    calendar = desk_reader(tried.policy, now).calendar
    text = render_template(
        "staff/policy_replay.html",
        here="policy",
        version=version,
        live=live.version,
        report=report,
        pairs=_pairs(report),
        moved=_moved(report),
        rows=_rows(report.changes[:MOST_SHOWN], calendar),
        only_since=calendar.full(begun) if begun else "",
        days=LOOKED_BACK.days,
    )
    return make_response(text)


def _newest_since(since: datetime) -> datetime | None:
    """From when the newest returns are that can be read while a page loads; None for all."""
    newest = select(Return.requested_at).where(Return.requested_at >= since)
    return session.scalar(newest.order_by(Return.requested_at.desc()).offset(MOST_READ).limit(1))


def _pairs(report: Replayed) -> list[str]:
    """ "41 approvals become declines (−$1,902.00).", the most first."""
    moved: dict[Any, Counter[str]] = {}
    for change in report.changes:
        sums = moved.setdefault(change.outcomes, Counter())
        by = change.paid_after.total_minor - change.paid_before.total_minor
        sums[change.request.facts.currency or ""] += by
    told = []
    for (old, new), count in report.outcomes.most_common():
        sums = moved.get((old, new), Counter())
        amounts = ", ".join(_signed(minor, currency) for currency, minor in sums.items() if minor)
        said = f" ({amounts})" if amounts else ""
        name = NOUNS[old][count != 1]
        same = "stay, with other amounts" if count != 1 else "stays, with another amount"
        then = f"{count} {name} {same}" if old == new else _becomes(count, name, new)
        told.append(f"{then}{said}.")
    return told


def _becomes(count: int, name: str, new: str) -> str:
    one, many = NOUNS[new]
    article = "an" if one[0] == "a" else "a"
    return f"{count} {name} become {many}" if count != 1 else f"1 {name} becomes {article} {one}"


def _moved(report: Replayed) -> list[tuple[str, str, str, str]]:
    """What each kind of money was, would have been, and the difference, by currency."""
    return [
        (
            f"{title}, {currency}" if len(report.before) > 1 else title,
            _plain(report.before[currency][name], currency),
            _plain(report.after[currency][name], currency),
            _signed(report.after[currency][name] - report.before[currency][name], currency) or "–",
        )
        for currency in sorted(report.before)
        for name, title in MONEY.items()
        if report.before[currency][name] or report.after[currency][name]
    ]


def _rows(changes: Sequence[Changed], calendar: Calendar) -> list[dict[str, Any]]:
    """Single cases with the return they were of."""
    wanted = (
        select(ReturnLine.id, ReturnLine.title, ReturnLine.sku, Return.id, Return.number)
        .join(Return, Return.id == ReturnLine.rma_id)
        .where(ReturnLine.id.in_([change.request.id for change in changes]))
    )
    returns = {line_id: rest for line_id, *rest in session.execute(wanted)}
    return [_row(change, returns[change.request.id], calendar) for change in changes]


def _row(change: Changed, of: Sequence[str], calendar: Calendar) -> dict[str, Any]:
    title, sku, rma_id, number = of
    old, new = change.outcomes
    currency = change.request.facts.currency or ""
    by = change.paid_after.total_minor - change.paid_before.total_minor
    return {
        "number": number,
        "url": f"/staff/returns/{rma_id}",
        "title": title or sku,
        "old": OUTCOMES[old],
        "new": OUTCOMES[new],
        "because": because(change.after.because, change.after.values, calendar),
        "moved": _signed(by, currency) or "–",
    }


def _plain(minor: int, currency: str) -> str:
    return money(minor, currency, "en") if currency else str(minor)


def _signed(minor: int, currency: str) -> str:
    """The amount with its sign; "" for nothing."""
    sign = "−" if minor < 0 else "+"
    return f"{sign}{_plain(abs(minor), currency)}" if minor else ""
