"""Refunds through the adapter: once a key, never more than was taken, whatever is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.payments.contract import Kind, PaymentError, PaymentState, RefundState
from tests.sandbox.stripe_shop import pay


def failed(act, *args, **more) -> PaymentError:
    with pytest.raises(PaymentError) as found:
        act(*args, **more)
    return found.value


def test_a_refund_goes_out_once_under_its_key(shop, till, door):
    paid = pay(till)
    first = shop.refund(paid.id, 300, "EUR", "refund:1", {"return": "R1"})
    again = shop.refund(paid.id, 300, "EUR", "refund:1")
    assert first == again
    assert (first.amount_minor, first.currency, first.state) == (300, "EUR", RefundState.SUCCEEDED)
    assert (first.payment, first.key) == (paid.id, "refund:1")
    assert shop.find_refund(paid.id, "refund:1") == first == shop.read_refund(first.id)
    assert shop.find_refund(paid.id, "refund:2") is None
    assert till.v1.refunds.retrieve(first.id).metadata["return"] == "R1"
    assert door.get("counts")["effects"]["refund.created"] == 1


def test_a_key_still_counts_when_stripe_has_forgotten_it(shop, till, door):
    paid = pay(till)
    first = shop.refund(paid.id, 300, "EUR", "refund:1")
    door.post("stripe/clock", {"ahead": 3 * 86_400})
    assert shop.refund(paid.id, 300, "EUR", "refund:1") == first
    assert door.get("counts")["effects"]["refund.created"] == 1


def test_another_amount_under_a_used_key_is_refused(shop, till):
    paid = pay(till)
    shop.refund(paid.id, 300, "EUR", "refund:1")
    assert failed(shop.refund, paid.id, 301, "EUR", "refund:1").kind is Kind.REFUSED


def test_what_is_captured_held_and_sent_back_is_read_as_it_is(shop, till):
    paid = pay(till)
    shop.refund(paid.id, 300, "EUR", "a")
    found = shop.read_payment(paid.id)
    assert (found.state, found.captured_minor, found.refunded_minor) == (
        PaymentState.CAPTURED,
        1000,
        300,
    )
    assert shop.read_payment(paid.latest_charge).refunded_minor == 300
    held = pay(till, capture_method="manual")
    found = shop.read_payment(held.id)
    assert (found.state, found.held_minor, found.captured_minor) == (PaymentState.HELD, 1000, 0)
    assert found.hold_ends is not None
    taken = shop.capture(held.id, 700, "EUR", "capture:1")
    assert (taken.captured_minor, taken.refunded_minor, taken.is_refundable) == (700, 0, True)
    shop.refund(held.id, 700, "EUR", "b")
    assert shop.read_payment(held.id).refunded_minor == 700
    let_go = pay(till, capture_method="manual")
    assert shop.release(let_go.id, "release:1").state is PaymentState.CANCELLED
    assert shop.read_payment(let_go.id).refunded_minor == 0


def test_more_than_is_left_is_refused_with_a_sentence_for_staff(shop, till):
    paid = pay(till)
    shop.refund(paid.id, 600, "EUR", "a")
    over = failed(shop.refund, paid.id, 500, "EUR", "b")
    assert (over.kind, str(over)) == (Kind.REFUSED, "That is more than is left of this payment.")
    shop.refund(paid.id, 400, "EUR", "c")
    gone = failed(shop.refund, paid.id, 1, "EUR", "d")
    assert gone.kind is Kind.ALREADY_REFUNDED


@pytest.mark.parametrize("reference", ["", "pi_", "../charges", "ch_1/../x", "order 7", "pi_é"])
def test_what_is_no_reference_is_not_sent(shop, door, reference):
    assert failed(shop.refund, reference, 100, "EUR", "a").kind is Kind.NOT_FOUND
    assert failed(shop.read_payment, reference).kind is Kind.NOT_FOUND
    assert door.get("counts")["routes"] == {}


@pytest.mark.parametrize("reference", ["pi_unknown123", "ch_unknown123"])
def test_a_payment_stripe_does_not_know_is_not_found(shop, reference):
    assert failed(shop.read_payment, reference).kind is Kind.NOT_FOUND
    assert failed(shop.refund, reference, 100, "EUR", "a").kind is Kind.NOT_FOUND


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(0, "EUR"), (-1, "EUR"), (True, "EUR"), (1.5, "EUR"), (10**12, "EUR"), (100, "eur")],
)
def test_an_amount_that_cannot_be_meant_is_not_sent(shop, till, door, amount, currency):
    paid = pay(till)
    assert failed(shop.refund, paid.id, amount, currency, "a").kind is Kind.REFUSED
    assert "GET /stripe/v1/refunds" not in door.get("counts")["routes"]


def test_another_currency_than_the_payments_is_refused(shop, till):
    assert failed(shop.refund, pay(till).id, 100, "USD", "a").code == "currency"


def test_a_payment_in_dispute_is_not_refunded(shop, till):
    paid = pay(till, payment_method="pm_card_createDispute")
    assert shop.read_payment(paid.id).is_disputed
    refused = failed(shop.refund, paid.id, 100, "EUR", "a")
    assert (refused.kind, refused.code) == (Kind.REFUSED, "disputed")


def test_a_refund_that_waits_and_one_that_fails_later_are_told_apart(shop, till, door):
    paid = pay(till, payment_method="pm_card_pendingRefund")
    waiting = shop.refund(paid.id, 100, "EUR", "a")
    assert waiting.state is RefundState.PENDING
    door.post(f"stripe/refunds/{waiting.id}", {"status": "succeeded"})
    assert shop.read_refund(waiting.id).state is RefundState.SUCCEEDED
    door.post(f"stripe/refunds/{waiting.id}", {"status": "failed", "reason": "declined"})
    lost = shop.read_refund(waiting.id)
    assert (lost.state, lost.why) == (RefundState.FAILED, "declined")
    assert shop.read_payment(paid.id).refunded_minor == 0
    door.post("stripe/refund-fates", {"first": "requires_action"}, 201)
    assert shop.refund(paid.id, 100, "EUR", "b").state is RefundState.NEEDS_ACTION


def test_a_refund_is_found_among_many(shop, till):
    paid = pay(till, 50_000)
    for number in range(105):
        till.v1.refunds.create(
            {"payment_intent": paid.id, "amount": 1, "metadata": {"porchlight_key": str(number)}}
        )
    assert shop.find_refund(paid.id, "0").key == "0"
    assert len(list(shop.refunds_of(paid.id))) == 105


LOST = ("commit_then_drop", "commit_then_500", "truncated", "html_200", "empty", "wrong_types")
MOVES = st.lists(
    st.tuples(st.integers(1, 700), st.integers(0, 4), st.sampled_from([None, "error_500", *LOST])),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=MOVES)
def test_no_sequence_of_refunds_sends_back_more_than_was_taken(shop, till, door, moves):
    """Keys repeat, answers get lost, the caller looks and tries again: sums agree all the same."""
    paid = pay(till)
    known: dict[str, int] = {}
    for amount, number, fault in moves:
        if fault:
            door.fault(fault, route="POST /stripe/v1/refunds")
        key = f"{paid.id}:{number}"
        for _ in range(2):
            try:
                known[key] = shop.refund(paid.id, amount, "EUR", key).amount_minor
            except PaymentError as error:
                if error.kind is Kind.OUTCOME_UNKNOWN:
                    made = shop.find_refund(paid.id, key)
                    if made is not None:
                        known[key] = made.amount_minor
                    continue
            break
        door.clear_faults()
    found = shop.read_payment(paid.id)
    assert sum(known.values()) == found.refunded_minor <= found.captured_minor
    assert sum(each.amount_minor for each in shop.refunds_of(paid.id)) == found.refunded_minor


def at_once(acts) -> list:
    """What each act gave, or its error, when all were begun together."""

    def run(act):
        ready.wait()
        try:
            return act()
        except PaymentError as error:
            return error

    ready = threading.Barrier(len(acts))
    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_refunds_at_once_under_one_key_are_one_refund(shop, till, door):
    paid = pay(till)
    got = at_once([lambda: shop.refund(paid.id, 300, "EUR", "refund:1")] * 8)
    made = {each.id for each in got if not isinstance(each, PaymentError)}
    assert len(made) == 1
    assert {each.kind for each in got if isinstance(each, PaymentError)} <= {Kind.BUSY}
    assert door.get("counts")["effects"]["refund.created"] == 1


def test_refunds_at_once_never_pass_what_was_taken(shop, till):
    paid = pay(till)
    got = at_once([lambda key=f"r:{n}": shop.refund(paid.id, 300, "EUR", key) for n in range(8)])
    errors = [each for each in got if isinstance(each, PaymentError)]
    assert len(errors) == 5
    assert {each.kind for each in errors} == {Kind.REFUSED}
    assert shop.read_payment(paid.id).refunded_minor == 900
