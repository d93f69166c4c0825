"""Instant exchanges: the card that is saved, and the one charge if nothing comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from portal import clock
from portal.db import inside, session, writing
from portal.jobs import instant_pay
from portal.jobs.bank import bank_of, wait
from portal.jobs.queue import nudge
from portal.models import Instant, Shop
from portal.models.due import Lease, finish, holds
from portal.models.instant import (
    card_saved,
    charged,
    declined,
    lapse_card,
    next_step,
    page_opened,
)
from portal.payments.contract import (
    CardWish,
    CheckoutState,
    Kind,
    PaymentError,
    PaymentState,
    SavedCard,
)
from portal.payments.stripe import Stripe

FIRST_LOOK: Final = timedelta(minutes=2)  # a customer at the page; an event is there sooner
LOOKS: Final = timedelta(minutes=10)
DEBTS: Final = (Kind.REFUSED, Kind.DECLINED, Kind.NOT_FOUND)  # known not to have been charged


def open_page(bank: Stripe, instant_id: str, email: str, success_url: str, cancel_url: str) -> str:
    """The URL of the page where the card is saved; "" once it is saved or closed.

    Call it with no transaction open. Raises PaymentError.
    """
    row = session.get_one(Instant, instant_id)
    page, key, currency = row.page, f"{row.id}:card:{row.round}", row.currency
    session.rollback()
    if page:
        return bank.read_checkout(page).url
    wish = CardWish(key, currency, success_url, cancel_url, email, metadata={"instant": instant_id})
    opened = bank.save_card(wish)
    with writing():
        page_opened(instant_id, opened.id, clock.now() + FIRST_LOOK)
    return opened.url


def perform(lease: Lease) -> None:
    """Take the next step of one agreement."""
    with inside(lease.shop_id):
        row = session.get(Instant, lease.subject)
        bank = bank_of(session.get_one(Shop, lease.shop_id))
        session.rollback()
        again_at = None
        if row is not None and bank is not None:
            again_at = _step(bank, lease.subject)
        elif row is not None:
            again_at = clock.now() + timedelta(hours=1)
        with writing():
            if holds(lease):
                finish(lease, again_at=again_at)
    nudge("settle")


def _step(bank: Stripe, instant_id: str) -> datetime | None:
    """When to look again; None once there is nothing more to do."""
    now = clock.now()
    row = session.get_one(Instant, instant_id)
    status, page = row.status, row.page
    session.rollback()
    try:
        if status == "wanted":
            return look(bank, instant_id, page)
        if status in ("declined", "released"):
            return instant_pay.follow(bank, instant_id)
        if status == "saved":
            with writing():
                found = Instant.locked(instant_id)
                again_at = next_step(*found, now) if found is not None else None
            if again_at is not None:
                return again_at
            if found is not None and found[0].status == "released":
                return now
        return _charge(bank, instant_id)
    except PaymentError as error:
        return now + wait(now - LOOKS, now, error.retry_after)


def look(bank: Stripe, instant_id: str, page: str) -> datetime | None:
    """Whether a card was saved: then the other article is sent. When to look again.

    Call it with no transaction open. Raises PaymentError.
    """
    if not page.startswith("cs_"):
        return None
    now = clock.now()
    seen = bank.read_checkout(page)
    if seen.payment:
        return instant_pay.take(bank, instant_id, seen)
    card = bank.saved_card(seen.setup) if seen.setup else None
    if card is not None and seen.state is CheckoutState.COMPLETE:
        with writing():
            is_sent = card_saved(instant_id, (card.customer, card.card, card.last4), now)
        if not is_sent and _status(instant_id) == "lapsed":
            bank.forget_card(card.card)
            return None
        return now
    if seen.state is CheckoutState.EXPIRED:
        with writing():
            lapse_card(instant_id, now)
        return None
    return now + LOOKS


def _charge(bank: Stripe, instant_id: str) -> datetime | None:
    """Charge what did not come back, once under the row's id, however often this is begun."""
    row = session.get_one(Instant, instant_id)
    card, amount = SavedCard(row.customer, row.card), row.charging_minor
    currency, status = row.currency, row.status
    session.rollback()
    now = clock.now()
    if status != "charging":
        if status == "charged" and card.card:
            bank.forget_card(card.card)
        return None
    try:
        paid = bank.charge_saved(card, amount, currency, instant_id, {"instant": instant_id})
    except PaymentError as error:
        if error.kind not in DEBTS:
            raise
        with writing():
            declined(instant_id, str(error), now)
        return now
    if paid.state is not PaymentState.CAPTURED:
        return now + LOOKS
    with writing():
        charged(instant_id, paid.reference, now)
    return now


def _status(instant_id: str) -> str:
    status = session.get_one(Instant, instant_id).status
    session.rollback()
    return status
