"""A return's own page: what comes next and when, the way back, the money, and calling it off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import segno
from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.models import Label, Link, Order, Photo, Return, Settlement, Shipment
from portal.models.change import Conflict
from portal.models.label import labels_of
from portal.models.rma_acts import cancel
from portal.models.settlement import settlements_of
from portal.pages.brand import brand, page_locale, site_urls, url_in
from portal.pages.dates import Calendar
from portal.pages.entry import guard, see
from portal.pages.policy_words import METHODS, RESOLUTIONS, STATUSES, because, reason_words
from portal.pages.speech import N_, _

bp = Blueprint("rma", __name__)
bp.after_request(guard)
STEPS = ("requested", "approved", "shipped", "arrived", "checked", "settled")
LABEL_WAITS = ("wanted", "performing", "unknown", "failed")
OUT = {
    "refund": "refund",
    "store_credit": "store_credit",
    "exchange": "exchange",
    "top_up": "exchange",
}


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


@bp.get("/r/<token>/label")
def label(token: str) -> Response:
    """The label's PDF, or with ?as=png its picture, at the provider; 404 while there is none."""
    rma = _found(token)
    bought = [each for each in labels_of(rma.id) if each.status == "done"]
    if not bought:
        abort(404, _("The label is not here yet. It follows within the hour."))
    wanted = bought[-1].png_url if request.args.get("as") == "png" else bought[-1].pdf_url
    if not wanted.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        abort(404)
    return make_response(redirect(wanted, 302))


def _found(token: str) -> Return:
    found = Return.at(token) or abort(404)
    return Return.read(found.id) or abort(404)


def _page(token: str, rma: Return, problem: str = "", status: int = 200) -> Response:
    now = clock.now()
    order = session.get_one(Order, rma.order_id)
    calendar = Calendar.at(now, page_locale(), brand().shop.timezone)
    rows = settlements_of(rma.id)
    labels = labels_of(rma.id)
    parcel = session.scalar(
        select(Shipment).where(Shipment.rma_id == rma.id).order_by(Shipment.created_at.desc())
    )
    own = Link.of(rma.order_id)
    text = render_template(
        "returns/page.html",
        rma=rma,
        order_number=order.number,
        problem=problem,
        headline=_(STATUSES[rma.status]),
        tone=_tone(rma.status),
        sentence=_sentence(rma, parcel, labels, calendar),
        steps=_steps(rma, calendar),
        lines=[_line(line, calendar) for line in rma.lines],
        method=_(METHODS[rma.method]) if rma.method in METHODS else "",
        label=next((each for each in reversed(labels) if each.status == "done"), None),
        label_waits=any(
            each.status in ("wanted", "performing", "unknown", "failed") for each in labels
        ),
        qr=_qr(rma.number),
        parcel=parcel,
        money_rows=[_money(row, calendar) for row in rows if row.is_live and row.kind != "top_up"],
        expected=_expected(rma) if not rows else [],
        photos=[
            url_for("photos.of_return", token=token, photo_id=each.id)
            for each in Photo.of_return(rma.id)
        ],
        may_cancel=rma.status in ("requested", "approved"),
        travels=rma.travels,
        urls=site_urls()
        | {
            "cancel": url_in(".cancellation", token=token),
            "label": url_in(".label", token=token),
            "order": url_in("tracking.page", token=own) if own else None,
        },
    )
    return make_response(text, status)


def _tone(status: str) -> str:
    return {
        "requested": "attention",
        "declined": "problem",
        "expired": "problem",
        "cancelled": "attention",
        "settled": "done",
    }.get(status, "moving")


def _sentence(rma: Return, parcel: Shipment | None, labels: list[Label], calendar: Calendar) -> str:
    """What comes next, with its day."""
    if rma.status == "approved" and not rma.travels:
        return _("You need not send anything back. Your money is on its way.")
    if rma.status == "approved" and rma.expires_at is not None:
        day = calendar.long(calendar.local(rma.expires_at).date())
        return _("Send it off by %(day)s. Then the approval ends.", day=day)
    if rma.status == "declined":
        return rma.note or _declined(rma, calendar)
    return _(SENTENCES[rma.status])


