"""The life of a payment: created, confirmed, held, captured, cancelled, lapsed."""

from datetime import timedelta
from typing import Any, Final

from portal.sandbox import stripe_objects as born
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till
from portal.sandbox.stripe_cards import SENTENCES, Card
from portal.sandbox.stripe_currencies import check_amount, check_currency, check_grain
from portal.sandbox.stripe_disputes import open_dispute
from portal.sandbox.stripe_methods import given_method, keep_for
from portal.sandbox.stripe_refusals import StripeRefusal, misasked, wrong

HOLD: Final = timedelta(days=7)  # how long a bank keeps money aside
CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELLABLE: Final = (*CONFIRMABLE, "requires_capture", "processing")
KEPT_AS_GIVEN: Final = (
    *("description", "receipt_email", "setup_future_usage", "shipping", "capture_method"),
    *("statement_descriptor", "statement_descriptor_suffix"),
)


def create(till: Till, asked: Json, pages: str, id: str | None = None) -> Json:
    """A new payment, confirmed at once where that was asked. `pages`: the root of hosted pages.

    `id` is given for one that was known before a restart.
    """
    currency = check_currency(asked["currency"])
    intent = born.payment_intent(till, check_amount(asked["amount"], currency), currency)
    intent["id"] = id or intent["id"]
    for name in KEPT_AS_GIVEN:
        intent[name] = asked.get(name) or intent[name]
    intent["metadata"] = dict(asked.get("metadata") or {})
    if "automatic_payment_methods" in asked:
        intent["automatic_payment_methods"] = {
            "allow_redirects": "always",
            **asked["automatic_payment_methods"],
        }
    if asked.get("customer"):
        intent["customer"] = till.one("customer", asked["customer"], "customer", 400)["id"]
    if asked.get("off_session") and not asked.get("confirm"):
        message = "off_session can only be set when confirm is true."
        raise misasked(message, "parameter_unknown", "off_session")
    if asked.get("payment_method"):
        intent["payment_method"] = given_method(till, asked["payment_method"], intent)["id"]
        intent["status"] = "requires_confirmation"
    till.put(intent)
    till.happened("payment_intent.created", intent)
    if asked.get("confirm"):
        confirm(till, intent, {name: asked.get(name) for name in CONFIRMED_WITH}, pages)
    return intent


CONFIRMED_WITH: Final = ("off_session", "return_url", "error_on_requires_action")


def confirm(till: Till, intent: Json, asked: Json, pages: str) -> Json:
    """Try to take the money, or to have it held. Raises StripeRefusal 402 when the bank says no."""
    if intent["status"] not in CONFIRMABLE:
        raise _wrong_state(intent, "confirm")
    if asked.get("payment_method"):
        intent["payment_method"] = given_method(till, asked["payment_method"], intent)["id"]
    if asked.get("setup_future_usage"):
        intent["setup_future_usage"] = asked["setup_future_usage"]
    if not intent["payment_method"]:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise wrong(message, "payment_intent_unexpected_state", payment_intent=dict(intent))
    redirects = intent["automatic_payment_methods"].get("allow_redirects") != "never"
    if redirects and not asked.get("return_url"):
        message = (
            "This PaymentIntent accepts payment methods that might redirect your customer off of "
            "your page: provide a `return_url`, or set allow_redirects to never."
        )
        raise wrong(message, payment_intent=dict(intent))
    method = till.one("payment_method", intent["payment_method"])
    card = till.cards[method["id"]]
    if card.declined:
        raise _declined(till, intent, method, *card.declined)
    if _bank_asks(card, method, asked):
        return _ask(till, intent, method, asked, pages)
    return authorised(till, intent)


def _bank_asks(card: Card, method: Json, asked: Json) -> bool:
    if card.asks == "unless_set_up":
        return not method["customer"]
    return card.asks == "always"


def _ask(till: Till, intent: Json, method: Json, asked: Json, pages: str) -> Json:
    """Send the owner to the bank; nobody can be sent when they are not there."""
    if asked.get("off_session") or asked.get("error_on_requires_action"):
        raise _declined(till, intent, method, "authentication_required", "authentication_required")
    intent["next_action"] = {
        "redirect_to_url": {
            "return_url": asked.get("return_url"),
            "url": f"{pages}/authenticate/{intent['id']}",
        },
        "type": "redirect_to_url",
    }
    intent["status"] = "requires_action"
    till.happened("payment_intent.requires_action", intent)
    return intent


def refused_by_bank(till: Till, intent: Json) -> None:
    """The owner did not prove to be the owner."""
    code = "payment_intent_authentication_failure"
    message = "The provided PaymentMethod has failed authentication."
    method = till.one("payment_method", intent["payment_method"])
    _failed(till, intent, method, {"code": code, "message": message, "type": "card_error"})


def _failed(till: Till, intent: Json, method: Json, error: Json) -> None:
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error={**error, "payment_method": dict(method)},
    )
    till.happened("payment_intent.payment_failed", intent)


