"""Once a day: our ledger beside the provider's. What nobody knows is looked up, the rest is named.

Money is not moved here, and no row is changed but by the look-up of what is unknown. Disputes that
no event told of are taken in: their last day does not wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.bank import NAME, bank_of, read_refunds, wait
from portal.keys import Unsealable
from portal.logs import log
from portal.models import Shop
from portal.models.dispute_acts import take_in
from portal.models.due import Lease, finish, holds, plan, set_gauge
from portal.models.reconcile import (
    Difference,
    differences,
    our_side,
    recent_payments,
    unclear,
)
from portal.payments.contract import Kind, PaymentError
from portal.payments.stripe import Stripe

GAUGE: Final = "differences"  # with the shop's id: how many were found, and when


def plan_reconciling(now: datetime) -> None:
    """Plan every shop's comparison. Call it in `every_shop()` and `writing()`."""
    for shop_id in session.scalars(select(Shop.id)).all():
        plan("reconcile", f"shop:{shop_id}", shop_id, now)


def perform(lease: Lease) -> None:
    """Compare one shop's payments."""
    with inside(lease.shop_id):
        try:
            found = list(compare(lease.shop_id))
        except (PaymentError, ValueError, Unsealable) as error:
            log.warning("not reconciled", shop=lease.shop_id, kind=type(error).__name__)
            _later(lease)
            return
        for each in found:
            log.warning("ledgers differ", shop=lease.shop_id, difference=str(each))
        with writing():
            if holds(lease):
                note(lease.shop_id, len(found), clock.now())
                finish(lease)


def compare(shop_id: int) -> Iterator[Difference]:
    """Every difference of a shop's payments, which are read with no transaction open.

    Call it inside the shop. Raises PaymentError, ValueError, Unsealable where they cannot be read.
    """
    bank = bank_of(session.get_one(Shop, shop_id))
    payments = recent_payments(NAME, clock.now()) if bank is not None else []
    session.rollback()
    for payment in payments:
        yield from _compare(bank, payment) if bank is not None else ()


def _compare(bank: Stripe, payment: str) -> Iterator[Difference]:
    before = our_side(payment)
    session.rollback()
    try:
        there, refunds = read_refunds(bank, payment)
    except PaymentError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
        yield Difference(before.order, payment, "The provider does not know this payment.")
        return
    if there.is_disputed:
        _take_disputes(bank, payment)
    ours = our_side(payment)
    session.rollback()
    if ours == before:  # else it moved meanwhile: the next day looks again
        yield from differences(ours, there.captured_minor, refunds)


def _take_disputes(bank: Stripe, payment: str) -> None:
    looked_at = clock.now()
    for seen in list(bank.disputes.of_payment(payment)):
        with writing():
            take_in(replace(seen, payment=payment), looked_at, clock.now())


def note(shop_id: int, count: int, now: datetime) -> None:
    """Keep how many there are, and have looked up what nobody knows. Inside `writing()`."""
    set_gauge(f"{GAUGE}:{shop_id}", float(count), now)
    for queue, subject in unclear():
        plan(queue, subject, shop_id, now)


def _later(lease: Lease) -> None:
    now = clock.now()
    with writing():
        if holds(lease):
            finish(lease, again_at=now + max(wait(now, now), lease.until - now))
