"""Cards at the stand-in: made from test cards, kept for a customer, used once or often."""

from portal.sandbox import stripe_objects as born
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till
from portal.sandbox.stripe_cards import CARDS, SENTENCES, TOKENS, Card
from portal.sandbox.stripe_refusals import StripeRefusal, misasked, missing, wrong


def make(till: Till, card: Card, billing: Json | None = None) -> Json:
    """A payment method of its own for a card."""
    method = till.put(born.payment_method(till, card, billing))
    till.cards[method["id"]] = card
    return method


def from_token(till: Till, asked: Json) -> Json:
    """The method of `type` and `card[token]`; numbers are refused, as Stripe refuses them raw."""
    if asked.get("type") != "card" or set(asked.get("card", {})) != {"token"}:
        message = "Send card[token], such as tok_visa: raw card numbers are not taken."
        raise misasked(message, None, "card")
    name = TOKENS.get(asked["card"]["token"])
    if name is None:
        raise missing("token", asked["card"]["token"], "card[token]", 400)
    return make(till, CARDS[name], asked.get("billing_details"))


def given_method(till: Till, name: str, payer: Json) -> Json:
    """The method a payment names: a test card, or one made or kept before.

    `payer` is the payment or setup that will use it. Raises StripeRefusal where it may not.
    """
    if name in CARDS:
        return make(till, CARDS[name])
    method = till.one("payment_method", name, "payment_method", 400)
    if method["customer"] and method["customer"] != payer["customer"]:
        message = (
            f"The provided PaymentMethod ({name}) is attached to a Customer. "
            "Send that customer along."
        )
        raise wrong(message, "payment_intent_invalid_parameter", param="payment_method")
    if name in till.spent:
        message = (
            "The provided PaymentMethod was previously used without Customer attachment or was "
            "detached from a Customer, and may not be used again."
        )
        raise wrong(message, param="payment_method")
    return method


def attach(till: Till, method: Json, customer: str) -> Json:
    """Keep a card for a customer. Raises StripeRefusal 402 where the bank refuses already now."""
    till.one("customer", customer, "customer", 400)
    if method["customer"] not in (None, customer):
        raise wrong("This PaymentMethod has already been attached to a customer.")
    if method["id"] in till.spent:
        message = "This PaymentMethod was previously used or detached and may not be used again."
        raise wrong(message)
    card = till.cards[method["id"]]
    if card.declined and not card.saves:
        raise bank_refuses(card)
    keep_for(till, method, customer)
    return method


def bank_refuses(card: Card) -> StripeRefusal:
    """The 402 of a card that cannot even be saved."""
    code, decline = card.declined or ("card_declined", "generic_decline")
    return StripeRefusal(
        402, SENTENCES[code], code, kind="card_error", decline_code=decline or None
    )


def keep_for(till: Till, method: Json, customer: str) -> None:
    """Attach, without asking anybody."""
    method["customer"] = customer
    till.happened("payment_method.attached", method)


def detach(till: Till, method: Json) -> Json:
    """Let go of a kept card; it may not be used again."""
    if not method["customer"]:
        raise wrong("The payment method you provided is not attached to a customer.")
    till.changed("payment_method.detached", method, customer=None)
    till.spent.add(method["id"])
    return method
