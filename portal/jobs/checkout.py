"""Pages to pay at: opened for a cart or for cover, and believed only when they are looked at.

What was wanted is done once, with the payment that is found paid. What is paid and cannot be done
any more goes back whole.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.bank import NAME, bank_of, wait
from portal.jobs.queue import nudge
from portal.models import Checkout, Order, Shop
from portal.models.audit import record
from portal.models.cover import Choice, take_quote
from portal.models.due import Lease, finish, holds, plan
from portal.payments import contract
from portal.payments.contract import CheckoutLine, CheckoutState, CheckoutWish, Kind, PaymentError
from portal.payments.stripe import Stripe
from portal.sources.document import OrderDocument
from portal.sources.sentences import read_as

JOB: Final = "job"
FIRST_LOOK: Final = timedelta(minutes=2)  # a customer at the page; an event is there sooner
LOOKS: Final = timedelta(minutes=10)


def open_page(bank: Stripe, checkout_id: str, success_url: str, cancel_url: str) -> str:
    """Open the provider's page for a checkout, and give its URL; "" once it was paid or closed.

    Call it with no transaction open. Raises PaymentError.
    """
    row = session.get_one(Checkout, checkout_id)
    wish = CheckoutWish(
        key=row.id,
        title=row.items[0]["title"],
        amount_minor=row.amount_minor,
        currency=row.currency,
        success_url=success_url,
        cancel_url=cancel_url,
        email=row.email,
        lines=tuple(CheckoutLine(**each) for each in row.items),
        metadata={"checkout": row.id},
    )
    shop_id, page = row.shop_id, row.page
    session.rollback()
    opened = bank.read_checkout(page) if page else bank.open_checkout(wish)
    if not page:
        with writing():
            found = Checkout.locked(checkout_id)
            if found is not None:
                found.page = opened.id
                plan("checkout", checkout_id, shop_id, clock.now() + FIRST_LOOK)
    return opened.url


def perform(lease: Lease) -> None:
    """Look at one page; again until it is paid or closed."""
    with inside(lease.shop_id):
        row = session.get(Checkout, lease.subject)
        page = row.page if row is not None and row.status == "open" else ""
        bank = bank_of(session.get_one(Shop, lease.shop_id)) if page else None
        session.rollback()
        again_at = _looked(bank, lease.subject, page) if bank is not None else None
        with writing():
            if holds(lease):
                finish(lease, again_at=again_at)


def _looked(bank: Stripe, checkout_id: str, page: str) -> datetime | None:
    """When to look again; None once it is over."""
    now = clock.now()
    try:
        seen = bank.read_checkout(page)
        take(bank, checkout_id, seen)
    except PaymentError as error:
        gone = error.kind is Kind.NOT_FOUND
        return None if gone else now + wait(now - LOOKS, now, error.retry_after)
    is_over = seen.is_paid or seen.state is CheckoutState.EXPIRED
    return None if is_over else now + LOOKS


def take(bank: Stripe, checkout_id: str, seen: contract.Checkout) -> bool:
    """Take in what the provider's page says: do what was paid for, once, or send the money back.

    Call it inside the shop with no transaction open. False where there was nothing new.
    Raises PaymentError where sending it back has to be tried again.
    """
    if not seen.is_paid or not seen.payment:
        return _closed(checkout_id, seen)
    with writing():
        row = _locked(checkout_id)
        if row is None or row.status in ("paid", "sent_back"):
            return False
        fits = (row.amount_minor, row.currency) == (seen.amount_minor, seen.currency)
        if fits and _done(row, seen.payment, clock.now()):
            row.status, row.payment, row.done_at = "paid", seen.payment, clock.now()
            nudge("send")
            return True
    bank.refund(seen.payment, seen.amount_minor, seen.currency, f"{checkout_id}:back")
    with writing():
        row = _locked(checkout_id)
        if row is not None:
            row.status, row.payment, row.done_at = "sent_back", seen.payment, clock.now()
            after = {"amount_minor": seen.amount_minor, "payment": seen.payment}
            record(JOB, "checkout.sent_back", f"checkout:{row.id}", after=after)
    return True


def _closed(checkout_id: str, seen: contract.Checkout) -> bool:
    if seen.state is not CheckoutState.EXPIRED:
        return False
    with writing():
        row = _locked(checkout_id)
        if row is None or row.status != "open":
            return False
        row.status, row.done_at = "expired", clock.now()
    return True


def _locked(checkout_id: str) -> Checkout | None:
    """The row for this transaction alone, its order locked first, as everybody does."""
    order_id = session.scalar(select(Checkout.order_id).where(Checkout.id == checkout_id))
    if order_id is not None:
        Order.locked(order_id)
    return Checkout.locked(checkout_id)


def _done(row: Checkout, payment: str, now: datetime) -> bool:
    """Do what was paid for; False where that cannot be any more."""
    if row.kind == "cover":
        return _cover(row, payment, now)
    if Order.numbered(row.document["order"]["number"], lock=True) is not None:
        return False
    document = {
        **row.document["order"],
        "placed_at": row.created_at.isoformat(),
        "payment": {"provider": NAME, "reference": payment, "captured_minor": row.amount_minor},
    }
    order, _ = Order.upsert(read_as(OrderDocument, document), now, JOB)
    row.order_id = order.id
    return True


def _cover(row: Checkout, payment: str, now: datetime) -> bool:
    order = Order.locked(row.order_id) if row.order_id else None
    if order is None:
        return False
    choice = Choice("page", "customer", row.created_at, payment)
    cover = take_quote(order, row.document["quote"], choice, now)
    order.touch(now)
    return cover.status == "active" and cover.payment == payment
