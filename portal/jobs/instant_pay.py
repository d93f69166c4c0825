"""Paying what a saved card could not be charged for: the page, and what is seen at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from portal import clock
from portal.db import session, writing
from portal.jobs.topup import close_page
from portal.models import Instant
from portal.models.instant_pay import Owed, owed, paid_at_page, pay_page_opened, sent_back
from portal.payments.contract import Checkout, CheckoutState, CheckoutWish
from portal.payments.stripe import Stripe

LOOKS: Final = timedelta(minutes=10)


def open_pay_page(bank: Stripe, due: Owed, success_url: str, cancel_url: str) -> str:
    """The URL of the page to pay at, the open one or a new one; "" where it was paid already.

    Call it with no transaction open. Raises PaymentError.
    """
    if due.page:
        last = bank.read_checkout(due.page)
        if last.state is not CheckoutState.EXPIRED and last.amount_minor == due.amount_minor:
            return last.url
        closed = close_page(bank, due.page)
        if closed and closed.is_paid:
            take(bank, due.id, closed)
            return ""
    wish = CheckoutWish(
        key=due.key,
        title=due.title,
        amount_minor=due.amount_minor,
        currency=due.currency,
        success_url=success_url,
        cancel_url=cancel_url,
        email=due.email,
        metadata={"instant": due.id},
    )
    opened = bank.open_checkout(wish)
    with writing():
        pay_page_opened(due.id, opened.id, clock.now() + LOOKS)
    return opened.url


def follow(bank: Stripe, instant_id: str) -> datetime | None:
    """Forget the card, and look at the page to pay at, or close it where nothing is due any more.

    When to look again; None once that is over. Raises PaymentError.
    """
    row = session.get_one(Instant, instant_id)
    card, page, status = row.card, row.page, row.status
    due = owed(instant_id)
    session.rollback()
    if card:
        bank.forget_card(card)
    if due is None:
        closed = close_page(bank, page) if status == "released" else None
        return take(bank, instant_id, closed) if closed and closed.payment else None
    return take(bank, instant_id, bank.read_checkout(page)) if page else None


def take(bank: Stripe, instant_id: str, seen: Checkout) -> datetime | None:
    """Take in a payment once, or send it back where it is not due. When to look again.

    Call it with no transaction open. Raises PaymentError.
    """
    now = clock.now()
    if not seen.is_paid or not seen.payment:
        return None if seen.state is CheckoutState.EXPIRED else now + LOOKS
    with writing():
        is_ours = paid_at_page(instant_id, seen.payment, seen.amount_minor, now)
    key = f"{instant_id}:back:{seen.id[-40:]}"
    if is_ours or bank.find_refund(seen.payment, key) is not None:
        return None
    bank.refund(seen.payment, seen.amount_minor, seen.currency, key)
    with writing():
        sent_back(instant_id, seen.payment, seen.amount_minor)
    return None
