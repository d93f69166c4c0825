"""One claim before a person: what happened, what the terms say, the money, the acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.models import AuditEntry, Order, Photo, Shop
from portal.models.change import Conflict
from portal.models.claim import Claim, claims_of
from portal.models.claim_acts import approve, ask, decline, now_facts
from portal.models.claim_pay import retry
from portal.models.dispute import disputes_of
from portal.models.ledger import sums_of
from portal.models.recovered import recovered_of
from portal.models.rma_rows import Act
from portal.models.settlement import settlements_of
from portal.pages.claim_words import KINDS, WANTED, because
from portal.pages.dates import Calendar
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.insurer_shown import insurer_shown
from portal.staff.money_form import typed_amount
from portal.staff.return_shown import when
from portal.staff.rights import me, needs, not_ones_own

CODES = {
    "evidence": "What it shows does not fit",
    "delivered": "The carrier has shown that it was delivered",
    "not_on_the_way": "It did not happen on the way",
    "other": "Another reason, told in the note",
}
DECIDABLE = ("open", "needs_info", "declined")


@bp.get("/claims/<claim_id>")
@needs("read")
def claim_page(claim_id: str) -> Response:
    """The decision page."""
    return _page(_found(claim_id))


@bp.post("/claims/<claim_id>/approval")
@needs("pay")
def claim_approval(claim_id: str) -> Response:
    """Accept and pay; less than what was paid with an amount, against the rules with a reason."""
    note, override = _typed("note"), _typed("override_reason")

    def act(claim: Claim, now: datetime) -> None:
        amount = typed_amount(_typed("amount"), claim.currency)
        approve(claim, me().who, now, note, override, amount)

    return act_on_claim(claim_id, "Approved. What was asked for is on its way.", act)


@bp.post("/claims/<claim_id>/rejection")
@needs("decide")
def claim_rejection(claim_id: str) -> Response:
    """Say no, with a code and a note that the customer reads."""
    code, note = _typed("code"), _typed("note")

    def act(claim: Claim, now: datetime) -> None:
        if code not in CODES:
            raise Conflict("Choose why it is declined. Nothing was changed.")
        decline(claim, me().who, now, code, note)

    return act_on_claim(claim_id, "Declined. The customer is told why, and may appeal.", act)


@bp.post("/claims/<claim_id>/question")
@needs("decide")
def claim_question(claim_id: str) -> Response:
    """Ask the customer for something more."""
    text = _typed("text")
    return act_on_claim(claim_id, "Asked.", lambda claim, now: ask(claim, me().who, now, text))


@bp.post("/claims/<claim_id>/payment")
@needs("pay")
def claim_payment(claim_id: str) -> Response:
    """Try money that failed once more."""
    return act_on_claim(
        claim_id, "Tried again.", lambda claim, now: retry(claim, Act(me().who, now))
    )


def act_on_claim(claim_id: str, done: str, act: Callable[[Claim, datetime], object]) -> Response:
    """Act on the claim as it was shown; what cannot be is said above the unchanged page."""
    try:
        with writing():
            claim = Claim.locked(claim_id) or abort(404)
            claim.seen_as(request.form.get("version", 0, type=int))
            not_ones_own(claim.order)
            act(claim, clock.now())
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        session.rollback()
        return _page(_found(claim_id), told, 409)
    nudge("settle")
    nudge("send")
    flash(done)
    return make_response(redirect(f"/staff/claims/{claim_id}", 303))


def _page(claim: Claim, problem: str = "", status: int = 200) -> Response:
    order = session.get_one(Order, claim.order_id)
    shop = session.get_one(Shop, claim.shop_id)
    calendar = Calendar.at(clock.now(), "en", order.timezone, shop.timezone)
    rows = settlements_of(claim.id)
    sums = sums_of([order.id])[order.id]
    decision = claim.decision or {}
    text = render_template(
        "staff/claim.html",
        here="",
        claim=claim,
        order=order,
        parcel=claim.shipment,
        problem=problem,
        kind=KINDS[claim.kind],
        wanted=WANTED[claim.wanted],
        because=because(claim.decision, calendar),
        decision=decision,
        photos=Photo.of_claim(claim.id),
        settlements=rows,
        recovered=recovered_of(claim.id),
        insurer=insurer_shown(claim, clock.now()),
        disputes=disputes_of(order.id),
        has_failed=any(row.status == "failed" and row.is_live for row in rows),
        others=[each for each in claims_of(order.id) if each.id != claim.id],
        history=_history(claim),
        most=now_facts(claim, clock.now()).payable_minor,
        left=money(sums.refundable_minor, claim.currency, "en"),
        captured=money(sums.captured_minor, claim.currency, "en"),
        is_decidable=claim.status in DECIDABLE,
        can=me().may,
        codes=CODES,
        money=lambda minor: money(minor, claim.currency, "en"),
        day=calendar.long,
        when=lambda at: when(at, calendar),
    )
    return make_response(text, status)


def _history(claim: Claim) -> list[Any]:
    wanted = select(AuditEntry).where(AuditEntry.subject == f"claim:{claim.id}")
    return list(session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(50)))


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:2000]


def _found(claim_id: str) -> Claim:
    return Claim.read(claim_id) or abort(404)
