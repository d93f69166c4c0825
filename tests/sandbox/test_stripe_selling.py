"""Checkout pages, disputes, events and webhooks."""

from __future__ import annotations

import json
import time

import pytest
import requests
import stripe

from tests.sandbox.conftest import wait_until
from tests.sandbox.stripe_shop import kinds, pay, session


def submit(page, **form):
    return requests.post(page.url, data=form, allow_redirects=False, timeout=5)


def again(till, page, *expand):
    return till.v1.checkout.sessions.retrieve(page.id, {"expand": list(expand)})


def test_somebody_pays_at_the_page_and_comes_back(till):
    page = session(till, client_reference_id="order-7", metadata={"order": "7"})
    assert (page.status, page.payment_status, page.payment_intent) == ("open", "unpaid", None)
    assert "Cover" in requests.get(page.url, timeout=5).text
    answer = submit(page, act="pay", means="pm_card_visa", email="ada@example.com")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"http://127.0.0.1:9/done?s={page.id}",
    )
    done = again(till, page, "payment_intent", "line_items")
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert (done.payment_intent.amount_received, done.amount_total) == (250, 250)
    assert done.line_items.data[0].description == "Cover"
    assert done.customer_details.email == "ada@example.com"
    assert kinds(till)[-1] == "checkout.session.completed"
    assert requests.get(page.url, timeout=5).status_code == 410


def test_a_declined_card_leaves_the_page_open_with_a_sentence(till):
    page = session(till)
    answer = submit(page, act="pay", means="pm_card_chargeDeclined")
    assert answer.status_code == 402
    assert "Your card was declined." in answer.text
    assert again(till, page).status == "open"
    first = again(till, page).payment_intent
    assert submit(page, act="pay", means="pm_card_visa").status_code == 303
    assert again(till, page).payment_intent == first


def test_the_way_back_pays_nothing(till):
    page = session(till)
    answer = submit(page, act="leave")
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://127.0.0.1:9/back")
    assert (again(till, page).status, again(till, page).payment_status) == ("open", "unpaid")
    assert submit(page, act="pay", means="pm_card_nothing").status_code == 400


@pytest.mark.parametrize("agreed", [True, False])
def test_the_bank_asks_on_a_page_of_its_own(till, agreed):
    page = session(till)
    asked = submit(page, act="pay", means="pm_card_authenticationRequired")
    url = asked.headers["Location"]
    assert "Your bank" in requests.get(url, timeout=5).text
    act = {"act": "agree" if agreed else "refuse"}
    answer = requests.post(url, data=act, allow_redirects=False, timeout=5)
    back = f"http://127.0.0.1:9/done?s={page.id}" if agreed else page.url
    assert answer.headers["Location"] == back
    assert again(till, page).payment_status == ("paid" if agreed else "unpaid")
    assert requests.get(url, timeout=5).status_code == 410


@pytest.mark.parametrize("arrived", [True, False])
def test_money_may_be_on_its_way_behind_a_finished_page(till, door, arrived):
    page = session(till)
    assert submit(page, act="pay", means="bank_debit").status_code == 303
    waiting = again(till, page, "payment_intent")
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    assert waiting.payment_intent.status == "processing"
    door.post(f"stripe/sessions/{page.id}/clearing", {"arrived": arrived})
    assert again(till, page).payment_status == ("paid" if arrived else "unpaid")
    last = "async_payment_succeeded" if arrived else "async_payment_failed"
    assert kinds(till)[-1] == f"checkout.session.{last}"


def test_a_page_can_hold_the_money_instead(till):
    page = session(till, payment_intent_data={"capture_method": "manual"})
    submit(page, act="pay", means="pm_card_visa")
    done = again(till, page, "payment_intent")
    assert (done.status, done.payment_status) == ("complete", "unpaid")
    assert done.payment_intent.status == "requires_capture"


def test_a_card_is_saved_at_a_page_for_a_new_customer(till):
    page = session(till, mode="setup", line_items=None, currency="eur", customer_creation="always")
    submit(page, act="pay", means="pm_card_visa", email="ada@example.com")
    done = again(till, page, "setup_intent.payment_method", "customer")
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert done.setup_intent.payment_method.customer == done.customer.id
    assert done.customer.email == "ada@example.com"


def test_pages_end_by_hand_and_by_time(till, door):
    page = session(till)
    assert till.v1.checkout.sessions.expire(page.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        till.v1.checkout.sessions.expire(page.id)
    assert submit(page, act="pay", means="pm_card_visa").status_code in (400, 410)
    soon = session(till, expires_at=int(time.time()) + 1900)
    door.post("stripe/clock", {"ahead": 2000})
    assert again(till, soon).status == "expired"
    assert kinds(till) == ["checkout.session.expired"] * 2


@pytest.mark.parametrize(
    "more",
    [
        {"mode": "subscription"},
        {"mode": None},
        {"success_url": None},
        {"line_items": None},
        {"line_items": [{"price": "price_1", "quantity": 1}]},
        {"expires_at": 1},
        {"ui_mode": "elements"},
        {"currency": "usd"},
        {"mode": "setup"},
        {"setup_intent_data": {"description": "x"}},
        {"customer": "cus_unknown"},
        {"customer": "cus_1", "customer_email": "a@b.example"},
        {"automatic_tax": {"enabled": True}},
    ],
)
def test_a_page_that_cannot_be_meant_is_refused(till, more):
    with pytest.raises(stripe.InvalidRequestError):
        session(till, **more)


# --- disputes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "end"), [("winning_evidence", "won"), ("losing_evidence", "lost")]
)
def test_a_dispute_blocks_refunds_until_it_is_decided(till, words, end):
    paid = pay(till, payment_method="pm_card_createDisputeProductNotReceived")
    dispute = till.v1.disputes.list({"payment_intent": paid.id}).data[0]
    assert (dispute.status, dispute.reason) == ("needs_response", "product_not_received")
    assert till.v1.charges.retrieve(paid.latest_charge).disputed
    with pytest.raises(stripe.InvalidRequestError) as refused:
        till.v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_disputed"
    evidence = {"shipping_tracking_number": "1Z", "shipping_carrier": "UPS"}
    drafted = till.v1.disputes.update(dispute.id, {"evidence": evidence, "submit": False})
    assert (drafted.status, drafted.evidence.shipping_carrier) == ("needs_response", "UPS")
    decided = till.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": words}})
    assert decided.status == end
    if end == "won":
        assert till.v1.refunds.create({"payment_intent": paid.id}).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError):
        till.v1.disputes.close(dispute.id)


