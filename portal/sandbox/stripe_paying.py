"""Somebody stands at the checkout page: the attempt, the bank's question, the end of it."""

from typing import Final

from portal.sandbox import stripe_intents, stripe_setups
from portal.sandbox import stripe_objects as born
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till
from portal.sandbox.stripe_cards import CARDS
from portal.sandbox.stripe_methods import make
from portal.sandbox.stripe_refusals import wrong

LATER: Final = "bank_debit"  # at the page: a way to pay that clears days later


def attempt(till: Till, session: Json, means: str, email: str, pages: str) -> Json:
    """Pay, or save the card: the payment or setup of this attempt, which may wait for the bank.

    `means` is a test card or `bank_debit`. Raises StripeRefusal 402 when the bank says no; the
    page then stays open for another try.
    """
    if session["status"] != "open":
        raise wrong(f"This Checkout Session has a status of {session['status']}.")
    _note_payer(till, session, email)
    thing = _thing(till, session, pages)
    if means == LATER and session["mode"] == "payment":
        return _debit(till, session, thing)
    method = make(till, CARDS[means], {"email": email or None})
    verb = {"payment_method": method["id"], "return_url": session["success_url"]}
    if session["mode"] == "setup":
        return stripe_setups.confirm(till, thing, verb, pages)
    return stripe_intents.confirm(till, thing, verb, pages)


def _note_payer(till: Till, session: Json, email: str) -> None:
    given = email or session["customer_email"]
    details = {"address": born.address(), "email": given, "tax_exempt": "none"}
    details |= born.empty("business_name", "individual_name", "name", "phone", "tax_ids")
    session["customer_details"] = details
    if session["customer"] is None and session["customer_creation"] == "always":
        customer = till.put(born.customer(till))
        customer["email"] = given
        session["customer"] = customer["id"]
        till.happened("customer.created", customer)


def _thing(till: Till, session: Json, pages: str) -> Json:
    """The payment or setup behind the page: one, however often it is tried."""
    kind = "setup_intent" if session["mode"] == "setup" else "payment_intent"
    if session[kind]:
        return till.one(kind, session[kind])
    asked = till.wishes[session["id"]]
    wished = {**asked.get(f"{kind}_data", {})}
    if session["customer"]:
        wished["customer"] = session["customer"]
    if kind == "setup_intent":
        thing = stripe_setups.create(till, wished, pages)
    else:
        wished |= {"amount": session["amount_total"], "currency": session["currency"]}
        thing = stripe_intents.create(till, wished, pages)
    session[kind] = thing["id"]
    return thing


def _debit(till: Till, session: Json, intent: Json) -> Json:
    """The page is done, the money is not there yet."""
    intent.update(status="processing")
    intent["payment_method"] = make(till, CARDS["pm_card_visa"])["id"]
    till.happened("payment_intent.processing", intent)
    return intent


def cleared(till: Till, session: Json, *, arrived: bool) -> Json:
    """What became of money that was on its way."""
    intent = till.one("payment_intent", session["payment_intent"] or "")
    if intent["status"] != "processing":
        raise wrong("No money is on its way for this session.")
    if not arrived:
        stripe_intents.refused_by_bank(till, intent)
        till.happened("checkout.session.async_payment_failed", session)
        return session
    stripe_intents.authorised(till, intent)
    session["payment_status"] = "paid"
    till.happened("checkout.session.async_payment_succeeded", session)
    return session


def finish(till: Till, session: Json, thing: Json) -> None:
    """Close the page behind an attempt that is over; paid only where the money was taken."""
    if session["status"] != "open":
        return
    session.update(status="complete", url=None)
    if thing["status"] == "succeeded" and session["mode"] == "payment":
        session["payment_status"] = "paid"
    till.happened("checkout.session.completed", session)


def answered(till: Till, thing: Json, *, agreed: bool) -> None:
    """What the card's owner told the bank about a payment or a setup."""
    if thing["status"] != "requires_action":
        raise wrong(f"Nobody asks: the status is {thing['status']}.")
    is_setup = thing["object"] == "setup_intent"
    if not agreed:
        (stripe_setups if is_setup else stripe_intents).refused_by_bank(till, thing)
    elif is_setup:
        stripe_setups.saved(till, thing)
    else:
        stripe_intents.authorised(till, thing)
    kind = thing["object"]
    for session in till.newest("checkout.session", **{kind: thing["id"]}):
        if agreed:
            finish(till, session, thing)
