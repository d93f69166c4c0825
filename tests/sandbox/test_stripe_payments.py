"""Payments and refunds live as they do at Stripe: no more goes back than came in."""

from __future__ import annotations

import pytest
import requests
import stripe

from portal.sandbox.stripe_cards import CARDS
from tests.sandbox.stripe_shop import NO_REDIRECTS, kinds, pay


def refused(act, *args, **more):
    with pytest.raises(stripe.StripeError) as found:
        act(*args, **more)
    return found.value


def test_a_payment_takes_the_money_and_says_so(till):
    paid = pay(till, metadata={"order": "1042"})
    charge = till.v1.charges.retrieve(paid.latest_charge, {"expand": ["balance_transaction"]})
    assert (paid.status, paid.amount_received, paid.amount_capturable) == ("succeeded", 1000, 0)
    assert (charge.captured, charge.amount_captured, charge.amount_refunded) == (True, 1000, 0)
    assert charge.metadata["order"] == "1042"
    assert charge.balance_transaction.net == charge.balance_transaction.amount - 29
    expected = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert kinds(till) == expected


@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card.declined])
def test_a_card_is_declined_for_its_own_reason(till, name):
    error = refused(pay, till, payment_method=name)
    assert isinstance(error, stripe.CardError)
    assert (error.code, error.error.decline_code or "") == CARDS[name].declined
    left = till.v1.payment_intents.retrieve(error.error.payment_intent.id)
    assert (left.status, left.payment_method) == ("requires_payment_method", None)
    assert left.last_payment_error.code == error.code
    assert till.v1.charges.retrieve(left.latest_charge).status == "failed"
    again = {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1:9"}
    assert till.v1.payment_intents.confirm(left.id, again).status == "succeeded"


def test_refunds_add_up_to_what_was_taken_and_no_further(till):
    paid = pay(till)
    for amount in (300, 400):
        till.v1.refunds.create({"payment_intent": paid.id, "amount": amount})
    error = refused(till.v1.refunds.create, {"payment_intent": paid.id, "amount": 301})
    assert (error.code, error.param) == ("amount_too_large", "amount")
    rest = till.v1.refunds.create({"charge": paid.latest_charge})
    assert (rest.amount, rest.payment_intent) == (300, paid.id)
    error = refused(till.v1.refunds.create, {"payment_intent": paid.id, "amount": 1})
    assert error.code == "charge_already_refunded"
    charge = till.v1.charges.retrieve(paid.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (1000, True)
    assert [each.amount for each in charge.refunds.data] == [300, 400, 300]
    listed = till.v1.refunds.list({"payment_intent": paid.id, "limit": 2})
    assert (len(listed.data), listed.has_more) == (2, True)
    assert len(list(listed.auto_paging_iter())) == 3


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "parameter_missing"),
        ({"payment_intent": "pi_1", "charge": "ch_1"}, "parameter_missing"),
        ({"payment_intent": "pi_1"}, "resource_missing"),
        ({"charge": "ch_1"}, "resource_missing"),
    ],
)
def test_a_refund_of_nothing_is_refused(till, params, code):
    assert refused(till.v1.refunds.create, params).code == code


def test_money_that_was_only_held_cannot_be_refunded(till):
    held = pay(till, capture_method="manual")
    error = refused(till.v1.refunds.create, {"payment_intent": held.id})
    assert error.code == "payment_intent_unexpected_state"


