"""Stripe's objects as our facts. Whatever is not as it should be is Misread, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from portal.payments.contract import (
    Checkout,
    CheckoutState,
    Payment,
    PaymentState,
    RefundResult,
    RefundState,
    SavedCard,
)
from portal.payments.stripe_amounts import from_stripe

KEY: Final = "porchlight_key"  # in the metadata of everything we make
Object = Mapping[str, Any]

PAYMENTS: Final = {
    "requires_payment_method": PaymentState.OPEN,
    "requires_confirmation": PaymentState.OPEN,
    "requires_action": PaymentState.OPEN,
    "processing": PaymentState.PROCESSING,
    "requires_capture": PaymentState.HELD,
    "succeeded": PaymentState.CAPTURED,
    "canceled": PaymentState.CANCELLED,
}
REFUNDS: Final = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.NEEDS_ACTION,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.CANCELLED,
}
CHECKOUTS: Final = {
    "open": CheckoutState.OPEN,
    "complete": CheckoutState.COMPLETE,
    "expired": CheckoutState.EXPIRED,
}


class Misread(ValueError):
    """An answer that is not what Stripe says it sends."""


def payment(found: Object) -> Payment:
    """A payment intent with its latest charge, or a charge that has no intent."""
    if found.get("object") == "charge":
        return _of_charge(found)
    is_a(found, "payment_intent")
    charge = found.get("latest_charge")
    if charge is not None and not isinstance(charge, dict):
        raise Misread("the charge was not sent along")
    currency = _currency(found)
    captured = _amount(found, "amount_received", currency)
    refunded = _refunded(charge, currency) if charge else 0
    return Payment(
        reference=text(found, "id"),
        state=PAYMENTS.get(text(found, "status"), PaymentState.UNKNOWN),
        currency=currency,
        amount_minor=_amount(found, "amount", currency),
        captured_minor=captured,
        held_minor=_amount(found, "amount_capturable", currency),
        refunded_minor=refunded,
        is_disputed=_flag(charge, "disputed") if charge else False,
        is_refundable=captured > refunded,
        hold_ends=_hold_ends(found, charge),
        customer=id_of(found, "customer"),
        card=id_of(found, "payment_method"),
        metadata=_metadata(found),
    )


def _of_charge(found: Object) -> Payment:
    currency = _currency(found)
    captured = _amount(found, "amount_captured", currency)
    refunded = _refunded(found, currency)
    taken = _flag(found, "captured") and text(found, "status") == "succeeded"
    return Payment(
        reference=text(found, "id"),
        state=PaymentState.CAPTURED if taken else PaymentState.UNKNOWN,
        currency=currency,
        amount_minor=_amount(found, "amount", currency),
        captured_minor=captured,
        refunded_minor=refunded,
        is_disputed=_flag(found, "disputed"),
        is_refundable=captured > refunded,
        customer=id_of(found, "customer"),
        card=id_of(found, "payment_method"),
        metadata=_metadata(found),
    )


def _refunded(charge: Object, currency: str) -> int:
    """What went back of what was taken.

    Stripe counts money that was held and never taken as refunded, too: that is no refund.
    """
    is_a(charge, "charge")
    let_go = _amount(charge, "amount", currency) - _amount(charge, "amount_captured", currency)
    return max(0, _amount(charge, "amount_refunded", currency) - let_go)


def _hold_ends(found: Object, charge: Object | None) -> datetime | None:
    if not charge or found.get("status") != "requires_capture":
        return None
    details = charge.get("payment_method_details") or {}
    ends = (details.get("card") or {}).get("capture_before")
    return moment(ends) if ends is not None else None


def refund(found: Object) -> RefundResult:
    """A refund; its payment is the intent, else the charge."""
    is_a(found, "refund")
    currency = _currency(found)
    metadata = _metadata(found)
    return RefundResult(
        id=text(found, "id"),
        payment=id_of(found, "payment_intent") or id_of(found, "charge"),
        amount_minor=_amount(found, "amount", currency),
        currency=currency,
        state=REFUNDS.get(text(found, "status"), RefundState.UNKNOWN),
        key=metadata.get(KEY, ""),
        why=str(found.get("failure_reason") or found.get("pending_reason") or "")[:60],
        made_at=moment(found["created"]) if found.get("created") is not None else None,
    )


def checkout(found: Object) -> Checkout:
    """A checkout session, paid only where Stripe says so of a payment."""
    is_a(found, "checkout.session")
    currency = _currency(found)
    pays = found.get("mode") == "payment"
    return Checkout(
        id=text(found, "id"),
        state=CHECKOUTS.get(text(found, "status"), CheckoutState.UNKNOWN),
        url=id_of(found, "url"),
        is_paid=pays and text(found, "payment_status") == "paid",
        currency=currency,
        amount_minor=_amount(found, "amount_total", currency) if pays else 0,
        payment=id_of(found, "payment_intent"),
        setup=id_of(found, "setup_intent"),
        customer=id_of(found, "customer"),
        key=_metadata(found).get(KEY, ""),
        ends_at=moment(found.get("expires_at")),
    )


def saved_card(found: Object) -> SavedCard | None:
    """The card of a setup that came with its payment method; None until it is saved."""
    is_a(found, "setup_intent")
    method = found.get("payment_method")
    if text(found, "status") != "succeeded" or not isinstance(method, dict):
        return None
    card = method.get("card") or {}
    customer = id_of(method, "customer")
    if not customer:
        raise Misread("the card belongs to no customer")
    return SavedCard(
        customer=customer,
        card=text(method, "id"),
        brand=str(card.get("brand") or "")[:20],
        last4=str(card.get("last4") or "")[:4],
        expires=f"{_number(card, 'exp_year'):04d}-{_number(card, 'exp_month'):02d}",
    )


def forgotten(found: Object) -> None:
    """A payment method that belongs to nobody any more."""
    is_a(found, "payment_method")
    if id_of(found, "customer"):
        raise Misread("the card still belongs to a customer")


def rows(found: Object) -> list[dict[str, Any]]:
    """The objects of a list."""
    is_a(found, "list")
    listed = found.get("data")
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise Misread("a list without rows")
    return listed


def is_a(found: Object, kind: str) -> None:
    """Raises Misread for an object of another kind."""
    if found.get("object") != kind:
        raise Misread(f"not a {kind}")


def text(found: Object, name: str) -> str:
    """A word that has to be there. Raises Misread."""
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise Misread(f"no {name}")
    return value


def id_of(found: Object, name: str) -> str:
    """An id, also where the object itself was sent; "" for none."""
    value = found.get(name)
    if isinstance(value, dict):
        return text(value, "id")
    if value is None:
        return ""
    return text(found, name)


def _number(found: Object, name: str) -> int:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misread(f"{name} is no whole number")
    return value


def _amount(found: Object, name: str, currency: str) -> int:
    number = _number(found, name)
    if number < 0:
        raise Misread(f"{name} is negative")
    return from_stripe(number, currency)


def _currency(found: Object) -> str:
    return text(found, "currency").upper()


def _flag(found: Object, name: str) -> bool:
    value = found.get(name)
    if not isinstance(value, bool):
        raise Misread(f"{name} is not yes or no")
    return value


def _metadata(found: Object) -> dict[str, str]:
    value = found.get("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise Misread("metadata are not words")
    return value


def moment(stamp: Any) -> datetime:
    """A stamp of Stripe's. Raises Misread."""
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise Misread("no time")
    return datetime.fromtimestamp(stamp, UTC)
