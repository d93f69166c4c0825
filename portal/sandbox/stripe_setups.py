"""Saving a card for later: a setup is confirmed like a payment, without any money."""

from typing import Final

from portal.sandbox import stripe_objects as born
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till
from portal.sandbox.stripe_cards import Card
from portal.sandbox.stripe_methods import bank_refuses, given_method, keep_for
from portal.sandbox.stripe_refusals import StripeRefusal, misasked, wrong

OPEN: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(till: Till, asked: Json, pages: str) -> Json:
    """A new setup, confirmed at once where that was asked."""
    setup = born.setup_intent(till)
    if asked.get("customer"):
        setup["customer"] = till.one("customer", asked["customer"], "customer", 400)["id"]
    setup["metadata"] = dict(asked.get("metadata") or {})
    setup["description"] = asked.get("description")
    setup["usage"] = asked.get("usage", "off_session")
    if "automatic_payment_methods" in asked:
        setup["automatic_payment_methods"] = {
            "allow_redirects": "always",
            **asked["automatic_payment_methods"],
        }
    if asked.get("payment_method"):
        setup["payment_method"] = given_method(till, asked["payment_method"], setup)["id"]
        setup["status"] = "requires_confirmation"
    till.put(setup)
    till.happened("setup_intent.created", setup)
    if asked.get("confirm"):
        confirm(till, setup, {"return_url": asked.get("return_url")}, pages)
    elif asked.get("return_url"):
        raise misasked("return_url needs confirm=true.", None, "return_url")
    return setup


def confirm(till: Till, setup: Json, asked: Json, pages: str) -> Json:
    """Ask the bank. Raises StripeRefusal 402 when it says no."""
    if setup["status"] not in OPEN:
        raise _wrong_state(setup, "confirm")
    if asked.get("payment_method"):
        setup["payment_method"] = given_method(till, asked["payment_method"], setup)["id"]
    if not setup["payment_method"]:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise wrong(message, "setup_intent_unexpected_state", setup_intent=dict(setup))
    redirects = setup["automatic_payment_methods"].get("allow_redirects") != "never"
    if redirects and not asked.get("return_url"):
        message = "Provide a `return_url`, or set allow_redirects to never."
        raise wrong(message, setup_intent=dict(setup))
    card = till.cards[setup["payment_method"]]
    if card.declined and not card.saves:
        raise _refused(till, setup, card)
    if card.asks != "never":
        setup["next_action"] = {
            "redirect_to_url": {
                "return_url": asked.get("return_url"),
                "url": f"{pages}/authenticate/{setup['id']}",
            },
            "type": "redirect_to_url",
        }
        setup["status"] = "requires_action"
        till.happened("setup_intent.requires_action", setup)
        return setup
    return saved(till, setup)


def _refused(till: Till, setup: Json, card: Card) -> StripeRefusal:
    refusal = bank_refuses(card)
    _failed(till, setup, refusal.envelope()["error"])
    refusal.more["setup_intent"] = dict(setup)
    return refusal


def refused_by_bank(till: Till, setup: Json) -> None:
    """The owner did not prove to be the owner."""
    code = "setup_intent_authentication_failure"
    message = "The latest attempt to set up the payment method has failed authentication."
    _failed(till, setup, {"code": code, "message": message, "type": "card_error"})


def _failed(till: Till, setup: Json, error: Json) -> None:
    setup.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error=error,
    )
    till.happened("setup_intent.setup_failed", setup)


def saved(till: Till, setup: Json) -> Json:
    """The bank agreed: the card may be charged later."""
    method = till.one("payment_method", setup["payment_method"])
    if setup["customer"] and not method["customer"]:
        keep_for(till, method, setup["customer"])
    setup.update(status="succeeded", next_action=None, last_setup_error=None)
    till.happened("setup_intent.succeeded", setup)
    return setup


def cancel(till: Till, setup: Json, reason: str | None) -> Json:
    """Give it up."""
    if setup["status"] not in OPEN:
        raise _wrong_state(setup, "cancel")
    setup.update(status="canceled", cancellation_reason=reason, next_action=None)
    till.happened("setup_intent.canceled", setup)
    return setup


def _wrong_state(setup: Json, verb: str) -> StripeRefusal:
    message = f"You cannot {verb} this SetupIntent because it has a status of {setup['status']}."
    return wrong(message, "setup_intent_unexpected_state", setup_intent=dict(setup))
