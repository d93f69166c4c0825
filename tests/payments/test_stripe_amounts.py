"""Our minor units and Stripe's numbers: back and forth without a cent lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.payments.contract import Kind, PaymentError
from portal.payments.stripe_amounts import Uncountable, from_stripe, to_stripe
from portal.sandbox.stripe_currencies import CURRENCIES
from tests.sandbox.stripe_shop import pay

UNITS = st.integers(1, 10**7)
IN_TENS = ["BHD", "JOD", "KWD", "OMR", "TND"]
CODES = st.sampled_from(sorted(code.upper() for code in CURRENCIES))


@given(units=UNITS, currency=CODES)
def test_what_can_be_sent_comes_back_the_same(units, currency):
    amount = units * grain(currency)
    assert from_stripe(to_stripe(amount, currency), currency) == amount


@given(units=UNITS, more=st.integers(1, 9), currency=st.just("MGA"))
def test_what_is_between_two_grains_is_refused(units, more, currency):
    with pytest.raises(PaymentError) as refused:
        to_stripe(units * grain(currency) + more, currency)
    assert refused.value.kind is Kind.REFUSED


def grain(currency: str) -> int:
    """The least step of our units that Stripe can move."""
    return 10 if currency in IN_TENS else 100 if currency == "MGA" else 1


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        (1234, "EUR", 1234),
        (500, "JPY", 500),
        (1230, "KWD", 1230),
        (500, "ISK", 50_000),
        (500, "UGX", 50_000),
        (50_000, "MGA", 500),
    ],
)
def test_each_currency_is_counted_as_stripe_counts_it(amount, currency, sent):
    assert to_stripe(amount, currency) == sent
    assert from_stripe(sent, currency) == amount


def test_what_is_too_fine_is_refused():
    with pytest.raises(PaymentError, match="as fine as this"):
        to_stripe(50_001, "MGA")
    with pytest.raises(Uncountable):
        from_stripe(512, "ISK")


@pytest.mark.parametrize(("currency", "amount"), [("ISK", 900), ("JPY", 900), ("KWD", 1230)])
def test_a_refund_in_any_currency_is_what_was_asked_for(shop, till, currency, amount):
    paid = pay(till, 200_000, currency.lower())
    made = shop.refund(paid.id, amount, currency, "a")
    assert (made.amount_minor, made.currency) == (amount, currency)
    assert shop.read_payment(paid.id).refunded_minor == amount
