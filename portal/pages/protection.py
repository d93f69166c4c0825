"""Cover after checkout, until a carrier has the parcel; and giving it up again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
)

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.jobs.bank import bank_of
from portal.jobs.checkout import open_page
from portal.keys import Unsealable
from portal.models import Checkout, Order, Protection, Shop
from portal.models.change import Conflict
from portal.models.cover import judged, may_be_covered
from portal.models.offer import Cart, Offer, offer_for
from portal.models.premium import cancel_cover, why_kept
from portal.models.protection import protection_of
from portal.models.rma_request import order_for_return
from portal.models.rma_rows import Act
from portal.pages.brand import brand, page_locale, url_in
from portal.pages.dates import Calendar
from portal.pages.entry import enter, guard, order_urls, see
from portal.pages.protection_words import REFUSED, STATES, WHY_NOT, offer_words
from portal.pages.speech import N_, _
from portal.payments.contract import PaymentError
from portal.payments.stripe import Stripe

bp = Blueprint("protection", __name__)
SAYS: Final = {
    "paid": N_("Thank you. We are asking the bank; this page shows it within a few minutes."),
    "later": N_(
        "The payment page cannot be opened at this moment. Nothing was charged. Try again in a "
        "few minutes."
    ),
    "changed": N_("The price has changed. Look at it once more before you choose."),
    "kept": N_("The protection could not be cancelled. It stays as it is."),
    "cancelled": N_("The protection is cancelled, and its price is on its way back to you."),
    "declined": N_("Nothing was added. You keep your normal rights."),
}


@bp.get("/protection.js")
def widget() -> Response:
    """The element that other shops' checkouts show."""
    response = current_app.send_static_file("protection.js")
    response.headers |= {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "public, max-age=3600",
    }
    return response


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: the order, its cover so far, and what is offered."""

    token: str
    order: Order
    cover: Protection | None
    offer: Offer | None
    why_not: str
    now: datetime

    @property
    def says(self) -> str:
        """What came of the last step, in a sentence."""
        told = request.args.get("protection", "")
        return _(SAYS[told]) if told in SAYS else ""


@bp.get("/t/<token>/protection")
def page(token: str) -> Response:
    """What is covered, or what cover costs: everything to know before choosing."""
    if not _may_act(token):
        return _confirm(token)
    return guard(make_response(_shown(_visit(token))))


@bp.post("/t/<token>/protection")
def choose(token: str) -> Response:
    """Lead to the page where cover is paid, or say that nothing was added."""
    if not _may_act(token):
        return _confirm(token)
    here = url_in("protection.page", token=token)
    if request.form.get("choice") != "accept":
        return see(_saying(here, "declined"))
    visit = _visit(token)
    offer = visit.offer
    if offer is None or not offer.quote:
        return see(here)
    quote, why = judged(visit.order, request.form.get("quote", ""), visit.now, visit.now)
    if quote is None or why or quote.premium_minor != offer.priced.premium_minor:
        return see(_saying(here, "changed"))
    bank = _bank()
    if bank is None:
        return see(_saying(here, "later"))
    back = f"{g.shop.origin}{here}"
    try:
        url = open_page(bank, _checkout(visit, offer), _saying(back, "paid"), back)
    except PaymentError:
        return see(_saying(here, "later"))
    return make_response(redirect(url or _saying(here, "paid"), 303))


@bp.post("/t/<token>/protection/cancellation")
def cancel(token: str) -> Response:
    """Give the cover up; its price goes back by itself."""
    if not _may_act(token):
        return _confirm(token)
    now = clock.now()
    link = enter(token, now)
    here = url_in("protection.page", token=token)
    try:
        with writing():
            order = order_for_return(link.order_id, lock=True) or abort(404)
            cancel_cover(order, Act("customer", now, "cancelled by the customer"))
    except Conflict:
        session.rollback()
        return see(_saying(here, "kept"))
    nudge("settle")
    return see(_saying(here, "cancelled"))


def _may_act(token: str) -> bool:
    return enter(token, clock.now()).grade == "act"


def _confirm(token: str) -> Response:
    """Who came by number and e-mail alone shows first that the address is theirs."""
    return see(url_in("codes.enter_code", token=token, then="protection"))


def _visit(token: str) -> Visit:
    now = clock.now()
    order = order_for_return(enter(token, now).order_id) or abort(404)
    cover = protection_of(order.id)
    why_not = may_be_covered(order)
    offer = None
    # Who gave it up is not asked again.
    if not why_not and (cover is None or cover.status != "cancelled"):
        cart = Cart(
            order.currency,
            order.address.get("country", ""),
            order.lines,
            order.shipping_minor,
            order.discount_minor,
        )
        offer = offer_for(cart, g.shop.settings, now)
        why_not = offer.priced.why_not
    return Visit(token, order, cover, offer, why_not, now)


def _checkout(visit: Visit, offer: Offer) -> str:
    """The checkout to pay at: the one that is open, or a new one. Gives its id."""
    order, priced = visit.order, offer.priced
    with writing():
        known = Checkout.open_cover(order.id, priced.premium_minor)
        if known is not None:
            return known.id
        title = _("%(title)s, order %(number)s", title=_title(offer), number=order.number)
        made, _token = Checkout.begin(
            "cover",
            [{"title": title, "amount_minor": priced.premium_minor, "quantity": 1}],
            {"quote": offer.quote, "consent": {"choice": "accepted", "preselected": False}},
            visit.now,
            order_id=order.id,
            currency=order.currency,
            email=order.email,
        )
        session.flush()
        return made.id


def _title(offer: Offer) -> str:
    return offer_words(offer, page_locale())["title"]


def _bank() -> Stripe | None:
    try:
        found = bank_of(session.get_one(Shop, g.shop_id))
    except (ValueError, Unsealable):
        found = None
    session.rollback()  # no transaction is open while Stripe is asked
    return found


def _saying(url: str, what: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}protection={what}"


# --- what is shown ------------------------------------------------------------------------------


def _shown(visit: Visit) -> str:
    cover, offer, locale = visit.cover, visit.offer, page_locale()
    words = offer_words(offer, locale) if offer else {}
    return render_template(
        "protection/page.html",
        number=visit.order.number,
        says=visit.says,
        words=words,
        quote=offer.quote if offer else "",
        cover=_cover_shown(visit, cover) if cover else None,
        why_not=_(WHY_NOT[visit.why_not]) if visit.why_not and not _covers(cover) else "",
        rights=words.get("rights") or "",
        here=url_in("protection.page", token=visit.token),
        cancellation=url_in("protection.cancel", token=visit.token),
        urls=order_urls(visit.token),
    )


def _covers(cover: Protection | None) -> bool:
    return cover is not None and cover.covers


def _cover_shown(visit: Visit, cover: Protection) -> dict[str, Any]:
    calendar = Calendar.at(visit.now, page_locale(), brand().shop.timezone)
    since = cover.started_at or cover.created_at
    return {
        "state": _(STATES[cover.status]),
        "active": cover.status == "active",
        "reason": _(REFUSED[cover.reason]) if cover.status == "refused" else "",
        "premium": money(cover.premium_minor, cover.currency, page_locale()),
        "limit": money(cover.cover_minor, cover.currency, page_locale()),
        "since": calendar.long(calendar.local(since).date()),
        "cancellable": not why_kept(visit.order, cover, visit.now),
    }