def test_a_part_is_captured_and_the_rest_let_go(till):
    held = pay(till, capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == (
        "requires_capture",
        1000,
        0,
    )
    charge = till.v1.charges.retrieve(held.latest_charge)
    assert charge.payment_method_details.card.capture_before > charge.created + 6 * 86_400
    error = refused(till.v1.payment_intents.capture, held.id, {"amount_to_capture": 1001})
    assert error.code == "amount_too_large"
    taken = till.v1.payment_intents.capture(held.id, {"amount_to_capture": 700})
    charge = till.v1.charges.retrieve(held.latest_charge)
    assert (taken.status, taken.amount_received) == ("succeeded", 700)
    assert (charge.amount_captured, charge.amount_refunded) == (700, 300)
    assert refused(till.v1.refunds.create, {"charge": charge.id, "amount": 701}).code
    assert till.v1.refunds.create({"charge": charge.id}).amount == 700
    assert refused(till.v1.payment_intents.capture, held.id).code


def test_a_hold_is_released_or_lapses_after_a_week(till, door):
    released = till.v1.payment_intents.cancel(
        pay(till, capture_method="manual").id, {"cancellation_reason": "abandoned"}
    )
    assert (released.status, released.cancellation_reason) == ("canceled", "abandoned")
    held = pay(till, capture_method="manual")
    door.post("stripe/clock", {"ahead": 7 * 86_400 + 1})
    lapsed = till.v1.payment_intents.retrieve(held.id, {"expand": ["latest_charge"]})
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
    assert lapsed.latest_charge.amount_captured == 0
    assert kinds(till)[-2:] == ["charge.expired", "payment_intent.canceled"]
    assert refused(till.v1.payment_intents.capture, held.id).code
    assert refused(till.v1.payment_intents.cancel, held.id).code


def test_a_payment_is_confirmed_only_with_means_and_a_way_back(till):
    waiting = till.v1.payment_intents.create({"amount": 1000, "currency": "eur"})
    assert waiting.status == "requires_payment_method"
    assert refused(till.v1.payment_intents.confirm, waiting.id).code
    error = refused(till.v1.payment_intents.confirm, waiting.id, {"payment_method": "pm_card_visa"})
    assert "return_url" in error.user_message
    assert refused(till.v1.refunds.create, {"payment_intent": waiting.id}).code
    assert refused(till.v1.payment_intents.retrieve, "pi_unknown").http_status == 404


def test_the_bank_may_ask_and_the_owner_answers(till, door):
    more = {"payment_method": "pm_card_authenticationRequired"}
    asked = pay(till, **more)
    assert asked.status == "requires_action"
    door.post(f"stripe/authentications/{asked.id}", {"agreed": True})
    assert till.v1.payment_intents.retrieve(asked.id).status == "succeeded"
    asked = pay(till, **more)
    door.post(f"stripe/authentications/{asked.id}", {"agreed": False})
    left = till.v1.payment_intents.retrieve(asked.id)
    assert left.status == "requires_payment_method"
    assert left.last_payment_error.code == "payment_intent_authentication_failure"
    error = refused(pay, till, **more, error_on_requires_action=True)
    assert error.code == "authentication_required"


@pytest.mark.parametrize(
    ("currency", "amount", "good"),
    [
        ("jpy", 50, True),
        ("jpy", 49, False),
        ("kwd", 1230, True),
        ("kwd", 1234, False),
        ("isk", 500, True),
        ("isk", 512, False),
        ("eur", 49, False),
        ("eur", 100_000_000, False),
        ("EUR", 1000, True),
        ("xxx", 1000, False),
    ],
)
def test_a_currency_has_its_own_grain_and_its_own_least(till, currency, amount, good):
    if good:
        assert pay(till, amount, currency).currency == currency.lower()
    else:
        assert refused(pay, till, amount, currency).http_status == 400


def test_a_refund_in_a_fine_currency_keeps_its_grain(till):
    paid = pay(till, 5000, "kwd")
    params = {"payment_intent": paid.id, "amount": 1234}
    assert refused(till.v1.refunds.create, params).code == "parameter_invalid_integer"
    assert till.v1.refunds.create({**params, "amount": 1230}).status == "succeeded"


@pytest.mark.parametrize(
    ("card", "first", "last"),
    [
        ("pm_card_visa", "succeeded", "succeeded"),
        ("pm_card_pendingRefund", "pending", "succeeded"),
        ("pm_card_refundFail", "succeeded", "failed"),
    ],
)
def test_what_becomes_of_a_refund_is_in_the_card(till, door, card, first, last):
    paid = pay(till, payment_method=card)
    back = till.v1.refunds.create({"payment_intent": paid.id, "amount": 400})
    assert back.status == first
    door.post("stripe/clock", {"ahead": 60})
    back = till.v1.refunds.retrieve(back.id)
    assert back.status == last
    charge = till.v1.charges.retrieve(paid.latest_charge)
    assert charge.amount_refunded == (0 if last == "failed" else 400)
    if last == "failed":
        assert back.failure_reason == "unknown"
        assert back.failure_balance_transaction.startswith("txn_")
        assert "refund.failed" in kinds(till)


def test_the_fate_of_the_next_refund_is_set_at_the_door(till, door):
    paid = pay(till)
    door.post("stripe/refund-fates", {"first": "failed", "reason": "declined"}, 201)
    door.post("stripe/refund-fates", {"first": "requires_action"}, 201)
    failed = till.v1.refunds.create({"payment_intent": paid.id, "amount": 100})
    waiting = till.v1.refunds.create({"payment_intent": paid.id, "amount": 200})
    assert (failed.status, failed.failure_reason) == ("failed", "declined")
    assert waiting.status == "requires_action"
    assert refused(till.v1.refunds.cancel, failed.id).http_status == 400
    assert till.v1.refunds.cancel(waiting.id).status == "canceled"
    assert till.v1.charges.retrieve(paid.latest_charge).amount_refunded == 0
    done = till.v1.refunds.create({"payment_intent": paid.id, "amount": 300})
    moved = door.post(f"stripe/refunds/{done.id}", {"status": "failed"})
    assert moved["status"] == "failed"
    door.post(f"stripe/refunds/{done.id}", {"status": "succeeded"}, 400)


def test_a_refunds_metadata_can_be_changed_and_nothing_else(till):
    back = till.v1.refunds.create({"payment_intent": pay(till).id, "metadata": {"a": "1"}})
    changed = till.v1.refunds.update(back.id, {"metadata": {"a": "", "b": "2"}})
    assert changed.metadata.to_dict() == {"b": "2"}
    assert refused(till.v1.refunds.update, back.id, {"amount": 1}).code == "parameter_unknown"


def test_a_kept_card_is_charged_while_its_owner_is_away(till):
    customer = till.v1.customers.create({"email": "ada@example.com", "name": "Ada"})
    setup = till.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
        }
    )
    kept = {"customer": customer.id, "payment_method": setup.payment_method, "off_session": True}
    assert [pay(till, **kept).status for _ in range(2)] == ["succeeded", "succeeded"]
    cards = till.v1.customers.payment_methods.list(customer.id)
    assert [card.id for card in cards.data] == [setup.payment_method]
    stranger = {**kept, "customer": till.v1.customers.create().id}
    assert refused(pay, till, **stranger).code == "payment_intent_invalid_parameter"
    till.v1.payment_methods.detach(setup.payment_method)
    assert "may not be used again" in refused(pay, till, **kept).user_message


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_chargeCustomerFail", "card_declined"),
        ("tok_authenticationRequired", "authentication_required"),
    ],
)
def test_a_kept_card_may_still_be_refused(till, token, code):
    customer = till.v1.customers.create({})
    card = till.v1.payment_methods.create({"type": "card", "card": {"token": token}})
    till.v1.payment_methods.attach(card.id, {"customer": customer.id})
    error = refused(pay, till, customer=customer.id, payment_method=card.id, off_session=True)
    assert (error.http_status, error.code) == (402, code)


