"""The Stripe adapter, on the real `stripe` client: refunds, checkout, saved cards, holds.

A call is one request on the wire, or a few that only read and one that changes. It ends in facts
or in one PaymentError. Everything we make carries our key in its metadata, so that it is found
again when an answer was lost, also after Stripe has forgotten its idempotency key (24 hours).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from portal.config import STRIPE_API, is_loopback
from portal.payments import stripe_facts as facts
from portal.payments.contract import (
    CardWish,
    Checkout,
    CheckoutLine,
    CheckoutWish,
    Kind,
    Payment,
    PaymentError,
    PaymentState,
    RefundResult,
    SavedCard,
)
from portal.payments.stripe_amounts import to_stripe
from portal.payments.stripe_disputes import Disputes
from portal.payments.stripe_wire import Wire

PAID: Final = frozenset({PaymentState.CAPTURED, PaymentState.PROCESSING, PaymentState.HELD})
SKEW: Final = timedelta(minutes=5)  # between Stripe's clock and ours
NO_REDIRECTS: Final = {"enabled": True, "allow_redirects": "never"}
IDS: Final = {
    "payment": re.compile(r"(pi|ch|py)_[0-9A-Za-z_]{1,200}"),
    "refund": re.compile(r"(re|pyr)_[0-9A-Za-z_]{1,200}"),
    "checkout": re.compile(r"cs_[0-9A-Za-z_]{1,200}"),
    "setup": re.compile(r"seti_[0-9A-Za-z_]{1,200}"),
    "card": re.compile(r"(pm|card|src)_[0-9A-Za-z_]{1,200}"),
    "customer": re.compile(r"cus_[0-9A-Za-z_]{1,200}"),
}
Made = TypeVar("Made", Payment, RefundResult)


class Stripe:
    """Ask Stripe to move money. Threads may share one; a forked process builds its own session.

    `timeout` is (connect, read) in seconds, `deadline` the most one whole answer may take.
    Raises ValueError for a key or base that cannot be meant.
    """

    def __init__(
        self,
        key: str,
        base: str = STRIPE_API,
        timeout: tuple[float, float] = (3.0, 20.0),
        deadline: float = 30.0,
    ) -> None:
        if not re.fullmatch(r"[!-~]+", key):
            raise ValueError("The Stripe key is empty or holds blanks; copy it again.")
        parts = urlsplit(base)
        if parts.scheme != "https" and not is_loopback(parts.hostname):
            raise ValueError("The Stripe address must be https, except on this machine itself.")
        self._wire = Wire(key, base.rstrip("/"), timeout, deadline)
        self.disputes = Disputes(self._wire)

    def close(self) -> None:
        """End the connection; the next call opens another."""
        self._wire.close()

    # --- payments and refunds -------------------------------------------------------------------

    def read_payment(self, reference: str) -> Payment:
        """What was captured, held and sent back of a payment (pi_…, or ch_… of an old shop)."""
        _check("payment", reference)
        if not reference.startswith("pi_"):
            return self._wire.ask(lambda v1: v1.charges.retrieve(reference), facts.payment)
        more = {"expand": ["latest_charge"]}
        return self._wire.ask(
            lambda v1: v1.payment_intents.retrieve(reference, more), facts.payment
        )

    def refund(
        self,
        payment: str,
        amount_minor: int,
        currency: str,
        key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> RefundResult:
        """Send `amount_minor` of a payment back, once for ever under `key` (up to 200 characters).

        Looks first: a refund made under this key before is given back as it stands now, also one
        that failed; to try that again takes another key. Refuses another currency than the
        payment's, and a payment that its customer's bank may give back as well.
        """
        amount = to_stripe(amount_minor, currency)
        _check_key(key)
        made = self.find_refund(payment, key)
        if made is not None:
            return _the_same(made, amount_minor, currency)
        known = self.read_payment(payment)
        if known.currency != currency:
            raise _refused(f"The payment is in {known.currency}, not in {currency}.", "currency")
        if known.is_disputed and self._may_pay_twice(payment):
            raise _refused("This payment is in dispute; a refund could pay twice.", "disputed")
        target = "payment_intent" if payment.startswith("pi_") else "charge"
        wanted = {target: payment, "amount": amount, "metadata": _marked(metadata, key)}
        return self._wire.change(lambda v1: v1.refunds.create(wanted, _once(key)), facts.refund)

    def _may_pay_twice(self, payment: str) -> bool:
        """A payment stays marked as disputed for ever, also after the shop was proved right."""
        return any(each.may_pay_twice for each in self.disputes.of_payment(payment))

    def find_refund(self, payment: str, key: str) -> RefundResult | None:
        """The refund made under `key`, None where there is none: ask this before asking again."""
        return next((each for each in self.refunds_of(payment) if each.key == key), None)

    def rule_out(
        self, payment: str, key: str, amount_minor: int, since: datetime
    ) -> RefundResult | None:
        """The refund made under `key` after `since`; None only where it is certain there is none.

        Raises PaymentError (outcome unknown) where the payment says that more went back than is
        listed, or where a refund that nobody marked may be the one.
        """
        listed = list(self.refunds_of(payment))
        made = next((each for each in listed if each.key == key), None)
        if made is not None:
            return made
        moved_minor = sum(each.amount_minor for each in listed if each.is_alive)
        if self.read_payment(payment).refunded_minor > moved_minor:
            raise _hidden("More went back of this payment than Stripe lists.")
        for each in listed:
            is_late = each.made_at is None or each.made_at >= since - SKEW
            if each.is_alive and not each.key and is_late and each.amount_minor == amount_minor:
                raise _hidden(f"Refund {each.id} of the same amount may be this one.")
        return None

    def refunds_of(self, payment: str) -> Iterator[RefundResult]:
        """Every refund of a payment, newest first, also those that others made.

        What was let go of a hold is listed by Stripe as a refund, too: it has no key. One without
        a key is read by itself before it is taken for somebody else's: a list can leave out more.
        """
        _check("payment", payment)
        target = "payment_intent" if payment.startswith("pi_") else "charge"
        for each in self._wire.each("refunds", {target: payment}, facts.refund):
            yield each if each.key else self.read_refund(each.id)

    def read_refund(self, id: str) -> RefundResult:
        """How a refund stands now."""
        _check("refund", id)
        return self._wire.ask(lambda v1: v1.refunds.retrieve(id), facts.refund)

    # --- pages to pay at ------------------------------------------------------------------------

    def open_checkout(self, wish: CheckoutWish) -> Checkout:
        """A page of Stripe's where the customer pays. Safe to repeat within a day.

        Raises ValueError for lines that do not come to the amount.
        """
        _check_key(wish.key)
        marks = _marked(wish.metadata, wish.key)
        intent: dict[str, Any] = {"metadata": marks, "description": wish.title}
        if wish.hold:
            intent["capture_method"] = "manual"
        wanted = _page(wish, marks) | {
            "mode": "payment",
            "line_items": _line_items(wish),
            "payment_intent_data": intent,
        }
        if wish.ends_at is not None:
            wanted["expires_at"] = int(wish.ends_at.timestamp())
        return self._open(wanted, wish.key)

    def save_card(self, wish: CardWish) -> Checkout:
        """A page of Stripe's where the customer saves a card, for a charge that may come later."""
        _check_key(wish.key)
        marks = _marked(wish.metadata, wish.key)
        wanted = _page(wish, marks) | {
            "mode": "setup",
            "currency": wish.currency.lower(),
            "customer_creation": "always",
            "setup_intent_data": {"metadata": marks},
        }
        return self._open(wanted, wish.key)

    def _open(self, wanted: dict[str, Any], key: str) -> Checkout:
        return self._wire.change(
            lambda v1: v1.checkout.sessions.create(wanted, _once(key)), facts.checkout
        )

    def read_checkout(self, id: str) -> Checkout:
        """Whether it was paid. The only thing to trust: the way back to the shop proves nothing."""
        _check("checkout", id)
        return self._wire.ask(lambda v1: v1.checkout.sessions.retrieve(id), facts.checkout)

    def expire_checkout(self, id: str) -> Checkout:
        """Close the page, so that nobody pays there any more. Refused once somebody has."""
        _check("checkout", id)
        return self._wire.change(lambda v1: v1.checkout.sessions.expire(id), facts.checkout)

    # --- cards kept for later, money kept aside -------------------------------------------------

    def saved_card(self, setup: str) -> SavedCard | None:
        """The card behind a finished setup (`Checkout.setup`); None while there is none."""
        _check("setup", setup)
        more = {"expand": ["payment_method"]}
        return self._wire.ask(lambda v1: v1.setup_intents.retrieve(setup, more), facts.saved_card)

    def forget_card(self, card: str) -> None:
        """See that a saved card is never charged again. One that is forgotten already stays so."""
        _check("card", card)
        try:
            self._wire.change(lambda v1: v1.payment_methods.detach(card), facts.forgotten)
        except PaymentError as error:
            if error.kind not in (Kind.REFUSED, Kind.NOT_FOUND):
                raise

    def charge_saved(
        self,
        card: SavedCard,
        amount_minor: int,
        currency: str,
        key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> Payment:
        """Charge a saved card while its owner is away, once for ever under `key`.

        Looks first. Raises PaymentError (declined) when the bank says no; `needs_customer` tells
        that its owner must confirm at a checkout.
        """
        amount = to_stripe(amount_minor, currency)
        _check_key(key)
        made = self.find_payment(card.customer, key)
        if made is not None and made.state in PAID:
            return _the_same(made, amount_minor, currency)
        wanted = {
            "amount": amount,
            "currency": currency.lower(),
            "customer": card.customer,
            "payment_method": card.card,
            "off_session": True,
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
            "metadata": _marked(metadata, key),
            "expand": ["latest_charge"],
        }
        return self._wire.change(
            lambda v1: v1.payment_intents.create(wanted, _once(key)), facts.payment
        )

    def find_payment(self, customer: str, key: str) -> Payment | None:
        """The payment made of a customer's card under `key`; one that was paid comes first."""
        _check("customer", customer)
        wanted = {"customer": customer, "expand": ["data.latest_charge"]}
        known = self._wire.each("payment_intents", wanted, facts.payment)
        made = [each for each in known if each.metadata.get(facts.KEY) == key]
        return next((each for each in made if each.state in PAID), made[0] if made else None)

    def capture(self, payment: str, amount_minor: int, currency: str, key: str) -> Payment:
        """Take what is held, or part of it; the rest is let go."""
        _check("payment", payment)
        _check_key(key)
        amount = to_stripe(amount_minor, currency)
        wanted = {"amount_to_capture": amount, "expand": ["latest_charge"]}
        return self._wire.change(
            lambda v1: v1.payment_intents.capture(payment, wanted, _once(key)), facts.payment
        )

    def release(self, payment: str, key: str) -> Payment:
        """Let go of what is held, or give up a payment nobody made."""
        _check("payment", payment)
        _check_key(key)
        wanted = {"expand": ["latest_charge"]}
        return self._wire.change(
            lambda v1: v1.payment_intents.cancel(payment, wanted, _once(key)), facts.payment
        )


def _line_items(wish: CheckoutWish) -> list[dict[str, Any]]:
    lines = wish.lines or (CheckoutLine(wish.title, wish.amount_minor),)
    if sum(line.amount_minor * line.quantity for line in lines) != wish.amount_minor:
        raise ValueError("The lines to pay for do not come to the amount to pay.")
    return [
        {
            "price_data": {
                "currency": wish.currency.lower(),
                "unit_amount": to_stripe(line.amount_minor, wish.currency),
                "product_data": {"name": line.title},
            },
            "quantity": line.quantity,
        }
        for line in lines
    ]


def _page(wish: CheckoutWish | CardWish, marks: dict[str, str]) -> dict[str, Any]:
    """What every page of Stripe's is told."""
    page: dict[str, Any] = {
        "success_url": wish.success_url,
        "cancel_url": wish.cancel_url,
        "client_reference_id": wish.key,
        "locale": wish.locale,
        "metadata": marks,
    }
    return page | ({"customer_email": wish.email} if wish.email else {})


def _marked(metadata: Mapping[str, str] | None, key: str) -> dict[str, str]:
    return {**(metadata or {}), facts.KEY: key}


def _once(key: str) -> dict[str, str]:
    return {"idempotency_key": key}


def _check(noun: str, id: str) -> None:
    if not IDS[noun].fullmatch(id):
        sentence = f"This is not the reference of a Stripe {noun}; nothing was sent."
        raise PaymentError(Kind.NOT_FOUND, sentence, code="resource_missing")


def _check_key(key: str) -> None:
    if not re.fullmatch(r"[!-~]{1,200}", key):
        raise ValueError("An idempotency key has 1 to 200 visible ASCII characters.")


def _the_same(made: Made, amount_minor: int, currency: str) -> Made:
    """What was made before, if it is what is asked for now."""
    if (made.amount_minor, made.currency) != (amount_minor, currency):
        raise _refused("Another amount was moved under this key before.", "idempotency_error")
    return made


def _hidden(sentence: str) -> PaymentError:
    text = f"{sentence} It is looked for again; nothing more is sent meanwhile."
    return PaymentError(Kind.OUTCOME_UNKNOWN, text, code="hidden")


def _refused(sentence: str, code: str) -> PaymentError:
    return PaymentError(Kind.REFUSED, f"{sentence} Nothing was sent.", code=code)
