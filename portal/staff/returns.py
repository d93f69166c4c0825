"""One return before a person: what was asked, what the rules say and why, the money, the acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Response, abort, flash, make_response, redirect, request
from sqlalchemy import or_, select

from portal import clock
from portal.db import session, writing
from portal.jobs import nudge
from portal.models import Photo, Return
from portal.models.change import Conflict
from portal.models.label import labels_of
from portal.models.question import ask
from portal.models.rma_acts import approve, cancel, check_code, decline
from portal.models.rma_receipt import DISPOSITIONS, Count, lose, receive
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.pages.photos import shown
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.money_form import typed_choices
from portal.staff.return_shown import rma_shown
from portal.staff.rights import me, needs, not_ones_own


@bp.get("/returns/<rma_id>")
@needs("read")
def rma_page(rma_id: str) -> Response:
    """The decision page."""
    return rma_shown(_found(rma_id))


@bp.get("/photos/<photo_id>")
@needs("read")
def rma_photo(photo_id: str) -> Response:
    """A photo that belongs to a return or a claim of this shop."""
    sent = or_(Photo.rma_id.is_not(None), Photo.claim_id.is_not(None))
    wanted = select(Photo.id).where(Photo.id == photo_id, sent)
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
    counts = typed_counts()
    return _act(rma_id, "Written down.", lambda rma, now: receive(rma, counts, me().who, now))


@bp.post("/returns/<rma_id>/resolution")
@needs("pay")
def rma_resolution(rma_id: str) -> Response:
    """Pay what was accepted, as asked."""
    reason = _typed("reason")

    def act(rma: Return, now: datetime) -> None:
        resolve(rma, typed_choices(rma, reason), Act(me().who, now, reason))

    answer = _act(rma_id, "Settled. Money is on its way.", act)
    nudge("settle")
    return answer


@bp.post("/returns/<rma_id>/question")
@needs("decide")
def rma_question(rma_id: str) -> Response:
    """Ask the customer; the answer comes by mail."""
    text = _typed("text")
    answer = _act(
        rma_id, "Asked. The answer comes by e-mail.", lambda rma, now: ask(rma, text, me().who, now)
    )
    nudge("send")
    return answer


@bp.post("/returns/<rma_id>/label")
@needs("decide")
def rma_label(rma_id: str) -> Response:
    """Try failed labels again."""

    def act(rma: Return, now: datetime) -> None:
        failed = [label for label in labels_of(rma.id) if label.status == "failed"]
        if not failed:
            raise Conflict("No label of this return has failed. Nothing was changed.")
        for label in failed:
            label.retry(me().who, now)
        rma.touch(now)

    return _act(rma_id, "The label is tried again.", act)


@bp.post("/returns/<rma_id>/loss")
@needs("decide")
def rma_loss(rma_id: str) -> Response:
    """The parcel was lost on its way: who bears it."""
    note, accept = _typed("note"), _typed("accept") == "yes"
    done = "Written down. Now it can be paid." if accept else "Written down."
    return _act(rma_id, done, lambda rma, now: lose(rma, me().who, now, accept=accept, note=note))


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
            not_ones_own(rma.order)
            act(rma, clock.now())
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        return rma_shown(_found(rma_id), told, 409)
    nudge("label")
    flash(done)
    return make_response(redirect(f"/staff/returns/{rma_id}", 303))


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:2000]


def typed_counts() -> list[Count]:
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
