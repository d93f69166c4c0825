"""A claim's own page: how it stands and why, what to add, the money, appeal and calling it off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.models import Link, Order, Photo
from portal.models.change import Conflict
from portal.models.claim import Claim
from portal.models.claim_acts import OPEN, answer, appeal, appeal_ends, call_off
from portal.models.claim_facts import Day
from portal.models.settlement import Settlement, settlements_of
from portal.pages import photos
from portal.pages.brand import page_locale, site_urls, url_in
from portal.pages.claim_words import KINDS, LACKS, STATUSES, TONES, WANTED, because, next_sentence
from portal.pages.dates import Calendar
from portal.pages.entry import guard, see
from portal.pages.promises import visible_by
from portal.pages.rma_shown import masked
from portal.pages.speech import _
from portal.protection.claim_rules import evidence
from portal.protection.claim_terms import ClaimTerms
from portal.sources.sentences import Invalid, read_as

bp = Blueprint("claim", __name__)
bp.after_request(guard)


@bp.get("/c/<token>")
def page(token: str) -> Response:
    """Where the claim stands."""
    return _page(token, _found(token))


@bp.post("/c/<token>/answer")
def add(token: str) -> Response:
    """Photos, a report or words that were asked for."""
    claim = _found(token)
    if claim.status not in OPEN:
        return _page(token, claim, _("This is decided already. Nothing was changed."), 409)
    have = len(Photo.of_claim(claim.id))
    try:
        added, problem = photos.take(claim.order_id, "", "photo", have)
    except Conflict as error:
        return _page(token, claim, str(error), 409)
    with writing():
        Photo.attach_to_claim(added, claim.order_id, claim.id)
    if problem:
        return _page(token, claim, problem, 422)
    said = {name: request.form.get(name, "")[:2000] for name in ("statement", "police")}
    if not added and not any(text.strip() for text in said.values()):
        return _page(token, claim, _("Add a photo or a few words first."), 422)
    return _acted(token, lambda it: answer(it, "customer", clock.now(), **said))


@bp.post("/c/<token>/appeal")
def look_again(token: str) -> Response:
    """Have a person look again at what was declined."""
    why = request.form.get("why", "")[:2000]
    if not why.strip():
        return _page(token, _found(token), _("Say why we should look again."), 422)
    return _acted(token, lambda it: appeal(it, "customer", clock.now(), why))


@bp.post("/c/<token>/cancellation")
def cancellation(token: str) -> Response:
    """Call it off, before it is decided."""
    return _acted(token, lambda it: call_off(it, "customer", clock.now()))


@bp.get("/c/<token>/photos/<photo_id>")
def photo(token: str, photo_id: str) -> Response:
    """A photo of the claim, for who has its link."""
    claim = Claim.at(token) or abort(404)
    wanted = select(Photo.id).where(Photo.id == photo_id, Photo.claim_id == claim.id)
    return photos.shown(photo_id) if session.scalar(wanted) else abort(404)


def _acted(token: str, act: Callable[[Claim], None]) -> Response:
    claim_id = _found(token).id
    try:
        with writing():
            act(Claim.locked(claim_id) or abort(404))
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        session.rollback()
        return _page(token, _found(token), told, 409)
    nudge("settle")
    nudge("send")
    return see(url_in(".page", token=token))


def _found(token: str) -> Claim:
    found = Claim.at(token) or abort(404)
    return Claim.read(found.id) or abort(404)


def _page(token: str, claim: Claim, problem: str = "", status: int = 200) -> Response:
    order = session.get_one(Order, claim.order_id)
    calendar = Calendar.at(clock.now(), page_locale(), str(Day.of(order).zone))
    can_appeal = appeal_ends(claim)
    text = render_template(
        "claims/page.html",
        claim=claim,
        order_number=order.number,
        mailed_to=masked(order.email),
        problem=problem,
        headline=_(STATUSES[claim.status]),
        tone=TONES.get(claim.status, "moving"),
        sentence=next_sentence(claim, calendar),
        because=_why(claim, calendar),
        kind=_(KINDS[claim.kind]),
        wanted=_(WANTED[claim.wanted]),
        lines=_lines(claim),
        money_rows=_money(claim, calendar),
        lacks=_lacks(claim),
        photos=[
            url_for(".photo", token=token, photo_id=each.id) for each in Photo.of_claim(claim.id)
        ],
        may_add=claim.status in OPEN,
        may_cancel=claim.status in OPEN,
        may_appeal=can_appeal is not None and clock.now() <= can_appeal,
        urls=_urls(token, claim),
    )
    return make_response(text, status)


def _why(claim: Claim, calendar: Calendar) -> str:
    """Why the rules did not pay it; "" where a person has decided since, and says why."""
    is_settled = claim.status == "paid" or bool(claim.decided_by)
    return "" if is_settled else because(claim.decision, calendar)


def _lacks(claim: Claim) -> list[str]:
    """What was asked for and is not there yet, in words."""
    if claim.status not in OPEN:
        return []
    asked = evidence(read_as(ClaimTerms, claim.terms), claim.kind, claim.paid_minor)
    missing = {
        "photos": asked.photos and not Photo.of_claim(claim.id),
        "police_report": asked.police_report and not claim.police_report,
    }
    return [_(LACKS[name]) for name, is_missing in missing.items() if is_missing]


def _lines(claim: Claim) -> list[str]:
    counts = Counter((unit.title or unit.sku, unit.variant) for unit in claim.units)
    return [
        f"{count} × {title}" + (f", {variant}" if variant else "")
        for (title, variant), count in counts.items()
    ]


def _money(claim: Claim, calendar: Calendar) -> list[dict[str, Any]]:
    """What was given for it, and when it is to be seen."""
    return [_row(row, calendar) for row in settlements_of(claim.id) if row.is_live]


def _row(row: Settlement, calendar: Calendar) -> dict[str, Any]:
    said, url = [], ""
    day = calendar.local(row.done_at).date() if row.done_at else None
    if row.kind == "refund" and day:
        said.append(_("Sent on %(day)s to the way you paid.", day=calendar.long(day)))
        said.append(_("Banks usually show it by %(day)s.", day=calendar.long(visible_by(day))))
    elif row.kind == "reship":
        order = session.get(Order, row.reference)
        own = Link.of(order.id) if order else ""
        url = url_in("tracking.page", token=own) if own else ""
        if order:
            said.append(_("It is order %(number)s now.", number=order.number))
    elif not day:
        said.append(_("It is on its way."))
    what = {"refund": _("Money back"), "store_credit": _("Store credit")}
    return {
        "what": what.get(row.kind, _("A new parcel")),
        "amount": ""
        if row.kind == "reship"
        else money(row.amount_minor, row.currency, page_locale()),
        "said": said,
        "url": url,
    }


def _urls(token: str, claim: Claim) -> dict[str, str | None]:
    own = Link.of(claim.order_id)
    return site_urls() | {
        "answer": url_in(".add", token=token),
        "appeal": url_in(".look_again", token=token),
        "cancel": url_in(".cancellation", token=token),
        "order": url_in("tracking.page", token=own) if own else None,
    }
