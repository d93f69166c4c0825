"""Paying what an exchange costs more: shown first, opened on a click, believed when looked at."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, g, make_response, redirect, request

from portal.db import session
from portal.format import money
from portal.jobs import nudge
from portal.jobs.bank import bank_of
from portal.jobs.topup import open_page, take
from portal.keys import Unsealable
from portal.models import Return, Shop
from portal.models.difference import Difference, due_of
from portal.pages.brand import page_locale, url_in
from portal.pages.entry import guard, see
from portal.pages.speech import N_, _
from portal.payments.contract import PaymentError
from portal.payments.stripe import Stripe

bp = Blueprint("payment", __name__)
bp.after_request(guard)
SAYS: Final = {
    "paid": N_("Thank you. We are asking the bank; this page shows it within a few minutes."),
    "later": N_(
        "The payment page cannot be opened at this moment. Nothing was charged. Try again in a "
        "few minutes."
    ),
    "closed": N_("This shop takes no payments here. Write to us, and we find another way."),
}


def due_shown(rma: Return, token: str) -> dict[str, Any] | None:
    """What is due for an exchange of this return, for its page; None where nothing is."""
    due = due_of(rma.id)
    if due is None:
        return None
    told = request.args.get("payment", "")
    return {
        "amount": money(due.amount_minor, due.currency, page_locale()),
        "title": due.title,
        "said": _(SAYS[told]) if told in SAYS else "",
        "url": url_in("payment.pay", token=token),
    }


@bp.post("/r/<token>/payment")
def pay(token: str) -> Response:
    """Open the page where the difference is paid, and lead there. Nothing is charged by itself."""
    rma = Return.at(token) or abort(404)
    due = due_of(rma.id)
    here = url_in("rma.page", token=token)
    bank = _bank()
    back = f"{g.shop.origin}{here}"
    session.rollback()  # no transaction is open while Stripe is asked
    if due is None:
        return see(here)
    if bank is None:
        return see(_saying(here, "closed"))
    try:
        return _lead(bank, due, here, back)
    except PaymentError:
        return see(_saying(here, "later"))


def _lead(bank: Stripe, due: Difference, here: str, back: str) -> Response:
    opened = open_page(bank, due, _saying(back, "paid"), back)
    if opened.is_paid:
        take(bank, due.id, opened)
        nudge("settle")
        return see(here)
    # Paid by a debit it is complete, and the money comes days later.
    return make_response(redirect(opened.url or _saying(here, "paid"), 303))


def _bank() -> Stripe | None:
    try:
        return bank_of(session.get_one(Shop, g.shop_id))
    except (ValueError, Unsealable):
        return None


def _saying(url: str, what: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}payment={what}"
