"""What an order's money did: sums and entries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from portal.api.endpoint import Call, endpoint
from portal.api.orders import ORDER_ID
from portal.api.refusal import not_found
from portal.api.replies import Reply
from portal.db import session
from portal.models import Order
from portal.models.ledger import entries_of, sums_of


class LedgerQuery(BaseModel):
    """Which order's ledger."""

    model_config = ConfigDict(extra="forbid")

    order: Annotated[str, Field(max_length=40, description="The order's id.")]


class LedgerSums(Reply):
    """captured = refunded + pending + retained; `refundable` is what may still be given back."""

    captured_minor: int
    refunded_minor: int
    pending_minor: int
    retained_minor: int
    refundable_minor: int
    credited_minor: int
    exchanged_minor: int
    payout_minor: int
    fee_minor: int
    label_minor: int
    bonus_minor: int
    premium_minor: int
    earned_minor: int = Field(description="Of the premium: the journey it was paid for has ended.")
    recovered_minor: int = Field(description="Paid by a carrier or an insurer for a claim.")
    disputed_minor: int = Field(description="Taken back by the customer's bank in a dispute.")
    dispute_fee_minor: int = Field(description="What disputes cost the shop.")


class LedgerEntryReply(Reply):
    """One movement; what was taken back stands with the opposite sign."""

    id: int
    at: datetime
    kind: str
    amount_minor: int
    currency: str
    reference: str
    subject: str


class LedgerReply(Reply):
    """An order's ledger, oldest entry first."""

    order: str
    currency: str
    sums: LedgerSums
    entries: list[LedgerEntryReply]


@endpoint("GET", "/ledger", scope="ledger", query=LedgerQuery, replies={200: LedgerReply})
def read_ledger(call: Call) -> tuple[int, LedgerReply]:
    """Read an order's ledger: its sums and its entries."""
    order_id = call.query.order
    order = session.get(Order, order_id) if ORDER_ID.fullmatch(order_id) else None
    if order is None:
        raise not_found()
    sums = sums_of([order.id])[order.id]
    return 200, LedgerReply(
        order=order.id,
        currency=order.currency,
        sums=LedgerSums(**{name: getattr(sums, name) for name in LedgerSums.model_fields}),
        entries=[
            LedgerEntryReply(**{name: getattr(e, name) for name in LedgerEntryReply.model_fields})
            for e in entries_of(order.id)
        ],
    )
