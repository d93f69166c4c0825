"""A payment that its owner's bank takes back: how it stands, until when, and the answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Response, abort, flash, make_response, redirect, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.models import Dispute, Order, Return, Shop
from portal.models.change import Conflict
from portal.models.claim import claims_of
from portal.models.dispute_acts import LONGEST, answer
from portal.models.ledger import sums_of
from portal.pages.dates import Calendar
from portal.staff.desk import bp
from portal.staff.dispute_list import REASONS, STATUSES, in_words, time_left
from portal.staff.return_shown import when
from portal.staff.rights import me, needs

EVIDENCE: Final = {
    "": "Not sent yet",
    "wanted": "To be sent",
    "performing": "Being sent",
    "unknown": "Nobody knows yet whether it was sent; it is looked up",
    "failed": "Not sent",
    "sent": "Sent",
}


@bp.get("/disputes/<dispute_id>")
@needs("read")
def dispute_page(dispute_id: str) -> Response:
    """The dispute with its deadline."""
    return _page(_found(dispute_id))


@bp.post("/disputes/<dispute_id>/evidence")
@needs("pay")
def dispute_evidence(dispute_id: str) -> Response:
    """Send the evidence to the bank, once, with the shop's own words in front."""
    words = request.form.get("words", "").strip()[:LONGEST]
    try:
        with writing():
            row = Dispute.locked(dispute_id) or abort(404)
            answer(row, words, me().who, clock.now())
    except Conflict as error:
        told = str(error)
        session.rollback()
        return _page(_found(dispute_id), told, 409)
    nudge("dispute")
    flash("The evidence is being sent to the bank.")
    return make_response(redirect(f"/staff/disputes/{dispute_id}", 303))


def _page(row: Dispute, problem: str = "", status: int = 200) -> Response:
    order, shop = session.get_one(Order, row.order_id), session.get_one(Shop, row.shop_id)
    now = clock.now()
    calendar = Calendar.at(now, "en", shop.timezone)
    sums = sums_of([order.id])[order.id]
    says, tone = STATUSES.get(row.status, (in_words(row.status), "warn"))
    given = sums.refunded_minor + sums.pending_minor + sums.credited_minor
    text = render_template(
        "staff/dispute.html",
        here="",
        row=row,
        order=order,
        problem=problem,
        says=says,
        tone=tone,
        reason=REASONS.get(row.reason, in_words(row.reason)),
        evidence=EVIDENCE[row.evidence],
        left=time_left(row.due_at, now),
        due=_due(row, calendar),
        claims=claims_of(order.id),
        returns=_returns(order.id),
        given=given + sums.exchanged_minor + sums.payout_minor,
        longest=LONGEST,
        can=me().may,
        money=lambda minor: money(minor, row.currency, "en"),
        when=lambda at: when(at, calendar),
    )
    return make_response(text, status)


def _due(row: Dispute, calendar: Calendar) -> str:
    """The last day to answer, with its hour: it is the bank's, and a deadline."""
    if row.due_at is None:
        return ""
    local = calendar.local(row.due_at)
    return f"{calendar.long(local.date())}, {calendar.clock(local)}"


def _returns(order_id: str) -> Sequence[Return]:
    wanted = select(Return).where(Return.order_id == order_id)
    return session.scalars(wanted.order_by(Return.requested_at)).all()


def _found(dispute_id: str) -> Dispute:
    return session.get(Dispute, dispute_id) or abort(404)
