"""A return's own page: what comes next and when, the way back, the money, and calling it off."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    render_template,
    request,
    url_for,
)
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.jobs import nudge
from portal.label_files import TYPES, is_kept
from portal.models import Link, Order, Photo, Return, Shipment
from portal.models.change import Conflict
from portal.models.label import labels_of
from portal.models.rma_acts import cancel, send
from portal.pages.brand import brand, page_locale, site_urls, url_in
from portal.pages.dates import Calendar
from portal.pages.entry import guard, see
from portal.pages.instant import instant_said, instant_shown
from portal.pages.payment import due_shown
from portal.pages.policy_words import STATUSES
from portal.pages.rma_label import label_file
from portal.pages.rma_money import money_rows
from portal.pages.rma_shown import TONES, how_to, line_shown, masked, next_sentence, qr, steps
from portal.pages.speech import N_, _

bp = Blueprint("rma", __name__)
bp.after_request(guard)
LABEL_WAITS = ("wanted", "performing", "unknown", "failed")


@bp.get("/r/<token>")
def page(token: str) -> Response:
    """Where the return stands."""
    return _page(token, _found(token))


@bp.post("/r/<token>/cancellation")
def cancellation(token: str) -> Response:
    """Call it off; possible until the first scan."""
    rma_id = _found(token).id
    try:
        with writing():
            cancel(Return.locked(rma_id) or abort(404), "customer", clock.now())
    except Conflict as error:
        return _page(token, _found(token), str(error), 409)
    return see(url_in(".page", token=token))


@bp.post("/r/<token>/parcel")
def parcel(token: str) -> Response:
    """The customer's own parcel: its carrier and number, so that it is followed."""
    rma_id = _found(token).id
    typed = {name: " ".join(request.form.get(name, "").split())[:80] for name in OWN}
    errors = {name: _(words) for name, words in OWN.items() if not typed[name]}
    if errors:
        return _page(token, _found(token), status=422, errors=errors, typed=typed)
    now = clock.now()
    try:
        with writing():
            rma = Return.locked(rma_id) or abort(404)
            send(rma, "customer", now, typed["carrier"], typed["number"])
    except Conflict as error:
        return _page(token, _found(token), str(error), 409)
    nudge("poll")
    return see(url_in(".page", token=token))


OWN = {
    "carrier": N_("Say which carrier takes it."),
    "number": N_("Type the tracking number from your receipt."),
}


@bp.get("/r/<token>/slip")
def slip(token: str) -> Response:
    """A sheet for the parcel: the number to scan and what is inside."""
    rma = _found(token)
    calendar = Calendar.at(clock.now(), page_locale(), brand().shop.timezone)
    text = render_template(
        "returns/slip.html",
        rma=rma,
        order_number=session.get_one(Order, rma.order_id).number,
        lines=[line_shown(line, calendar) for line in rma.approved_lines if not line.keeps],
        qr=qr(rma.number),
        urls=site_urls() | {"page": url_in(".page", token=token)},
    )
    return make_response(text)


@bp.get("/r/<token>/label")
def label(token: str) -> Response:
    """The label as a PDF, with ?as=png as a picture, with ?as=code what stands for it.

    404 while there is none.
    """
    wanted = request.args.get("as", "")
    return label_file(_found(token), wanted if wanted in TYPES else "pdf")


def _found(token: str) -> Return:
    found = Return.at(token) or abort(404)
    return Return.read(found.id) or abort(404)


def _page(
    token: str,
    rma: Return,
    problem: str = "",
    status: int = 200,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    calendar = Calendar.at(clock.now(), page_locale(), brand().shop.timezone)
    order = session.get_one(Order, rma.order_id)
    labels = labels_of(rma.id)
    label = next((each for each in reversed(labels) if each.status == "done"), None)
    text = render_template(
        "returns/page.html",
        rma=rma,
        order_number=order.number,
        mailed_to=masked(order.email),
        problem=problem,
        errors=errors or {},
        typed=typed or {},
        headline=_(STATUSES[rma.status]),
        tone=TONES.get(rma.status, "moving"),
        sentence=next_sentence(rma, calendar),
        steps=steps(rma, calendar),
        lines=[line_shown(line, calendar) for line in rma.lines],
        how_to=how_to(rma),
        label=label,
        code=label is not None and is_kept(label.shop_id, label.id, code=True),
        label_waits=any(each.status in LABEL_WAITS for each in labels),
        qr=qr(rma.number),
        parcel=_parcel_of(rma),
        money_rows=money_rows(rma, calendar),
        due=due_shown(rma, token),
        instant=instant_shown(rma, token),
        instant_said=instant_said(),
        photos=[
            url_for("photos.of_return", token=token, photo_id=each.id)
            for each in Photo.of_return(rma.id)
        ],
        may_cancel=rma.status in ("requested", "approved"),
        is_sent_by_customer=rma.travels and rma.status in ("approved", "shipped"),
        urls=_urls(token, rma),
    )
    return make_response(text, status)


def _parcel_of(rma: Return) -> Shipment | None:
    """The newest parcel of it, if one is followed."""
    mine = select(Shipment).where(Shipment.rma_id == rma.id)
    return session.scalar(mine.order_by(Shipment.created_at.desc()))


def _urls(token: str, rma: Return) -> dict[str, str | None]:
    own = Link.of(rma.order_id)
    return site_urls() | {
        "cancel": url_in(".cancellation", token=token),
        "label": url_in(".label", token=token),
        "code": url_in(".label", token=token, **{"as": "code"}),
        "slip": url_in(".slip", token=token),
        "parcel": url_in(".parcel", token=token),
        "order": url_in("tracking.page", token=own) if own else None,
        "anew": url_in("returns.start", token=own) if own else None,
    }
