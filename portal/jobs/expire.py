"""What ends by itself: approvals that nobody used, after a word, and reservations at their end."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final

from portal import clock
from portal.db import inside, session, writing
from portal.jobs import topup
from portal.jobs.bank import bank_of, wait
from portal.jobs.queue import nudge
from portal.models import Exchange, Return, Shop
from portal.models.change import Conflict
from portal.models.difference import due_of_exchange
from portal.models.due import Lease, finish, holds
from portal.models.rma_acts import expire
from portal.models.rma_news import remind
from portal.models.rma_rows import Act
from portal.models.rma_settle import lapse, resolve
from portal.payments.contract import PaymentError

JOB: Final = "job"


def perform(lease: Lease) -> None:
    """End one approval or one reservation, if its time has come; remind of one that ends soon."""
    with inside(lease.shop_id):
        if lease.subject.startswith("exc_"):
            _end_exchange(lease)
        else:
            _end_return(lease)
    for queue in ("label", "settle", "send"):
        nudge(queue)


def _end_return(lease: Lease) -> None:
    with writing():
        now = clock.now()
        rma = Return.locked(lease.subject)
        if not holds(lease):
            return
        again_at = None
        if rma is not None and not expire(rma, now):
            again_at = remind(rma, now)
        finish(lease, again_at=again_at)


def _end_exchange(lease: Lease) -> None:
    """Close the page to pay at first: what was paid there meanwhile is an order, not an end."""
    now = clock.now()
    exchange = session.get(Exchange, lease.subject)
    due = due_of_exchange(lease.subject)
    is_due = exchange is not None and _is_over(exchange, now)
    bank = bank_of(session.get_one(Shop, lease.shop_id)) if is_due and due else None
    session.rollback()
    if bank is not None and due is not None:
        try:
            page = topup.close_page(bank, due.page)
            if page is not None:
                topup.take(bank, due.id, page)
        except PaymentError as error:
            _later(lease, now + wait(now, now, error.retry_after))
            return
    with writing():
        found = session.get(Exchange, lease.subject)
        rma = Return.locked(found.rma_id) if found is not None else None
        if not holds(lease):
            return
        again_at = None
        if found is not None and rma is not None:
            session.refresh(found)
            if lapse(rma, found.id, Act(JOB, now)):
                _pay_instead(rma, f"{found.sku} was kept for so long only.", now)
            elif found.status == "reserved":
                again_at = found.expires_at
        finish(lease, again_at=again_at)


def _is_over(exchange: Exchange, now: datetime) -> bool:
    ends = exchange.expires_at
    return exchange.status == "reserved" and ends is not None and ends <= now


def _pay_instead(rma: Return, why: str, now: datetime) -> None:
    """Pay at once where everything had come back and only the payment was awaited."""
    if rma.status == "checked":
        with suppress(Conflict):  # nothing of it can be paid for: staff see it in their queue
            resolve(rma, None, Act(JOB, now, why))


def _later(lease: Lease, at: datetime) -> None:
    with writing():
        if holds(lease):
            finish(lease, again_at=at)
