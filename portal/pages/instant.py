"""An exchange that is sent at once: what is agreed to in words, and the page to save a card at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from flask import Blueprint, Response, abort, g, make_response, redirect, request

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.jobs.bank import bank_of
from portal.jobs.instant import open_page
from portal.jobs.instant_pay import open_pay_page
from portal.keys import Unsealable
from portal.models import Exchange, Order, Return, Shop
from portal.models.change import Conflict
from portal.models.instant import Instant, Offer, agree, offers
from portal.models.instant_pay import owed
from portal.pages.brand import brand, page_locale, url_in
from portal.pages.dates import Calendar
from portal.pages.entry import guard, see
from portal.pages.speech import N_, _
from portal.payments.contract import PaymentError
from portal.payments.stripe import Stripe

bp = Blueprint("instant", __name__)
bp.after_request(guard)
TEXT_VERSION: Final = 1  # of the words that are agreed to; goes up with every change of them
SAYS: Final = {
    "saved": N_("Thank you. We are asking the bank about your card; it takes a few minutes."),
    "unsaid": N_("Tick the box to say that you agree. Nothing was changed."),
    "paid": N_("Thank you. We are asking the bank; this page shows it within a few minutes."),
    "unpaid": N_(
        "The page to pay at cannot be opened at this moment. Nothing was charged. Try again in a "
        "few minutes."
    ),
    "gone": N_("It cannot be sent at once any more. Your exchange stays as it is."),
    "later": N_(
        "The page to save a card at cannot be opened at this moment. Nothing was changed. Try "
        "again in a few minutes."
    ),
}
STATES: Final = {
    "wanted": N_("We wait for your card. Nothing is sent before it is saved."),
    "lapsed": N_("No card was saved, so it is sent once yours is back."),
    "saved": N_(
        "It is on its way to you. Hand yours to the carrier by %(day)s; what is not sent back by "
        "then is charged to your card ending in %(last4)s, at most %(amount)s. We write before."
    ),
    "charging": N_("Yours did not come back in time. Your card is being charged %(amount)s."),
    "charged": N_(
        "Yours did not come back in time, so %(amount)s was charged to your card. Does it come "
        "after all? Then exactly this is given back."
    ),
    "released": N_("Nothing is charged to your card any more."),
    "declined": N_(
        "Yours did not come back in time, and your card could not be charged. Nothing was taken, "
        "and we do not try again by ourselves. Pay %(amount)s here, or send yours back."
    ),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One offer with the words to agree to (`url` to post to), or what became of one.

    `pays` names the button of what is to be paid at `url`.
    """

    title: str
    sentence: str
    url: str = ""
    exchange_id: str = ""
    button: str = ""
    pays: str = ""


def instant_shown(rma: Return, token: str) -> list[Shown]:
    """What may be sent at once, and what became of what was."""
    now, calendar = clock.now(), _calendar()
    agreed = Instant.of(rma.id)
    shown = [_state(row, calendar, token) for row in agreed]
    waiting = {row.exchange_id for row in agreed if row.status == "wanted"}
    if _bank() is None:
        return shown
    url = url_in("instant.consent", token=token)
    for offer in offers(rma, now):
        again = offer.exchange.id in waiting
        button = _("Save a card") if not again else _("Go on to save a card")
        title = _title(offer.exchange)
        shown.append(Shown(title, consent_text(offer, calendar), url, offer.exchange.id, button))
    return shown


def instant_said() -> str:
    """What the last click came to, in words; "" for nothing."""
    told = request.args.get("instant", "")
    return _(SAYS[told]) if told in SAYS else ""


def consent_text(offer: Offer, calendar: Calendar) -> str:
    """What is agreed to: what is charged, how much at most, on which day, how to avoid it."""
    return _(
        "%(title)s is sent to you at once. Nothing is charged now. Hand yours to the carrier by "
        "%(last)s, and nothing is charged at all. What is not sent back by then, or is missing in "
        "the parcel, is charged to your card, once: %(amount)s at most, on %(day)s at the "
        "earliest, after two reminders by mail. What comes back later is paid back.",
        title=_title(offer.exchange),
        last=calendar.long(_last_day(offer.charge_at, calendar)),
        amount=money(offer.amount_minor, offer.exchange.currency, page_locale()),
        day=calendar.long(calendar.local(offer.charge_at).date()),
    )


