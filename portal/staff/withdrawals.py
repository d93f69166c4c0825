"""Withdrawals at the desk: what was declared, what came of it, and joining one with its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Response, abort, flash, make_response, redirect, render_template, request
from sqlalchemy import ColumnElement, select

from portal import clock
from portal.db import session, writing
from portal.jobs import nudge
from portal.models import AuditEntry, Order, Return, Shop, Withdrawal
from portal.models.change import Conflict
from portal.models.withdrawal_acts import close, take_up
from portal.pages.dates import Calendar
from portal.pages.withdrawal_words import declared, ground_words
from portal.staff.desk import bp
from portal.staff.return_shown import when
from portal.staff.rights import me, needs

# What a person has to look at: no order found, late, exempt goods, or no return came of it.
OPEN: Final[ColumnElement[bool]] = (
    (Withdrawal.status == "unmatched")
    | (Withdrawal.status == "matched") & (Withdrawal.rma_id.is_(None))
    | (Withdrawal.status == "matched") & ((Withdrawal.problem != "") | Withdrawal.is_late)
)


def withdrawal_facts(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the list shows of these withdrawals, by id."""
    rows = session.scalars(select(Withdrawal).where(Withdrawal.id.in_(ids)))
    return {row.id: _row(row) for row in rows}


def _row(row: Withdrawal) -> dict[str, Any]:
    flags = [word for word, holds in (("late", row.is_late), ("exempt goods", row.exempt)) if holds]
    return {
        "url": f"/staff/withdrawals/{row.id}",
        "what": "Withdrawal",
        "number": row.number,
        "order": row.number,
        "who": row.name,
        "why": row.problem or "Look at it",
        "title": ", ".join(flags),
        "value": "",
        "says": row.status.capitalize(),
        "tone": "warn",
        "version": 0,
        "decidable": False,
    }


@bp.get("/withdrawals/<withdrawal_id>")
@needs("read")
def withdrawal_page(withdrawal_id: str) -> Response:
    """One declaration."""
    return _page(_found(withdrawal_id))


@bp.post("/withdrawals/<withdrawal_id>/order")
@needs("decide")
def withdrawal_order(withdrawal_id: str) -> Response:
    """Join it with the order of this number."""
    number = request.form.get("number", "").strip()[:120]
    try:
        with writing():
            order = Order.numbered(number)
            if order is None:
                raise Conflict("No order has this number. Nothing was changed.")
            wanted = select(Withdrawal).where(Withdrawal.id == withdrawal_id).with_for_update()
            take_up(session.scalar(wanted) or abort(404), order.id, me().who, clock.now())
    except Conflict as error:
        session.rollback()
        return _page(_found(withdrawal_id), str(error), 409)
    nudge("label")
    nudge("send")
    flash("Joined with its order.")
    return make_response(redirect(f"/staff/withdrawals/{withdrawal_id}", 303))


@bp.post("/withdrawals/<withdrawal_id>/closing")
@needs("decide")
def withdrawal_closing(withdrawal_id: str) -> Response:
    """A person has done with it: say what was done."""
    why = request.form.get("why", "").strip()[:1000]
    try:
        with writing():
            wanted = select(Withdrawal).where(Withdrawal.id == withdrawal_id).with_for_update()
            close(session.scalar(wanted) or abort(404), me().who, clock.now(), why)
    except Conflict as error:
        session.rollback()
        return _page(_found(withdrawal_id), str(error), 409)
    flash("Written down. It has left the queue.")
    return make_response(redirect(f"/staff/withdrawals/{withdrawal_id}", 303))


def _page(row: Withdrawal, problem: str = "", status: int = 200) -> Response:
    shop = session.get_one(Shop, row.shop_id)
    calendar = Calendar.at(clock.now(), "en", shop.timezone)
    history = select(AuditEntry).where(AuditEntry.subject == f"withdrawal:{row.id}")
    receipt = row.receipt
    text = render_template(
        "staff/withdrawal.html",
        here="",
        row=row,
        problem=problem,
        rows=declared(row.name, row.number, row.email, row.articles),
        order=session.get(Order, row.order_id) if row.order_id else None,
        rma=session.get(Return, row.rma_id) if row.rma_id else None,
        exempt=[
            (each["title"] or each["sku"], ground_words(each["ground"])) for each in row.exempt
        ],
        last_day=calendar.long(row.last_day) if row.last_day else "",
        receipt=receipt.state if receipt else "none",
        history=session.scalars(history.order_by(AuditEntry.id.desc()).limit(50)).all(),
        can=me().may,
        when=lambda at: when(at, calendar),
    )
    return make_response(text, status)


def _found(withdrawal_id: str) -> Withdrawal:
    return session.scalar(select(Withdrawal).where(Withdrawal.id == withdrawal_id)) or abort(404)
