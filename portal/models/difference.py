"""What is due for an exchange that costs more: its page to pay at, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from portal.db import session
from portal.keys import digest
from portal.models import payout
from portal.models.audit import record
from portal.models.due import plan
from portal.models.exchange import Exchange
from portal.models.order import Order
from portal.models.settlement import Settlement

LOOKED_AT = "cs_"  # what a page to pay at begins with: a payment's own reference does not


@dataclass(frozen=True, slots=True)
class Difference:
    """What a customer is to pay before the other article is sent.

    `key` is the idempotency key of the next page to pay at, `page` the id of the last one.
    """

    id: str
    amount_minor: int
    currency: str
    title: str
    key: str
    page: str
    email: str


def due_of(rma_id: str) -> Difference | None:
    """What is due for a return's exchange, the oldest first; None where nothing is."""
    return _due(Settlement.subject == rma_id)


def due_of_exchange(exchange_id: str) -> Difference | None:
    """What is due for this exchange; None where nothing is."""
    return _due(Settlement.exchange_id == exchange_id)


def _due(of: ColumnElement[bool]) -> Difference | None:
    wanted = (
        select(Settlement.id)
        .where(
            of,
            Settlement.kind == "top_up",
            Settlement.status == "wanted",
            Settlement.replaced.is_(False),
        )
        .order_by(Settlement.created_at, Settlement.id)
    )
    found = session.scalar(wanted.limit(1))
    return difference(found) if found else None


def difference(settlement_id: str) -> Difference | None:
    """The difference that this settlement asks for, whatever its status."""
    row = session.get(Settlement, settlement_id)
    if row is None or row.kind != "top_up":
        return None
    exchange = session.get(Exchange, row.exchange_id) if row.exchange_id else None
    order = session.get_one(Order, row.order_id)
    page = row.reference if row.reference.startswith(LOOKED_AT) else ""
    return Difference(
        id=row.id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        title=(exchange.title or exchange.sku) if exchange is not None else order.number,
        # Another page only after the last one has closed: two clicks lead to the same.
        key=f"{row.key}:{digest(f'{page} {order.email}')[:16]}",
        page=page,
        email=order.email,
    )


def page_opened(settlement_id: str, page: str, look_at: datetime) -> bool:
    """Keep the page the customer is sent to, and look at it later. False: nothing is due now."""
    row = payout.locked(settlement_id)
    if row is None or row.status != "wanted" or row.replaced:
        return False
    row.reference = page
    plan("settle", row.id, row.shop_id, look_at)
    return True


def is_payable(settlement_id: str) -> bool:
    """Whether the other article is still kept for this payment. Call it on a locked row."""
    row = session.get(Settlement, settlement_id)
    if row is None or row.status != "wanted" or row.replaced or row.exchange_id is None:
        return False
    exchange = session.get(Exchange, row.exchange_id)
    return exchange is not None and exchange.status == "reserved"


def is_paid_with(settlement_id: str, payment: str) -> bool:
    """Whether this very payment was taken in before."""
    row = session.get(Settlement, settlement_id)
    return row is not None and row.status == "done" and row.reference == payment


def sent_back(settlement_id: str, payment: str, amount_minor: int) -> None:
    """A payment came when nothing was due any more, and went back whole."""
    row = session.get_one(Settlement, settlement_id)
    after = {"payment": payment, "amount_minor": amount_minor}
    record(payout.JOB, "exchange.payment_returned", f"return:{row.subject}", after=after)