def test_an_inquiry_leaves_the_money_and_the_refund(till, door):
    paid = pay(till)
    opened = door.post(
        "stripe/disputes", {"charge": paid.latest_charge, "inquiry": True, "reason": "general"}, 201
    )
    assert opened["status"] == "warning_needs_response"
    assert till.v1.refunds.create({"payment_intent": paid.id, "amount": 100}).amount == 100
    door.post(f"stripe/disputes/{opened['id']}", {"verdict": "warning_closed"})
    assert till.v1.disputes.retrieve(opened["id"]).status == "warning_closed"
    door.post("stripe/disputes", {"charge": paid.latest_charge}, 400)


def test_an_accepted_dispute_is_lost(till):
    paid = pay(till, payment_method="pm_card_createDispute")
    dispute = till.v1.disputes.list({"charge": paid.latest_charge}).data[0]
    assert till.v1.disputes.close(dispute.id).status == "lost"
    assert "charge.dispute.funds_withdrawn" in kinds(till)


# --- events and webhooks ------------------------------------------------------------------------


@pytest.fixture
def hook(till, receiver):
    wanted = {"url": receiver.url, "enabled_events": ["refund.created", "charge.refunded"]}
    return till.v1.webhook_endpoints.create(wanted)


def quiet(door):
    wait_until(lambda: door.get("counts")["webhooks"]["waiting"] == 0)


def test_webhooks_carry_the_object_and_the_proof(till, hook, receiver):
    paid = pay(till)
    till.v1.refunds.create({"payment_intent": paid.id, "amount": 300})
    told = receiver.wait_for(2)
    assert [event["type"] for event in told] == ["refund.created", "charge.refunded"]
    assert told[1]["data"]["object"]["amount_refunded"] == 300
    for headers, body in receiver.got:
        event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], hook.secret)
        assert event.api_version == stripe.api_version
        assert till.v1.events.retrieve(event.id).data.object["id"]
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_other")


def test_events_name_the_request_that_caused_them(till):
    paid = pay(till)
    back = till.v1.refunds.create({"payment_intent": paid.id}, {"idempotency_key": "k9"})
    event = till.v1.events.list({"type": "refund.*"}).data[0]
    assert event.request.idempotency_key == "k9"
    assert event.request.id == back.last_response.request_id
    assert [each.type for each in till.v1.events.list({"types": ["charge.refunded"]}).data] == [
        "charge.refunded"
    ]
    assert till.v1.events.list({"created": {"lt": 1}}).data == []


def test_deliveries_are_repeated_doubled_reordered_and_dropped(till, hook, receiver, door):
    paid = pay(till)
    receiver.answers = [500]
    till.v1.refunds.create({"payment_intent": paid.id, "amount": 100})
    assert len(receiver.wait_for(3)) == 3
    quiet(door)
    door.hook_fault("duplicate", times=1)
    door.hook_fault("drop", times=1)
    till.v1.refunds.create({"payment_intent": paid.id, "amount": 100})
    twice = [event["id"] for event in receiver.wait_for(5)][3:]
    assert twice[0] == twice[1]
    door.hook_fault("reorder", times=1, seconds=30)
    till.v1.refunds.create({"payment_intent": paid.id, "amount": 100})
    kinds_got = [event["type"] for event in receiver.wait_for(7)][5:]
    assert kinds_got == ["charge.refunded", "refund.created"]
    quiet(door)
    door.post(f"stripe/events/{twice[0]}/resend")
    assert receiver.wait_for(8)[-1]["id"] == twice[0]


def test_an_endpoint_is_changed_disabled_and_deleted(till, hook, receiver, door):
    changed = till.v1.webhook_endpoints.update(hook.id, {"enabled_events": ["customer.created"]})
    assert getattr(changed, "secret", None) is None
    till.v1.customers.create({})
    assert receiver.wait_for(1)[0]["type"] == "customer.created"
    assert till.v1.webhook_endpoints.update(hook.id, {"disabled": True}).status == "disabled"
    till.v1.customers.create({})
    assert till.v1.webhook_endpoints.update(hook.id, {"disabled": False}).status == "enabled"
    till.v1.webhook_endpoints.delete(hook.id)
    till.v1.customers.create({})
    quiet(door)
    assert len(receiver.got) == 1
    assert till.v1.webhook_endpoints.list().data == []
    for wrong in ("/hooks", "ftp://127.0.0.1/x"):
        with pytest.raises(stripe.InvalidRequestError):
            till.v1.webhook_endpoints.create({"url": wrong, "enabled_events": ["*"]})
    with pytest.raises(stripe.InvalidRequestError):
        till.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["refund.made"]})


def test_the_log_shows_what_was_asked_and_counts_it(till, door):
    pay(till)
    seen = door.get("log")
    assert seen["routes"] == {"POST /stripe/v1/payment_intents": 1}
    assert seen["requests"][0]["body"]["amount"] == "1000"
    assert "sk_test" not in json.dumps(seen)
