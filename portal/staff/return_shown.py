"""What the page of one return shows to staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Response, make_response, render_template
from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import AuditEntry, Exchange, Instant, Order, Photo, Return, Shipment, Shop
from portal.models.dispute import disputes_of
from portal.models.label import labels_of
from portal.models.ledger import sums_of
from portal.models.rma_receipt import DISPOSITIONS
from portal.models.settlement import settlements_of
from portal.pages.dates import Calendar
from portal.pages.policy_words import METHODS, RESOLUTIONS, because, reason_words
from portal.staff.money_form import OTHERWISE, payable
from portal.staff.rights import me
from returns.lifecycle import RETURN

PAID_FROM: Final = ("approved", "shipped", "arrived", "checked")
AHEAD: Final = {
    "wanted": "agreed to, no card saved yet; nothing is sent before",
    "lapsed": "agreed to, no card came; an ordinary exchange",
    "saved": "sent; {amount} at most charged to the card ending in {last4} from {day}",
    "charging": "not back in time; {amount} is being charged to the card ending in {last4}",
    "charged": "not back in time; {amount} was paid for it",
    "released": "settled; nothing is charged any more",
    "declined": "not back in time, and {amount} could not be charged; the customer may pay it",
}
AHEAD_SIGNS: Final = {
    "charged": ("✓", "ok"),
    "released": ("✓", "ok"),
    "saved": ("✓", "ok"),
    "declined": ("✕", "bad"),
}
CODES: Final = {
    "outside_window": "The window has closed",
    "worn": "It was worn or used",
    "incomplete": "Something of it is missing",
    "not_ours": "It is not from this shop",
    "not_returnable": "This kind of thing cannot come back",
    "other": "Another reason, told in the note",
}
AMOUNTS: Final = (
    ("items_minor", "Items", 1),
    ("tax_minor", "Tax", 1),
    ("shipping_minor", "Shipping", 1),
    ("fee_minor", "Fee", -1),
    ("label_minor", "Label", -1),
    ("bonus_minor", "Bonus", 1),
)


def rma_shown(rma: Return, problem: str = "", status: int = 200) -> Response:
    """The page of a return; `problem` is what was refused a moment ago."""
    order = session.get_one(Order, rma.order_id)
    shop = session.get_one(Shop, rma.shop_id)
    calendar = Calendar.at(clock.now(), "en", shop.timezone)
    settlements, labels = settlements_of(rma.id), labels_of(rma.id)
    sums = sums_of([order.id])[order.id]
    text = render_template(
        "staff/return.html",
        here="",
        rma=rma,
        order=order,
        problem=problem,
        lines=[line_shown(line, calendar) for line in rma.lines],
        quoted=quoted_shown(rma),
        settlements=settlements,
        disputes=disputes_of(order.id),
        payable=payable(rma) if rma.status in PAID_FROM else [],
        otherwise=[(code, str(RESOLUTIONS[code])) for code in OTHERWISE],
        has_failed=any(row.status == "failed" and row.is_live for row in settlements),
        labels=labels,
        ahead=[_ahead(row, calendar) for row in Instant.of(rma.id)],
        label_failed=any(label.status == "failed" for label in labels),
        parcels=session.scalars(select(Shipment).where(Shipment.rma_id == rma.id)).all(),
        photos=Photo.of_return(rma.id),
        history=_history(rma),
        others=_others(rma),
        left=money(sums.refundable_minor, rma.currency, "en"),
        captured=money(sums.captured_minor, rma.currency, "en"),
        moves=RETURN.allowed(rma.status),
        can=me().may,
        codes=CODES,
        dispositions=DISPOSITIONS,
        method=str(METHODS.get(rma.method, rma.method)),
        money=lambda minor: money(minor, rma.currency, "en"),
        when=lambda at: when(at, calendar),
    )
    return make_response(text, status)


def when(at: datetime, calendar: Calendar) -> str:
    """A moment as the desk shows it: "today, 2:24 am"."""
    local = calendar.local(at)
    return f"{calendar.short(local.date())}, {calendar.clock(local)}"


def _ahead(row: Instant, calendar: Calendar) -> dict[str, Any]:
    """What was agreed to of an article that is sent at once, and what came of it."""
    exchange = session.get_one(Exchange, row.exchange_id)
    order = session.get(Order, exchange.order_id) if exchange.order_id else None
    amount = money(row.charging_minor or row.amount_minor, row.currency, "en")
    day, sign = calendar.short(calendar.local(row.charge_at).date()), AHEAD_SIGNS.get(row.status)
    said = AHEAD[row.status].format(amount=amount, day=day, last4=row.last4)
    return {
        "row": row,
        "title": exchange.title or exchange.sku,
        "order": order.number if order else "",
        "said": said,
        "sign": sign or ("→", "warn"),
    }


def line_shown(line: Any, calendar: Calendar) -> dict[str, Any]:
    """A line with its reason in words and the receipt of its decision."""
    receipt = line.decision
    return {
        "line": line,
        "reason": reason_words(line.reason, line.detail),
        "resolution": str(RESOLUTIONS.get(line.resolution, line.resolution)),
        "because": because(receipt["because"], receipt.get("values", {}), calendar),
        "version": receipt["policy_version"],
        "rule": receipt["rule"],
        "verdicts": [_verdict(each, receipt["rule"], calendar) for each in receipt["verdicts"]],
        "would_change": receipt.get("would_change", []),
        "awaited": [unit for unit in line.units if not unit.is_judged],
    }


def _verdict(verdict: dict[str, Any], deciding: str, calendar: Calendar) -> dict[str, str]:
    """A line of the trace: a sign, the rule, what it said."""
    word = verdict["verdict"]
    code = verdict.get("because", "")
    said = because(code, verdict.get("values", {}), calendar) if code else word.replace("_", " ")
    sign = {"approve": "✓", "sets": "✓", "review": "→", "decline": "✕"}.get(word, "·")
    tone = {"approve": "ok", "sets": "ok", "review": "warn", "decline": "bad"}.get(word, "")
    here = "decided" if verdict["rule"] == deciding else ""
    return {"sign": sign, "tone": tone, "rule": verdict["rule"], "said": said, "here": here}


def quoted_shown(rma: Return) -> list[tuple[str, list[tuple[str, str]], str]]:
    """For each resolution that was asked: its rows and its total."""
    found = []
    for name, amounts in rma.quoted.items():
        if not any(amounts.values()):
            continue
        # Tax is told as it was paid: inside the items, or on top of them.
        summed = sum(sign * amounts[key] for key, _title, sign in AMOUNTS)
        inside = summed != amounts["total_minor"]
        rows = [
            (
                f"{title}, included" if key == "tax_minor" and inside else title,
                money(sign * amounts[key], rma.currency, "en"),
            )
            for key, title, sign in AMOUNTS
            if amounts[key]
        ]
        total = money(amounts["total_minor"], rma.currency, "en")
        found.append((str(RESOLUTIONS.get(name, name)), rows, total))
    return found


def _history(rma: Return) -> list[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.subject == f"return:{rma.id}")
    return list(session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(50)))


def _others(rma: Return) -> list[Any]:
    """The customer's other returns, newest first."""
    if rma.customer_id is None:
        return []
    wanted = select(Return.id, Return.number, Return.status, Return.requested_at).where(
        Return.customer_id == rma.customer_id, Return.id != rma.id
    )
    return list(session.execute(wanted.order_by(Return.requested_at.desc()).limit(8)).all())