@bp.post("/r/<token>/instant")
def consent(token: str) -> Response:
    """Agree, and be led to the page where the card is saved."""
    rma_id = (Return.at(token) or abort(404)).id
    here = url_in("rma.page", token=token)
    if not request.form.get("agreed"):
        return see(f"{here}?instant=unsaid")
    bank = _bank()
    exchange_id, now = request.form.get("exchange", "")[:40], clock.now()
    try:
        with writing():
            rma = Return.locked(rma_id) or abort(404)
            row = agree(rma, exchange_id, _agreed(rma, exchange_id, now), now)
            instant_id, email = row.id, session.get_one(Order, rma.order_id).email
    except Conflict:
        return see(f"{here}?instant=gone")
    back = f"{g.shop.origin}{here}"
    try:
        url = open_page(bank, instant_id, email, f"{back}?instant=saved", back) if bank else ""
    except PaymentError:
        return see(f"{here}?instant=later")
    nudge("instant")
    return make_response(redirect(url or f"{here}?instant=saved", 303))


@bp.post("/r/<token>/instant/payment")
def pay(token: str) -> Response:
    """Lead to the page where is paid what the card could not be charged for."""
    rma = Return.at(token) or abort(404)
    here = url_in("rma.page", token=token)
    mine = {row.exchange_id: row.id for row in Instant.of(rma.id)}
    due = owed(mine.get(request.form.get("exchange", ""), ""))
    bank, back = _bank(), f"{g.shop.origin}{here}"
    session.rollback()  # no transaction is open while Stripe is asked
    if due is None:
        return see(here)
    try:
        url = open_pay_page(bank, due, f"{back}?instant=paid", back) if bank else ""
    except PaymentError:
        return see(f"{here}?instant=unpaid")
    nudge("settle")
    unsaid = "paid" if bank else "unpaid"
    return make_response(redirect(url or f"{here}?instant={unsaid}", 303))


def _agreed(rma: Return, exchange_id: str, now: datetime) -> dict[str, str | int]:
    """The words as they were shown, with their version and language."""
    found = next((each for each in offers(rma, now) if each.exchange.id == exchange_id), None)
    text = consent_text(found, _calendar()) if found is not None else ""
    return {"text": text, "version": TEXT_VERSION, "locale": page_locale()}


def _state(row: Instant, calendar: Calendar, token: str) -> Shown:
    exchange = session.get_one(Exchange, row.exchange_id)
    minor = row.charging_minor or row.amount_minor
    sentence = _(
        STATES[row.status],
        day=calendar.long(_last_day(row.charge_at, calendar)),
        last4=row.last4,
        amount=money(minor, row.currency, page_locale()),
    )
    if row.status != "declined":
        return Shown(_title(exchange), sentence)
    pays = _("Pay %(amount)s", amount=money(minor, row.currency, page_locale()))
    url = url_in("instant.pay", token=token)
    return Shown(_title(exchange), sentence, url, exchange.id, pays=pays)


def _last_day(charge_at: datetime, calendar: Calendar) -> date:
    """The last whole day before the charge."""
    return calendar.local(charge_at).date() - timedelta(days=1)


def _title(exchange: Exchange) -> str:
    return exchange.title or exchange.sku


def _calendar() -> Calendar:
    return Calendar.at(clock.now(), page_locale(), brand().shop.timezone)


def is_paid_by_card() -> bool:
    """Whether a card can be saved here at all."""
    return _bank() is not None


def _bank() -> Stripe | None:
    try:
        return bank_of(session.get_one(Shop, g.shop_id))
    except (ValueError, Unsealable):
        return None
