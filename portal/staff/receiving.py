"""The receiving desk: scan a parcel, count what is in it, take a photo, next. For one hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from flask import Response, abort, flash, make_response, redirect, render_template, request
from sqlalchemy import ColumnElement, or_, select

from portal import clock
from portal.db import session, writing
from portal.jobs import nudge
from portal.models import Order, Photo, Return, Shipment
from portal.models.change import Conflict
from portal.models.lookup import plain
from portal.models.rma_receipt import DISPOSITIONS, receive
from portal.pages.photos import MOST_AN_ARTICLE, take
from portal.pages.policy_words import reason_words
from portal.sources.matching import number_key, tracking_key
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.returns import typed_counts
from portal.staff.rights import me, needs, not_ones_own

RETURN_NUMBER: Final = re.compile(r"(.+)-r(\d{1,4})\Z")
OWN_PAGE: Final = re.compile(r"/r/([\w-]{20,60})(?:[/?#]|\Z)")
AWAITED: Final = ("approved", "shipped", "arrived", "checked", "settled", "expired")
CONDITIONS: Final = {"A": "As new", "B": "Opened", "C": "Used", "D": "Damaged"}
LEAST_TRACKING: Final = 6
MOST_FOUND: Final = 20


@bp.get("/receive")
@needs("receive")
def receiving() -> Response:
    """Where a parcel is scanned; straight to its return where only one can be meant."""
    typed = plain(request.args.get("number", ""))
    found = returns_of(typed) if typed else []
    if len(found) == 1:
        return make_response(redirect(f"/staff/receive/{found[0].id}", 303))
    text = render_template("staff/receive.html", here="receiving", typed=typed, found=found)
    return make_response(text)


def returns_of(typed: str) -> Sequence[Return]:
    """The returns that a scanned or typed number may mean, those that are awaited first.

    It may be a return's number or the address of its page (as in a QR code), a tracking number of
    a parcel on its way back, or an order's number.
    """
    page = OWN_PAGE.search(typed)
    if page:
        found = Return.at(page[1])
        return [found] if found else []
    number, tracking = number_key(typed), tracking_key(typed)
    exact = RETURN_NUMBER.match(number)
    where: list[ColumnElement[bool]] = [Order.number_key == number]
    if exact:
        where.append(Order.number_key == exact[1])
    if len(tracking) >= LEAST_TRACKING:
        back = select(Shipment.rma_id).where(Shipment.number_key == tracking)
        where.append(Return.id.in_(back.where(Shipment.rma_id.is_not(None))))
    wanted = select(Return).join(Order, Order.id == Return.order_id).where(or_(*where))
    rows = session.scalars(wanted.order_by(Return.requested_at, Return.id).limit(MOST_FOUND)).all()
    named = [row for row in rows if number_key(row.number) == number]
    return named or [row for row in rows if row.status in AWAITED] or rows


@bp.get("/receive/<rma_id>")
@needs("receive")
def receiving_return(rma_id: str) -> Response:
    """What should be in this parcel, to be counted."""
    return _page(_found(rma_id))


@bp.post("/receive/<rma_id>")
@needs("receive")
def receiving_count(rma_id: str) -> Response:
    """Write down what was in the parcel, keep the photos, and go on to the next."""
    counts, now = typed_counts(), clock.now()
    try:
        with writing():
            rma = Return.locked(rma_id) or abort(404)
            rma.seen_as(request.form.get("version", 0, type=int))
            not_ones_own(rma.order)
            receive(rma, counts, me().who, now)
            order_id, number = rma.order_id, rma.number
        problem = _photos(order_id, rma_id, [count.sku for count in counts])
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        return _page(_found(rma_id), told, 409)
    for queue in ("settle", "send", "label"):
        nudge(queue)
    flash(f"{number} is written down. Scan the next parcel.")
    if problem:
        flash(problem, "error")
    return make_response(redirect("/staff/receive", 303))


def _photos(order_id: str, rma_id: str, skus: list[str]) -> str:
    """Keep the photos of each article; what was wrong with them, in a sentence."""
    have = [photo.sku for photo in Photo.of_return(rma_id) if photo.by == me().who]
    problems = []
    for place, sku in enumerate(skus):
        kept = have.count(sku)
        try:
            made, problem = take(order_id, sku, f"photo-{place}", kept, me().who, rma_id)
        except Conflict as error:
            made, problem = [], f"{error} The count is written down all the same."
        have += [sku] * len(made)
        problems += [problem] if problem else []
    return " ".join(problems)


def _page(rma: Return, problem: str = "", status: int = 200) -> Response:
    order = session.get_one(Order, rma.order_id)
    text = render_template(
        "staff/receive_return.html",
        here="receiving",
        rma=rma,
        order=order,
        problem=problem,
        lines=[_line(line) for line in rma.approved_lines if not line.keeps],
        is_ready=rma.status in AWAITED and rma.travels,
        why=_why_not(rma),
        photos=Photo.of_return(rma.id),
        conditions=CONDITIONS,
        dispositions=[each for each in DISPOSITIONS if each != "missing"],
        most_photos=MOST_AN_ARTICLE,
    )
    return make_response(text, status)


def _line(line: Any) -> dict[str, Any]:
    awaited = [unit for unit in line.units if not unit.is_judged]
    return {
        "line": line,
        "reason": reason_words(line.reason, line.detail),
        "awaited": len(awaited),
        "received": len(line.units) - len(awaited),
    }


def _why_not(rma: Return) -> str:
    """Why nothing of it is to be counted; "" where something is."""
    if rma.status == "requested":
        return "Nobody has decided about this return yet. Put it aside and tell a colleague."
    if rma.status in ("declined", "cancelled"):
        return f"This return was {rma.status}. Put it aside and tell a colleague."
    return "" if rma.travels else "Nothing of this return was to be sent back."


def _found(rma_id: str) -> Return:
    return Return.read(rma_id) or abort(404)
