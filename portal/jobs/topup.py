"""What is due for an exchange: open the page to pay at, and believe nothing but a look at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from portal import clock
from portal.db import session, writing
from portal.jobs.bank import wait
from portal.models import payout
from portal.models.difference import (
    Difference,
    difference,
    is_paid_with,
    is_payable,
    page_opened,
    sent_back,
)
from portal.models.due import Lease, finish, holds
from portal.payments.contract import (
    Checkout,
    CheckoutState,
    CheckoutWish,
    Kind,
    PaymentError,
)
from portal.payments.stripe import Stripe

FIRST_LOOK: Final = timedelta(minutes=2)  # a customer at the page; an event is there sooner
LOOKS: Final = timedelta(minutes=10)


def open_page(bank: Stripe, due: Difference, success_url: str, cancel_url: str) -> Checkout:
    """The page where a difference is paid: the one that is open, or a new one.

    Its `state` says complete where it was paid already: then nothing is to be paid any more.
    Call it with no transaction open. Raises PaymentError.
    """
    if due.page:
        last = bank.read_checkout(due.page)
        if last.state is not CheckoutState.EXPIRED:
            return last
    opened = bank.open_checkout(
        CheckoutWish(
            key=due.key,
            title=due.title,
            amount_minor=due.amount_minor,
            currency=due.currency,
            success_url=success_url,
            cancel_url=cancel_url,
            email=due.email,
            metadata={"settlement": due.id},
        )
    )
    with writing():
        page_opened(due.id, opened.id, clock.now() + FIRST_LOOK)
    return opened


def look(lease: Lease, bank: Stripe | None) -> None:
    """Whether the page was paid at meanwhile; again until it is closed."""
    due = difference(lease.subject)
    session.rollback()
    now = clock.now()
    if due is None or not due.page or bank is None:
        _finish(lease, None)
        return
    try:
        checkout = bank.read_checkout(due.page)
        take(bank, due.id, checkout)
    except PaymentError as error:
        gone = error.kind is Kind.NOT_FOUND
        _finish(lease, None if gone else now + wait(now - LOOKS, now, error.retry_after))
        return
    # Paid by a debit that clears days later it is complete, and not yet paid.
    is_over = checkout.is_paid or checkout.state is CheckoutState.EXPIRED
    _finish(lease, None if is_over else now + LOOKS)


def take(bank: Stripe, settlement_id: str, checkout: Checkout) -> bool:
    """Take in a payment: place the order it was due for, once, or send it back.

    Call it inside the shop with no transaction open. False where nothing was paid, or all of it
    was known. Raises PaymentError where sending it back has to be tried again.
    """
    if not checkout.is_paid or not checkout.payment:
        return False
    with writing():
        row = payout.locked(settlement_id)
        if row is None or is_paid_with(settlement_id, checkout.payment):
            return False
        wanted = (row.amount_minor, row.currency) == (checkout.amount_minor, checkout.currency)
        if wanted and is_payable(settlement_id):
            return payout.top_up_paid(settlement_id, checkout.payment, clock.now())
    key = f"{settlement_id}:back:{checkout.id[-40:]}"
    is_new = bank.find_refund(checkout.payment, key) is None
    bank.refund(checkout.payment, checkout.amount_minor, checkout.currency, key)
    if is_new:
        with writing():
            sent_back(settlement_id, checkout.payment, checkout.amount_minor)
    return is_new


def close_page(bank: Stripe, page: str) -> Checkout | None:
    """See that nobody pays any more for what is let go; the page as it stands then."""
    if not page:
        return None
    try:
        return bank.expire_checkout(page)
    except PaymentError as error:
        if error.kind is Kind.NOT_FOUND:
            return None
        if error.kind is not Kind.REFUSED:
            raise
    return bank.read_checkout(page)


def _finish(lease: Lease, again_at: datetime | None) -> None:
    with writing():
        if holds(lease):
            finish(lease, again_at=again_at)