def test_a_card_that_nobody_kept_is_used_once(till):
    card = till.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert pay(till, payment_method=card.id).status == "succeeded"
    assert refused(pay, till, payment_method=card.id).http_status == 400
    raw = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2040}}
    assert refused(till.v1.payment_methods.create, raw).http_status == 400


def test_saving_a_card_can_fail_ask_and_be_given_up(till, door):
    def setup(card):
        return till.v1.setup_intents.create(
            {
                "payment_method": card,
                "confirm": True,
                "return_url": "http://127.0.0.1:9/",
            }
        )

    error = refused(setup, "pm_card_chargeDeclined")
    assert (error.code, error.error.setup_intent.status) == (
        "card_declined",
        "requires_payment_method",
    )
    asked = setup("pm_card_authenticationRequiredOnSetup")
    assert asked.status == "requires_action"
    door.post(f"stripe/authentications/{asked.id}", {"agreed": True})
    assert till.v1.setup_intents.retrieve(asked.id).status == "succeeded"
    assert refused(till.v1.setup_intents.cancel, asked.id).code == "setup_intent_unexpected_state"
    given_up = till.v1.setup_intents.cancel(till.v1.setup_intents.create({}).id)
    assert given_up.status == "canceled"


# --- the door ------------------------------------------------------------------------------------


def test_a_payment_known_outside_is_registered_once_with_its_refunds(till, door):
    wanted = {
        "reference": "pi_demo_1042",
        "amount": 5900,
        "currency": "eur",
        "refunds": [{"amount": 900, "metadata": {"porchlight_key": "refund:1"}}],
    }
    door.post("stripe/payments", wanted, 201)
    door.post("stripe/payments", wanted, 200)
    paid = till.v1.payment_intents.retrieve("pi_demo_1042", {"expand": ["latest_charge"]})
    assert (paid.status, paid.latest_charge.amount_refunded) == ("succeeded", 900)
    made = till.v1.refunds.list({"payment_intent": "pi_demo_1042"}).data
    assert [each.metadata["porchlight_key"] for each in made] == ["refund:1"]
    door.post("stripe/payments", {**wanted, "reference": "order 7"}, 422)


def test_the_door_opens_to_nobody_from_elsewhere(box, till):
    url = f"{box.url}/_sandbox/stripe/clock"
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        answer = requests.post(url, json={"ahead": 10**6}, headers=headers, timeout=5)
        assert answer.status_code == 403
    assert requests.post(url, json={"ahead": -1}, timeout=5).status_code == 422
