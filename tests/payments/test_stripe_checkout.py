"""Pages to pay and to save a card at, and charging it later, through the adapter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests

from portal.payments.contract import (
    CardWish,
    CheckoutState,
    CheckoutWish,
    Kind,
    PaymentState,
    SavedCard,
)
from tests.payments.test_stripe_refunds import failed

BACK = {
    "success_url": "http://127.0.0.1:9/done?s={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://127.0.0.1:9/back",
}


def wish(key="cover:1", **more) -> CheckoutWish:
    return CheckoutWish(key, "Cover for the journey", 298, "EUR", **BACK, **more)


def pay_at(url, means="pm_card_visa") -> None:
    requests.post(url, data={"act": "pay", "means": means}, allow_redirects=False, timeout=5)


def save(shop, means="pm_card_visa") -> SavedCard:
    page = shop.save_card(CardWish(f"card:{means}", "EUR", **BACK, email="ada@example.com"))
    pay_at(page.url, means)
    done = shop.read_checkout(page.id)
    if means == "pm_card_authenticationRequired":
        url = f"{page.url.rpartition('/pay/')[0]}/authenticate/{done.setup}"
        requests.post(url, data={"act": "agree"}, allow_redirects=False, timeout=5)
        done = shop.read_checkout(page.id)
    assert (done.state, done.is_paid) == (CheckoutState.COMPLETE, False)
    card = shop.saved_card(done.setup)
    assert card is not None
    assert card.customer == done.customer
    return card


def test_a_page_is_opened_once_and_paid_only_when_stripe_says_so(shop):
    page = shop.open_checkout(wish(email="ada@example.com", metadata={"order": "7"}))
    assert shop.open_checkout(wish(email="ada@example.com", metadata={"order": "7"})).id == page.id
    assert (page.state, page.is_paid, page.amount_minor) == (CheckoutState.OPEN, False, 298)
    assert (page.key, page.payment) == ("cover:1", "")
    pay_at(page.url)
    done = shop.read_checkout(page.id)
    assert (done.state, done.is_paid, done.url) == (CheckoutState.COMPLETE, True, "")
    paid = shop.read_payment(done.payment)
    assert (paid.captured_minor, paid.metadata["order"]) == (298, "7")
    assert failed(shop.expire_checkout, page.id).kind is Kind.REFUSED


def test_money_on_its_way_is_not_paid_yet(shop, door):
    page = shop.open_checkout(wish())
    pay_at(page.url, "bank_debit")
    waiting = shop.read_checkout(page.id)
    assert (waiting.state, waiting.is_paid) == (CheckoutState.COMPLETE, False)
    assert shop.read_payment(waiting.payment).state is PaymentState.PROCESSING
    door.post(f"stripe/sessions/{page.id}/clearing", {"arrived": True})
    assert shop.read_checkout(page.id).is_paid


def test_a_page_is_closed_by_hand_and_by_its_end(shop, door):
    page = shop.open_checkout(wish("a"))
    assert shop.expire_checkout(page.id).state is CheckoutState.EXPIRED
    ends = datetime.now(UTC) + timedelta(minutes=40)
    page = shop.open_checkout(wish("b", ends_at=ends))
    assert page.ends_at == ends.replace(microsecond=0)
    door.post("stripe/clock", {"ahead": 3000})
    assert shop.read_checkout(page.id).state is CheckoutState.EXPIRED


def test_a_page_can_keep_money_aside(shop):
    page = shop.open_checkout(wish(hold=True))
    pay_at(page.url)
    done = shop.read_checkout(page.id)
    held = shop.read_payment(done.payment)
    assert (done.is_paid, held.state, held.held_minor) == (False, PaymentState.HELD, 298)
    assert shop.release(held.reference, "release:1").state is PaymentState.CANCELLED


def test_a_saved_card_is_charged_once_a_key(shop, door):
    card = save(shop)
    assert (card.brand, card.last4, card.expires[:2]) == ("visa", "4242", "20")
    first = shop.charge_saved(card, 5900, "EUR", "exchange:1", {"return": "R1"})
    assert (first.state, first.captured_minor, first.customer) == (
        PaymentState.CAPTURED,
        5900,
        card.customer,
    )
    door.post("stripe/clock", {"ahead": 2 * 86_400})
    assert shop.charge_saved(card, 5900, "EUR", "exchange:1") == first
    assert failed(shop.charge_saved, card, 1, "EUR", "exchange:1").kind is Kind.REFUSED
    assert shop.find_payment(card.customer, "exchange:2") is None
    assert door.get("counts")["effects"]["payment_intent.succeeded"] == 1


def test_a_charge_whose_answer_was_lost_is_found_and_not_made_twice(shop, door):
    card = save(shop)
    door.fault("commit_then_drop", route="POST /stripe/v1/payment_intents")
    assert failed(shop.charge_saved, card, 5900, "EUR", "x:1").kind is Kind.OUTCOME_UNKNOWN
    assert shop.find_payment(card.customer, "x:1").captured_minor == 5900
    assert shop.charge_saved(card, 5900, "EUR", "x:1").captured_minor == 5900
    assert door.get("counts")["effects"]["charge.succeeded"] == 1


@pytest.mark.parametrize(
    ("means", "code", "needs_customer"),
    [
        ("pm_card_authenticationRequired", "authentication_required", True),
        ("pm_card_chargeCustomerFail", "card_declined", False),
    ],
)
def test_the_bank_may_say_no_while_the_owner_is_away(shop, means, code, needs_customer):
    card = save(shop, means)
    error = failed(shop.charge_saved, card, 5900, "EUR", "x:1")
    assert (error.kind, error.code) == (Kind.DECLINED, code)
    assert error.needs_customer is needs_customer
    left = shop.find_payment(card.customer, "x:1")
    assert (left.state, left.captured_minor) == (PaymentState.OPEN, 0)


def test_a_card_is_not_there_before_it_was_saved(shop):
    page = shop.save_card(CardWish("card:1", "EUR", **BACK))
    pay_at(page.url, "pm_card_chargeDeclined")
    left = shop.read_checkout(page.id)
    assert left.state is CheckoutState.OPEN
    assert shop.saved_card(left.setup) is None
    assert failed(shop.saved_card, "seti_unknown").kind is Kind.NOT_FOUND