def _declined(till: Till, intent: Json, method: Json, code: str, decline: str) -> StripeRefusal:
    """Record the failed attempt; the 402 to raise."""
    message = SENTENCES[code]
    charge = till.put(born.charge(till, intent, method))
    born.declined(charge, code, decline, message)
    intent["latest_charge"] = charge["id"]
    till.happened("charge.failed", charge)
    error: Json = {"charge": charge["id"], "code": code, "message": message, "type": "card_error"}
    if decline:
        error["decline_code"] = decline
    _failed(till, intent, method, error)
    more: dict[str, Any] = {
        "decline_code": decline or None,
        "charge": charge["id"],
        "payment_intent": dict(intent),
        "payment_method": dict(method),
    }
    return StripeRefusal(402, message, code, kind="card_error", **more)


def authorised(till: Till, intent: Json) -> Json:
    """The bank said yes: the money is taken, or held until it is captured."""
    method = till.one("payment_method", intent["payment_method"])
    if intent["setup_future_usage"] and intent["customer"] and not method["customer"]:
        keep_for(till, method, intent["customer"])
    if not method["customer"]:
        till.spent.add(method["id"])
    charge = till.put(born.charge(till, intent, method))
    charge.update(paid=True, status="succeeded")
    intent.update(latest_charge=charge["id"], next_action=None, last_payment_error=None)
    if intent["capture_method"] == "manual":
        _hold(till, intent, charge)
    else:
        _take(till, intent, charge, intent["amount"])
        till.happened("charge.succeeded", charge)
        till.happened("payment_intent.succeeded", intent)
        card = till.cards[method["id"]]
        if card.dispute:
            open_dispute(till, charge, card.dispute, inquiry=card.inquiry)
    return intent


def _hold(till: Till, intent: Json, charge: Json) -> None:
    lapses = till.now() + HOLD
    charge["payment_method_details"]["card"]["capture_before"] = int(lapses.timestamp())
    intent.update(status="requires_capture", amount_capturable=intent["amount"])
    till.happened("charge.succeeded", charge)
    till.happened("payment_intent.amount_capturable_updated", intent)
    till.at(lapses, lambda: _lapse(till, intent, charge))


def _lapse(till: Till, intent: Json, charge: Json) -> None:
    if intent["status"] == "requires_capture":
        charge.update(amount_refunded=charge["amount"], refunded=True)
        till.happened("charge.expired", charge)
        _cancelled(till, intent, "automatic")


def _take(till: Till, intent: Json, charge: Json, amount: int) -> None:
    fee = amount * 29 // 1000
    entry = till.put(born.balance_transaction(till, charge, amount, "charge", fee))
    charge.update(captured=True, amount_captured=amount, balance_transaction=entry["id"])
    intent.update(status="succeeded", amount_received=amount, amount_capturable=0)


def capture(till: Till, intent: Json, asked: Json) -> Json:
    """Take what was held, or less; what is left over is let go.

    As at Stripe, what is let go counts as refunded on the charge and is listed as a refund.
    """
    if intent["status"] != "requires_capture":
        raise _wrong_state(intent, "capture")
    amount: int = {"amount_to_capture": intent["amount_capturable"], **asked}["amount_to_capture"]
    check_grain(amount, intent["currency"], "amount_to_capture")
    if amount > intent["amount_capturable"]:
        message = "The requested capture amount is greater than the amount you can capture."
        raise wrong(message, "amount_too_large", param="amount_to_capture")
    charge = till.one("charge", intent["latest_charge"])
    intent["metadata"] = {**intent["metadata"], **(asked.get("metadata") or {})}
    _take(till, intent, charge, amount)
    rest = charge["amount"] - amount
    if rest:
        till.put(born.refund(till, charge, rest))
        charge["amount_refunded"] = rest
    till.happened("charge.captured", charge)
    till.happened("payment_intent.succeeded", intent)
    return intent


def cancel(till: Till, intent: Json, reason: str | None) -> Json:
    """Give it up; money that was held is let go."""
    if intent["status"] not in CANCELLABLE:
        raise _wrong_state(intent, "cancel")
    if intent["status"] == "requires_capture":
        charge = till.one("charge", intent["latest_charge"])
        till.put(born.refund(till, charge, charge["amount"]))
        charge.update(amount_refunded=charge["amount"], refunded=True)
        till.happened("charge.refunded", charge)
    _cancelled(till, intent, reason)
    return intent


def _cancelled(till: Till, intent: Json, reason: str | None) -> None:
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=till.seconds(),
        cancellation_reason=reason,
        next_action=None,
    )
    till.happened("payment_intent.canceled", intent)


def _wrong_state(intent: Json, verb: str) -> StripeRefusal:
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    code = "payment_intent_unexpected_state"
    return wrong(message, code, payment_intent=dict(intent))
