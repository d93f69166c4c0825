"""Idempotency like Stripe's: one answer a key, kept failures, refused strangers, for a day."""

from __future__ import annotations

import threading

import pytest
import requests
import stripe

from tests.sandbox.conftest import STRIPE_KEY, wait_until
from tests.sandbox.stripe_shop import pay


def refund(till, paid, key, amount=100, **more):
    params = {"payment_intent": paid.id, "amount": amount, **more}
    return till.v1.refunds.create(params, {"idempotency_key": key})


def test_the_same_request_again_has_the_same_answer_and_one_effect(till, door):
    paid = pay(till)
    first, again = refund(till, paid, "k1"), refund(till, paid, "k1")
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Idempotency-Key"] == "k1"
    assert again.last_response.headers["Original-Request"] == first.last_response.request_id
    assert door.get("counts")["effects"]["refund.created"] == 1
    assert refund(till, paid, "k2").id != first.id


def test_a_key_in_use_is_not_forgotten_while_time_passes(till, door):
    """Days pass while the first request is under way: its key still makes one refund."""
    paid = pay(till)
    door.fault("slow", seconds=0.4, route="POST /stripe/v1/refunds")
    first = threading.Thread(target=refund, args=(till, paid, "k1"))
    first.start()
    wait_until(lambda: door.get("faults")["waiting"] == [])
    door.post("stripe/clock", {"ahead": 9 * 86_400})
    first.join()
    again = refund(till, paid, "k1")
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert door.get("counts")["effects"]["refund.created"] == 1


def test_a_key_belongs_to_its_parameters_and_its_road(till):
    paid = pay(till)
    refund(till, paid, "k1")
    with pytest.raises(stripe.IdempotencyError) as other:
        refund(till, paid, "k1", amount=101)
    assert other.value.http_status == 400
    assert "same parameters" in other.value.user_message
    with pytest.raises(stripe.IdempotencyError) as road:
        till.v1.customers.create({"email": "a@b.example"}, {"idempotency_key": "k1"})
    assert "same endpoint" in road.value.user_message


def test_a_failure_that_was_executed_is_kept(till, door):
    paid = pay(till)
    door.fault("error_500", method="POST", path_prefix="/stripe")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            refund(till, paid, "k1")
        assert failed.value.http_status == 500
    assert failed.value.headers["Idempotent-Replayed"] == "true"
    assert door.get("counts")["effects"].get("refund.created") is None
    with pytest.raises(stripe.CardError):
        pay_with(till, "k3", "pm_card_chargeDeclined")
    with pytest.raises(stripe.CardError) as again:
        pay_with(till, "k3", "pm_card_chargeDeclined")
    assert again.value.headers["Idempotent-Replayed"] == "true"


def pay_with(till, key, card):
    params = {
        "amount": 1000,
        "currency": "eur",
        "payment_method": card,
        "confirm": True,
        "return_url": "http://127.0.0.1:9/",
    }
    return till.v1.payment_intents.create(params, {"idempotency_key": key})


@pytest.mark.parametrize("fault", ["rate_limited", "error_503", "html_502", "reset"])
def test_what_never_reached_the_service_is_not_kept(till, door, fault):
    paid = pay(till)
    door.fault(fault, method="POST", path_prefix="/stripe")
    with pytest.raises(stripe.StripeError):
        refund(till, paid, "k1")
    assert refund(till, paid, "k1").status == "succeeded"


def test_a_request_that_was_never_begun_leaves_its_key_free(till):
    paid = pay(till)
    with pytest.raises(stripe.InvalidRequestError):
        refund(till, paid, "k1", reason="because")
    assert refund(till, paid, "k1").status == "succeeded"


@pytest.mark.parametrize("fault", ["commit_then_drop", "truncated", "html_200", "empty"])
def test_what_was_done_behind_a_lost_answer_is_told_the_second_time(till, door, fault):
    paid = pay(till)
    door.fault(fault, route="POST /stripe/v1/refunds")
    with pytest.raises(stripe.StripeError):
        refund(till, paid, "k1")
    assert refund(till, paid, "k1").status == "succeeded"
    assert door.get("counts")["effects"]["refund.created"] == 1


def test_a_failure_after_the_work_is_kept_as_a_failure(till, door):
    paid = pay(till)
    door.fault("commit_then_500", route="POST /stripe/v1/refunds")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            refund(till, paid, "k1")
    assert len(till.v1.refunds.list({"payment_intent": paid.id}).data) == 1


def test_a_key_in_use_waits_for_nobody(till, box, door):
    paid = pay(till)
    door.fault("slow", seconds=1.5, route="POST /stripe/v1/refunds")
    slow = threading.Thread(target=refund, args=(till, paid, "k1"))
    slow.start()
    wait_until(lambda: door.get("faults")["waiting"] == [])
    answer = requests.post(
        f"{box.stripe_base}/v1/refunds",
        data={"payment_intent": paid.id, "amount": 100},
        headers={"Authorization": f"Bearer {STRIPE_KEY}", "Idempotency-Key": "k1"},
        timeout=5,
    )
    slow.join()
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "idempotency_key_in_use"


def test_keys_are_forgotten_after_a_day_and_not_before(till, door):
    paid = pay(till)
    first = refund(till, paid, "k1")
    door.post("stripe/clock", {"ahead": 86_000})
    assert refund(till, paid, "k1").id == first.id
    door.post("stripe/clock", {"ahead": 86_500})
    assert refund(till, paid, "k1").id != first.id


def test_a_key_too_long_is_refused(till):
    with pytest.raises(stripe.IdempotencyError):
        refund(till, pay(till), "k" * 256)
