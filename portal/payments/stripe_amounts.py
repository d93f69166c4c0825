"""Our minor units and the numbers Stripe counts in: mostly the same, and not always.

Stripe's own list (its page on currencies): MGA has no decimals there, ISK and UGX are counted with
two that are always zero, and the last of three decimals must be zero: who plans a refund asks
`finest`, so that what is sent is an amount that Stripe can move.
"""

from __future__ import annotations

from typing import Final

from portal.payments.contract import Kind, PaymentError
from returns.money import exponent

DECIMALS: Final = {"MGA": 0, "ISK": 2, "UGX": 2}
LARGEST: Final = 99_999_999_999


class Uncountable(ValueError):
    """A number of Stripe's that is no amount in our units."""


def finest(currency: str) -> int:
    """The smallest amount that Stripe moves, in minor units: 10 for three decimals, else 1."""
    return 10 if exponent(currency) == 3 else 1


def to_stripe(amount_minor: int, currency: str) -> int:
    """The number to send. Raises PaymentError (refused) for one that cannot be sent."""
    if isinstance(amount_minor, bool) or not isinstance(amount_minor, int):
        raise _refused("The amount is not a whole number of minor units.")
    if not 0 < amount_minor <= LARGEST:
        raise _refused("The amount is not above zero, or too large for Stripe.")
    try:
        ours = exponent(currency)
    except ValueError as error:
        raise _refused(str(error)) from None
    whole, rest = _shift(amount_minor, DECIMALS.get(currency, ours) - ours)
    if rest:
        raise _refused(f"Stripe cannot move an amount as fine as this in {currency}.")
    return whole


def from_stripe(number: int, currency: str) -> int:
    """Our minor units. Raises Uncountable where Stripe's number is none of ours."""
    ours = exponent(currency)
    whole, rest = _shift(number, ours - DECIMALS.get(currency, ours))
    if rest:
        raise Uncountable(f"{number} is no amount in {currency}")
    return whole


def _shift(number: int, places: int) -> tuple[int, int]:
    return (number * 10**places, 0) if places >= 0 else divmod(number, 10**-places)


def _refused(sentence: str) -> PaymentError:
    return PaymentError(Kind.REFUSED, f"{sentence} Nothing was sent.", code="amount")