def _declined(rma: Return, calendar: Calendar) -> str:
    receipt = rma.lines[0].decision
    return because(receipt["because"], receipt.get("values", {}), calendar)


SENTENCES = {
    "requested": N_("A person looks at it. Most requests are answered within 1 working day."),
    "approved": N_("It is approved."),
    "shipped": N_("The carrier has it. We write when it is here."),
    "arrived": N_("It is here. We look at it next."),
    "checked": N_("We have looked at it. Your money comes next."),
    "settled": N_("Everything is done. Thank you for telling us what did not fit."),
    "cancelled": N_("It was called off. Nothing more happens."),
    "expired": N_("Nothing was sent in time. Start it anew while the return window is open."),
}


def _steps(rma: Return, calendar: Calendar) -> list[dict[str, Any]]:
    """The stations on the way; empty where the way ended early."""
    if rma.status not in STEPS:
        return []
    times = {
        "requested": rma.requested_at,
        "approved": rma.decided_at,
        "shipped": rma.shipped_at,
        "arrived": rma.arrived_at,
        "checked": rma.checked_at,
        "settled": rma.settled_at,
    }
    names = [step for step in STEPS if rma.travels or step not in ("shipped", "arrived", "checked")]
    here = names.index(rma.status) if rma.status in names else len(names) - 1
    return [
        {
            "label": _(LABELS[step]),
            "state": "past" if n < here else "now" if n == here else "next",
            "at": _day(times[step], calendar) if n <= here else "",
        }
        for n, step in enumerate(names)
    ]


LABELS = {
    "requested": N_("Asked"),
    "approved": N_("Approved"),
    "shipped": N_("On its way"),
    "arrived": N_("Here"),
    "checked": N_("Checked"),
    "settled": N_("Done"),
}


def _day(at: datetime | None, calendar: Calendar) -> str:
    return calendar.short(calendar.local(at).date()) if at else ""


def _line(line: Any, calendar: Calendar) -> dict[str, Any]:
    receipt = line.decision
    return {
        "title": line.title or line.sku,
        "variant": line.variant,
        "quantity": line.quantity,
        "reason": reason_words(line.reason, line.detail),
        "resolution": _(RESOLUTIONS.get(line.resolution, line.resolution)),
        "outcome": line.outcome,
        "because": because(receipt["because"], receipt.get("values", {}), calendar),
        "accepted": sum(unit.acceptance == "accepted" for unit in line.units),
        "rejected": [unit.note for unit in line.units if unit.acceptance == "rejected"],
    }


def _money(row: Settlement, calendar: Calendar) -> dict[str, str]:
    amount = money(row.amount_minor, row.currency, page_locale())
    day = _day(row.done_at, calendar)
    said = {
        "done": _("sent on %(day)s", day=day),
        "failed": _("did not go through. We are on it."),
    }.get(row.status, _("on its way"))
    return {"what": _(RESOLUTIONS[OUT[row.kind]]), "amount": amount, "said": said}


def _expected(rma: Return) -> list[dict[str, str]]:
    """What each way out comes to if everything comes back as it was asked."""
    return [
        {
            "what": _(RESOLUTIONS[name]),
            "amount": money(amounts["total_minor"], rma.currency, page_locale()),
        }
        for name, amounts in rma.quoted.items()
        if any(amounts.values())
    ]


def _qr(number: str) -> Markup:
    """The return's number as a code that a scanner reads."""
    code = segno.make_qr(number, error="m")
    drawn = code.svg_inline(scale=6, border=1, omitsize=True, svgclass=None, lineclass=None)
    return Markup(drawn)  # noqa: S704 - drawn from squares alone; no text of ours is in it
