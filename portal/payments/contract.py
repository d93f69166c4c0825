"""What a payment provider is to us: the facts it gives, and the few ways it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

DISPUTES_OVER: Final = ("won", "warning_closed", "prevented")  # the bank keeps nothing of these


class Kind(StrEnum):
    """What a failure means for who asked."""

    REFUSED = "refused"  # understood, and no; the same again will be refused again
    DECLINED = "declined"  # the customer's bank said no; another card or day may do
    ALREADY_REFUNDED = "already_refunded"  # nothing is left to send back
    NOT_FOUND = "not_found"  # the provider does not know this object
    BUSY = "busy"  # nothing was changed; ask again later
    OUTCOME_UNKNOWN = "outcome_unknown"  # it may have happened: look before asking again
    KEY_BROKEN = "key_broken"  # nothing can be done until the operator mends the key


class PaymentError(Exception):
    """A payment call that failed. The text is for staff and holds no key and no foreign body.

    `code` is the provider's own word, `retry_after` the seconds it asked us to wait. `is_over`
    marks an unknown outcome whose attempt has ended: no later one under that key changes anything.
    Whether it happened is for `rule_out` to say.
    """

    def __init__(
        self,
        kind: Kind,
        sentence: str,
        *,
        code: str = "",
        retry_after: float | None = None,
        is_over: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.code = code
        self.retry_after = retry_after
        self.is_over = is_over

    @property
    def needs_customer(self) -> bool:
        """Whether the bank wants the card's owner to be there: send them to a checkout."""
        return self.kind is Kind.DECLINED and self.code == "authentication_required"


class PaymentState(StrEnum):
    """Where a payment is. A word we do not know is UNKNOWN, never a guess."""

    OPEN = "open"  # nobody has paid yet
    PROCESSING = "processing"  # paid, and the money is on its way
    HELD = "held"  # kept aside at the customer's bank
    CAPTURED = "captured"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class RefundState(StrEnum):
    """Where a refund is. SUCCEEDED may still become FAILED, days later."""

    PENDING = "pending"
    NEEDS_ACTION = "needs_action"  # the customer has to say where the money goes
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class CheckoutState(StrEnum):
    """Whether the page to pay at is open."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as the provider has it. Amounts are minor units of `currency` (ISO, capitals).

    `refunded_minor` counts what is on its way as well, and nothing that was only held.
    """

    reference: str
    state: PaymentState
    currency: str
    amount_minor: int
    captured_minor: int = 0
    held_minor: int = 0
    refunded_minor: int = 0
    is_disputed: bool = False
    is_refundable: bool = False  # captured, not all of it sent back; Stripe may still say no
    hold_ends: datetime | None = None
    customer: str = ""
    card: str = ""  # the provider's id of the card used
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class RefundResult:
    """Money on its way back, or not. `key` is ours; "" for a refund somebody else made."""

    id: str
    payment: str
    amount_minor: int
    currency: str
    state: RefundState
    key: str = ""
    why: str = ""  # the provider's word for why it failed or waits
    made_at: datetime | None = None

    @property
    def is_alive(self) -> bool:
        """Whether money went, or may still go."""
        return self.state not in (RefundState.FAILED, RefundState.CANCELLED)


@dataclass(frozen=True, slots=True)
class CheckoutLine:
    """One line of what is paid for. `amount_minor` is the price of one piece."""

    title: str
    amount_minor: int
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class CheckoutWish:
    """A page to pay at. `success_url` may hold {CHECKOUT_SESSION_ID}.

    `lines` come to `amount_minor`; without any, the title is the one line. `hold` keeps the money
    aside to be captured later. `ends_at` is 30 minutes to 24 hours ahead.
    """

    key: str
    title: str
    amount_minor: int
    currency: str
    success_url: str
    cancel_url: str
    email: str = ""
    locale: str = "auto"
    hold: bool = False
    ends_at: datetime | None = None
    lines: tuple[CheckoutLine, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class CardWish:
    """A page to save a card at, for a charge that may follow later."""

    key: str
    currency: str
    success_url: str
    cancel_url: str
    email: str = ""
    locale: str = "auto"
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page to pay or to save a card at. Only `is_paid` says that money was taken."""

    id: str
    state: CheckoutState
    url: str  # "" once it is closed
    is_paid: bool
    currency: str
    amount_minor: int
    payment: str = ""
    setup: str = ""
    customer: str = ""
    key: str = ""
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card that may be charged while its owner is away."""

    customer: str
    card: str
    brand: str = ""
    last4: str = ""
    expires: str = ""  # 2031-04


@dataclass(frozen=True, slots=True)
class DisputeMove:
    """Money moved for a dispute: above zero it was taken from us. The fee likewise.

    `is_own_currency` tells whether both are in the payment's currency, as the fee need not be.
    """

    id: str
    taken_minor: int
    fee_minor: int = 0
    is_own_currency: bool = True


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A payment that its owner wants back through the bank, as the provider has it.

    `status` and `reason` are the provider's words. `key` is ours, of the evidence that was sent.
    """

    id: str
    payment: str
    status: str
    reason: str
    amount_minor: int
    currency: str
    is_refundable: bool
    opened_at: datetime
    due_at: datetime | None = None
    submissions: int = 0
    key: str = ""
    moves: tuple[DisputeMove, ...] = ()

    @property
    def may_pay_twice(self) -> bool:
        """Whether a refund could give what the bank gives, or gave, as well."""
        return self.status not in DISPUTES_OVER and not self.is_refundable


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """Something that happened at the provider. Re-read the object before money depends on it."""

    id: str
    kind: str
    about: str  # the id of the object
    payment: str  # the payment it belongs to, "" where the object names none
    created_at: datetime
    api_version: str
    is_live: bool
    object: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)
