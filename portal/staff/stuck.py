"""Money that could not be sent, or of which nobody knows whether it was: put right by a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Response, abort, flash, make_response, redirect, request

from portal import clock
from portal.db import session, writing
from portal.models import Instant, Settlement
from portal.models.change import Conflict
from portal.models.instant_pay import let_go
from portal.models.payout import by_hand, seen_paid, seen_unpaid
from portal.models.rma_rows import Act
from portal.staff.desk import bp
from portal.staff.rights import me, needs


@bp.post("/settlements/<settlement_id>/payment")
@needs("pay")
def settlement_payment(settlement_id: str) -> Response:
    """A refund that failed was paid in another way: say how, and it is done."""
    how = request.form.get("how", "").strip()[:500]

    def act(now: datetime) -> None:
        if not how:
            raise Conflict("Say how it was paid, such as: bank transfer on 3 May.")
        by_hand(settlement_id, me().who, now, how)

    return _act(_subject(settlement_id), act, "Written down as paid.")


@bp.post("/instant/<instant_id>/payment")
@needs("pay")
def instant_payment(instant_id: str) -> Response:
    """What a card could not be charged for was paid in another way, or is let go: say which."""
    why = request.form.get("how", "").strip()[:500]

    def act(now: datetime) -> None:
        if not why:
            raise Conflict("Say how it was paid, or why nothing is asked for any more.")
        let_go(instant_id, me().who, now, why)

    row = session.get(Instant, instant_id) or abort(404)
    return _act(row.rma_id, act, "Nothing is asked of the customer any more.")


@bp.post("/settlements/<settlement_id>/outcome")
@needs("pay")
def settlement_outcome(settlement_id: str) -> Response:
    """The provider could not tell what became of a refund; a person looked there and says it."""
    why = request.form.get("why", "").strip()[:500]
    outcome = request.form.get("outcome", "")
    reference = request.form.get("reference", "").strip()[:120]

    def act(now: datetime) -> None:
        if not why:
            raise Conflict("Say what you saw with the provider, and when. Nothing was changed.")
        found = Act(me().who, now, why)
        if outcome == "paid":
            seen_paid(settlement_id, found, reference)
        elif outcome == "unpaid":
            seen_unpaid(settlement_id, found)
        else:
            raise Conflict("Say whether it was paid. Nothing was changed.")

    done = "It is sent again in a few minutes." if outcome == "unpaid" else "Written down as paid."
    return _act(_subject(settlement_id), act, done)


def _act(subject: str, act: Callable[[datetime], None], done: str) -> Response:
    try:
        with writing():
            act(clock.now())
    except Conflict as error:
        flash(str(error), "error")
    else:
        flash(done)
    room = "claims" if subject.startswith("clm_") else "returns"
    return make_response(redirect(f"/staff/{room}/{subject}", 303))


def _subject(settlement_id: str) -> str:
    """The return or claim that it pays for."""
    row = session.get(Settlement, settlement_id) or abort(404)
    return row.subject
