"""Stripe's test cards: how each behaves when it is charged, saved or refunded."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fate:
    """What becomes of a refund: its first status, and after `after` seconds its last."""

    first: str = "succeeded"
    then: str | None = None
    after: float = 30
    reason: str | None = None  # why it failed


@dataclass(frozen=True)
class Card:
    """A card by its behaviour. `declined` is (code, decline code).

    `asks`: when the bank wants its owner to be there: never, always, or unless it was `set_up`.
    """

    last4: str = "4242"
    brand: str = "visa"
    declined: tuple[str, str] | None = None
    saves: bool = True  # False: refused already when it is saved
    asks: str = "never"
    dispute: str | None = None  # the reason its owner will give
    inquiry: bool = False
    fate: Fate = Fate()


DECLINES: Final = {
    "Declined": ("card_declined", "generic_decline", "0002"),
    "DeclinedInsufficientFunds": ("card_declined", "insufficient_funds", "9995"),
    "DeclinedLostCard": ("card_declined", "lost_card", "9987"),
    "DeclinedStolenCard": ("card_declined", "stolen_card", "9979"),
    "DeclinedExpiredCard": ("expired_card", "", "0069"),
    "DeclinedIncorrectCvc": ("incorrect_cvc", "", "0127"),
    "DeclinedProcessingError": ("processing_error", "", "0119"),
}
CARDS: Final[dict[str, Card]] = {
    "pm_card_visa": Card(),
    "pm_card_mastercard": Card("4444", "mastercard"),
    "pm_card_amex": Card("8431", "amex"),
    **{
        f"pm_card_charge{name}": Card(last4, declined=(code, decline), saves=False)
        for name, (code, decline, last4) in DECLINES.items()
    },
    "pm_card_visa_chargeDeclined": Card("0002", declined=("card_declined", "generic_decline")),
    "pm_card_chargeCustomerFail": Card("0341", declined=("card_declined", "generic_decline")),
    "pm_card_authenticationRequired": Card("3184", asks="always"),
    "pm_card_authenticationRequiredOnSetup": Card("3155", asks="unless_set_up"),
    "pm_card_createDispute": Card("0259", dispute="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Card("2685", dispute="product_not_received"),
    "pm_card_createDisputeInquiry": Card("1976", dispute="fraudulent", inquiry=True),
    "pm_card_pendingRefund": Card("7726", fate=Fate("pending", "succeeded")),
    "pm_card_refundFail": Card("5126", fate=Fate("succeeded", "failed", reason="unknown")),
}
TOKENS: Final = {name.replace("pm_card_", "tok_"): name for name in CARDS}
SENTENCES: Final = {
    "card_declined": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": (
        "Your card was declined. This transaction requires authentication."
    ),
}
