"""One return before a person: what was asked, what the rules say and why, the money, the acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from flask import Response, abort, flash, make_response, redirect, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.models import AuditEntry, Order, Photo, Return, Shipment, Shop
from portal.models.change import Conflict
from portal.models.label import labels_of
from portal.models.ledger import sums_of
from portal.models.rma_acts import approve, cancel, check_code, decline
from portal.models.rma_receipt import DISPOSITIONS, Count, receive
from portal.models.rma_settle import Act, resolve
from portal.models.settlement import settlements_of
from portal.pages.dates import Calendar
from portal.pages.photos import shown
from portal.pages.policy_words import METHODS, RESOLUTIONS, because, reason_words
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.rights import me, needs
from returns.lifecycle import RETURN

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


@bp.get("/returns/<rma_id>")
@needs("read")
def rma_page(rma_id: str) -> Response:
    """The decision page."""
    return _page(_found(rma_id))


@bp.get("/photos/<photo_id>")
@needs("read")
def rma_photo(photo_id: str) -> Response:
    """A photo that belongs to a return of this shop."""
    wanted = select(Photo.id).where(Photo.id == photo_id, Photo.rma_id.is_not(None))
    return shown(photo_id) if session.scalar(wanted) else abort(404)


@bp.post("/returns/<rma_id>/approval")
@needs("decide")
def rma_approval(rma_id: str) -> Response:
    """Approve; with a reason also against the rules."""
    note, override = _typed("note"), _typed("override_reason")
    return _act(rma_id, "Approved.", lambda rma, now: approve(rma, me().who, now, note, override))


@bp.post("/returns/<rma_id>/rejection")
@needs("decide")
def rma_rejection(rma_id: str) -> Response:
    """Say no, with a code and a note that the customer reads."""
    code, note = _typed("code"), _typed("note")

    def act(rma: Return, now: datetime) -> None:
        check_code(code)
        decline(rma, me().who, now, code, note)

    return _act(rma_id, "Declined. The customer is told why.", act)


@bp.post("/returns/<rma_id>/receipt")
@needs("receive")
def rma_receipt(rma_id: str) -> Response:
    """Write down what was in the parcel."""
    counts = _counted()
    return _act(rma_id, "Written down.", lambda rma, now: receive(rma, counts, me().who, now))


@bp.post("/returns/<rma_id>/resolution")
@needs("pay")
def rma_resolution(rma_id: str) -> Response:
    """Pay what was accepted, as asked."""
    reason = _typed("reason")
    answer = _act(
        rma_id,
        "Settled. Money is on its way.",
        lambda rma, now: resolve(rma, None, Act(me().who, now, reason)),
    )
    nudge("settle")
    return answer


@bp.post("/returns/<rma_id>/cancellation")
@needs("decide")
def rma_cancellation(rma_id: str) -> Response:
    """Call it off."""
    reason = _typed("reason")
    return _act(rma_id, "Cancelled.", lambda rma, now: cancel(rma, me().who, now, reason))


def _act(rma_id: str, done: str, act: Callable[[Return, datetime], object]) -> Response:
    """Act on the return as it was shown; what cannot be is said above the unchanged page."""
    try:
        with writing():
            rma = Return.locked(rma_id) or abort(404)
            rma.seen_as(request.form.get("version", 0, type=int))
            act(rma, clock.now())
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        return _page(_found(rma_id), told, 409)
    nudge("label")
    flash(done)
    return make_response(redirect(f"/staff/returns/{rma_id}", 303))


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:2000]


def _counted() -> list[Count]:
    """What the form counted: one row a sku, by its place."""
    counts = []
    for place, sku in enumerate(request.form.getlist("sku")):
        accept = {"yes": True, "no": False}.get(_typed(f"accept-{place}"))
        disposition = _typed(f"disposition-{place}")
        counts.append(
            Count(
                sku=sku,
                quantity=max(0, request.form.get(f"quantity-{place}", 0, type=int)),
                condition=_typed(f"condition-{place}")[:1],
                disposition=disposition if disposition in DISPOSITIONS else "",
                accept=accept,
                note=_typed(f"note-{place}"),
            )
        )
    return counts


def _found(rma_id: str) -> Return:
    return Return.read(rma_id) or abort(404)


def _page(rma: Return, problem: str = "", status: int = 200) -> Response:
    order = session.get_one(Order, rma.order_id)
    shop = session.get_one(Shop, rma.shop_id)
    calendar = Calendar.at(clock.now(), "en", shop.timezone)
    sums = sums_of([order.id])[order.id]
    text = render_template(
        "staff/return.html",
        here="",
        rma=rma,
        order=order,
        problem=problem,
        lines=[_line(line, calendar) for line in rma.lines],
        quoted=_quoted(rma),
        settlements=settlements_of(rma.id),
        labels=labels_of(rma.id),
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
        when=lambda at: _when(at, calendar),
    )
    return make_response(text, status)


def _when(at: datetime, calendar: Calendar) -> str:
    local = calendar.local(at)
    return f"{calendar.short(local.date())}, {calendar.clock(local)}"


def _line(line: Any, calendar: Calendar) -> dict[str, Any]:
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


def _quoted(rma: Return) -> list[tuple[str, list[tuple[str, str]], str]]:
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
