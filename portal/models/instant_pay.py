"""What a card could not be charged for: paid by the customer at a page, or let go by staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.db import session
from portal.keys import digest
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.due import plan
from portal.models.exchange import Exchange
from portal.models.instant import JOB, Instant, booked, owed_minor
from portal.models.order import Order
from portal.models.rma import Return


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to be paid at a page. `key` is the idempotency key of the next one."""

    id: str
    amount_minor: int
    currency: str
    title: str
    email: str
    page: str
    key: str


def owed(instant_id: str) -> Owed | None:
    """What is to be paid in place of a charge that was declined; None where nothing is."""
    row = session.get(Instant, instant_id)
    rma = session.get(Return, row.rma_id) if row is not None else None
    if row is None or rma is None or row.status != "declined":
        return None
    exchange, order = (
        session.get_one(Exchange, row.exchange_id),
        session.get_one(Order, rma.order_id),
    )
    amount = owed_minor(row, rma)
    # Another page only after the last one has closed: two clicks lead to the same.
    told = digest(f"{row.page} {amount} {order.email}")[:16]
    title = exchange.title or exchange.sku
    key = f"{row.id}:pay:{told}"
    return Owed(row.id, amount, row.currency, title, order.email, row.page, key)


def pay_page_opened(instant_id: str, page: str, look_at: datetime) -> bool:
    """Keep the page the customer is sent to, and look at it later. False: nothing is due now."""
    found = Instant.locked(instant_id)
    if found is None or found[0].status != "declined":
        return False
    found[0].page = page
    plan("instant", instant_id, found[1].shop_id, look_at)
    return True


def paid_at_page(instant_id: str, payment: str, amount_minor: int, now: datetime) -> bool:
    """It was paid: book it once. False where this was not due any more: it is to be sent back."""
    found = Instant.locked(instant_id)
    if found is None:
        return False
    row, rma = found
    if row.payment == payment:
        return True
    if row.status != "declined" or amount_minor != owed_minor(row, rma):
        return False
    booked(row, rma, payment, now)
    return True


def sent_back(instant_id: str, payment: str, amount_minor: int) -> None:
    """A payment came when nothing was due any more, and went back whole."""
    rma_id = session.scalar(select(Instant.rma_id).where(Instant.id == instant_id))
    after = {"payment": payment, "amount_minor": amount_minor}
    record(JOB, "instant.payment_returned", f"return:{rma_id}", after=after)


def let_go(instant_id: str, by: str, now: datetime, why: str) -> None:
    """Staff were paid in another way, or ask for nothing any more. Raises Conflict."""
    found = Instant.locked(instant_id)
    if found is None or found[0].status != "declined":
        raise Conflict("Only what a card could not be charged for can be let go.")
    row, rma = found
    row.status, row.problem = "released", ""
    record(by, "instant.let_go", f"return:{rma.id}", why=why)
    plan("instant", row.id, rma.shop_id, now)
    rma.touch(now)
