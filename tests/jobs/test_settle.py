"""Refunds: once each, whatever is lost on the way, and never a word too much."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import get_args

import pytest
from sqlalchemy import select

from portal.db import inside, session, writing
from portal.jobs.work import work
from portal.models import AuditEntry, Settlement, payout
from portal.models.change import Conflict
from portal.sandbox.faults import Wire
from tests.conftest import shop_id
from tests.jobs.counter import ONE_SHIRT_MINOR, Counter, hasty
from tests.models.bought import PAID_MINOR, shirts

REFUND = "POST /stripe/v1/refunds"
SOME = ("rate_limited", "error_500", "html_200", "reset", "slow", "commit_then_drop")


@pytest.fixture(params=["some", pytest.param("every", marks=pytest.mark.long)])
def faults(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How the provider fails."""
    return SOME if request.param == "some" else get_args(Wire)


def test_what_was_accepted_goes_back_to_the_card(any_counter: Counter) -> None:
    return_id = any_counter.back()
    any_counter.work()
    (row,) = any_counter.rows(return_id)
    assert (row.status, row.problem) == ("done", "")
    (refund,) = any_counter.refunds()
    assert (refund.id, refund.amount) == (row.reference, row.amount_minor)
    assert row.amount_minor >= ONE_SHIRT_MINOR
    assert any_counter.rma(return_id).status == "settled"
    assert any_counter.booked(any_counter.order_of(return_id)) == [row.amount_minor]


def test_every_fault_of_the_provider_ends_in_one_refund(
    any_counter: Counter, faults: tuple[str, ...]
) -> None:
    hasty(any_counter.app, any_counter.box)
    for n, fault in enumerate(faults):
        number = f"20{n:02}"
        return_id = any_counter.back(number=number)
        any_counter.door.fault(fault, route=REFUND)
        any_counter.until_quiet()
        (row,) = any_counter.rows(return_id)
        if row.status == "unknown":  # an answer that cannot be read is kept under the key …
            any_counter.door.post("stripe/clock", {"ahead": (n + 1) * 2 * 86_400})
            any_counter.until_quiet()  # … until Stripe forgets the key
            (row,) = any_counter.rows(return_id)
        assert (row.status, row.problem) == ("done", ""), fault
        assert [each.id for each in any_counter.refunds(number)] == [row.reference], fault
        assert any_counter.booked(row.order_id) == [row.amount_minor], fault
        any_counter.door.clear_faults()


def test_every_fault_while_it_is_looked_for_ends_in_one_refund(
    counter: Counter, faults: tuple[str, ...]
) -> None:
    hasty(counter.app, counter.box)
    for n, fault in enumerate(faults):
        number = f"30{n:02}"
        return_id = counter.back(number=number)
        counter.door.fault("commit_then_drop", route=REFUND)
        counter.door.fault(fault, route="GET /stripe/v1/refunds", times=2)
        counter.until_quiet()
        (row,) = counter.rows(return_id)
        assert row.status == "done", fault
        assert len(counter.refunds(number)) == 1, fault
        counter.door.clear_faults()


def test_what_nobody_knows_is_never_called_failed(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    return_id = counter.back()
    counter.door.fault("commit_then_drop", route=REFUND)
    counter.work()
    (row,) = counter.rows(return_id)
    assert row.status == "unknown"
    assert "look it up" in row.problem
    assert counter.sums(row.order_id).pending_minor == row.amount_minor
    counter.door.fault("error_503", method="GET", times=50)
    for _ in range(3):
        counter.later()
        counter.work()
        assert counter.rows(return_id)[0].status == "unknown"
    counter.door.clear_faults()
    counter.until_quiet()
    assert counter.rows(return_id)[0].status == "done"
    assert len(counter.refunds()) == 1


def test_an_unknown_refund_is_found_when_stripe_has_forgotten_the_key(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    return_id = counter.back()
    counter.door.fault("commit_then_drop", route=REFUND)
    counter.work()
    counter.door.post("stripe/clock", {"ahead": 3 * 86_400})
    counter.until_quiet()
    assert counter.rows(return_id)[0].status == "done"
    assert len(counter.refunds()) == 1


def test_an_error_that_stripe_keeps_under_the_key_is_tried_under_the_next(counter: Counter) -> None:
    return_id = counter.back()
    counter.door.fault("error_500", route=REFUND)
    counter.until_quiet()
    (row,) = counter.rows(return_id)
    assert (row.status, row.round) == ("done", 2)
    (refund,) = counter.refunds()
    assert refund.metadata["porchlight_key"] == row.key == f"{row.id}:2"


@pytest.mark.parametrize("seen", [{"behind": 600}, {"bare": True}])
def test_a_refund_that_the_list_does_not_show_yet_is_never_made_under_the_next_key(
    any_counter: Counter, seen: dict[str, object]
) -> None:
    """Done, answered with a failure that Stripe repeats, and not to be found."""
    return_id = any_counter.back()
    any_counter.door.post("stripe/refund-list", seen)
    any_counter.door.fault("commit_then_500", route=REFUND)
    any_counter.until_quiet()
    (row,) = any_counter.rows(return_id)
    assert (row.status, row.round) == ("done" if "bare" in seen else "unknown", 1)
    assert any_counter.effects("refund.created") == 1
    any_counter.door.post("stripe/refund-list")
    any_counter.until_quiet()
    (row,) = any_counter.rows(return_id)
    assert [each.id for each in any_counter.refunds()] == [row.reference]
    assert any_counter.booked(row.order_id) == [row.amount_minor]


def test_a_refund_not_listed_is_not_made_again_when_stripe_has_forgotten_the_key(
    counter: Counter,
) -> None:
    hasty(counter.app, counter.box)
    return_id = counter.back()
    counter.door.post("stripe/refund-list", {"behind": 9 * 86_400})
    counter.door.fault("commit_then_drop", route=REFUND)
    counter.work()
    counter.door.post("stripe/clock", {"ahead": 3 * 86_400})
    for _ in range(3):
        counter.later(timedelta(days=1))
        counter.work()
        assert counter.rows(return_id)[0].status == "unknown"
    counter.door.post("stripe/refund-list")
    counter.until_quiet()
    (row,) = counter.rows(return_id)
    assert [each.id for each in counter.refunds()] == [row.reference]


def test_a_refund_of_the_same_amount_without_our_mark_holds_back_the_next_key(
    counter: Counter,
) -> None:
    """It may be ours: staff and Stripe's events tell, we do not guess."""
    return_id = counter.back()
    amount = counter.rows(return_id)[0].amount_minor
    counter.door.fault("error_500", route=REFUND)
    counter.work()
    counter.till().v1.refunds.create({"payment_intent": "pi_order_1001", "amount": amount})
    counter.until_quiet()
    (row,) = counter.rows(return_id)
    assert (row.status, row.round, "may be this one" in row.problem) == ("unknown", 1, True)
    assert counter.effects("refund.created") == 1


def test_the_next_key_is_not_taken_before_a_refund_had_time_to_be_listed(
    counter: Counter,
) -> None:
    return_id = counter.back()
    counter.door.fault("error_500", route=REFUND)
    for _ in range(4):
        counter.later(timedelta(0))
        counter.work()
    (row,) = counter.rows(return_id)
    assert (row.status, row.round) == ("unknown", 1)


def test_what_went_out_under_an_earlier_key_after_all_is_not_sent_again(counter: Counter) -> None:
    return_id = counter.back()
    counter.door.fault("error_500", route=REFUND)
    counter.work()
    counter.later()
    work("settle")  # one step: the next key is taken, and not yet used
    (row,) = counter.rows(return_id)
    assert (row.status, row.round) == ("wanted", 2)
    late = {"porchlight_key": row.id}
    wanted = {"payment_intent": "pi_order_1001", "amount": row.amount_minor, "metadata": late}
    made = counter.till().v1.refunds.create(wanted)
    counter.until_quiet()
    (row,) = counter.rows(return_id)
    assert (row.status, row.reference) == ("done", made.id)
    assert len(counter.refunds()) == 1


def test_a_lost_refund_stays_unknown_when_the_account_is_changed(counter: Counter) -> None:
    """The other account knows neither payment nor refund: that proves nothing."""
    hasty(counter.app, counter.box)
    return_id = counter.back()
    counter.door.fault("commit_then_drop", route=REFUND)
    counter.work()
    counter.door.fault("error_500", method="GET", path_prefix="/stripe/v1/refunds", times=1)
    with inside(shop_id("fern")), writing():
        row = session.scalars(select(Settlement)).one()
        payment, row.payment = row.payment, "pi_of_another_account"
    counter.until_quiet(3)
    assert counter.rows(return_id)[0].status == "unknown"
    with inside(shop_id("fern")), writing():
        session.scalars(select(Settlement)).one().payment = payment
    counter.until_quiet()
    assert counter.rows(return_id)[0].status == "done"
    assert len(counter.refunds()) == 1


def test_a_payment_nobody_knows_leaves_the_return_to_staff(any_counter: Counter) -> None:
    order_id = any_counter.paid(
        "1001", payment={"provider": "stripe", "reference": "pi_gone", "captured_minor": PAID_MINOR}
    )
    return_id = any_counter.back(order_id=order_id)
    any_counter.until_quiet(2)
    (row,) = any_counter.rows(return_id)
    assert row.status == "failed"
    assert "pay it by hand" in row.problem.lower()
    assert any_counter.rma(return_id).status == "checked"
    assert any_counter.booked(order_id) == []
    assert any_counter.sums(order_id).pending_minor == 0


@pytest.mark.parametrize("provider", ["paypal", "manual"])
def test_what_was_paid_elsewhere_is_paid_by_hand(counter: Counter, provider: str) -> None:
    paid = {"provider": provider, "reference": "P-1", "captured_minor": PAID_MINOR}
    return_id = counter.back(order_id=counter.paid("1001", payment=paid))
    counter.work()
    (row,) = counter.rows(return_id)
    assert (row.status, provider in row.problem) == ("failed", True)
    assert "POST /stripe/v1/refunds" not in counter.door.get("counts")["routes"]
    with inside(shop_id("fern")), writing():
        payout.by_hand(row.id, "staff:1 Ida", row.created_at, "Sent by bank transfer.")
    assert counter.rows(return_id)[0].status == "done"
    assert counter.rma(return_id).status == "settled"
    assert counter.booked(row.order_id) == [row.amount_minor]
    with inside(shop_id("fern")):
        why = session.scalar(select(AuditEntry.why).where(AuditEntry.act == "refund.by_hand"))
        assert why == "Sent by bank transfer."
    with inside(shop_id("fern")), pytest.raises(Conflict), writing():
        payout.by_hand(row.id, "staff:1 Ida", row.created_at, "Twice.")


def test_a_key_that_stripe_refuses_waits_for_the_operator(counter: Counter) -> None:
    return_id = counter.back()
    counter.app.extensions["banks"] = {}
    right = counter.app.extensions["porchlight"]
    wrong = type(right)(**{**vars(right), "stripe_secret_key": "sk_test_wrong"})
    counter.app.extensions["porchlight"] = wrong
    counter.work()
    (row,) = counter.rows(return_id)
    assert (row.status, "key" in row.problem) == ("performing", True)
    counter.app.extensions["porchlight"] = right
    counter.until_quiet()
    assert counter.rows(return_id)[0].status == "done"


def test_a_disputed_payment_is_not_refunded(counter: Counter) -> None:
    order_id = counter.paid("1001", at={"card": "pm_card_createDispute"})
    return_id = counter.back(order_id=order_id)
    counter.work()
    (row,) = counter.rows(return_id)
    assert (row.status, "dispute" in row.problem) == ("failed", True)
    assert counter.refunds() == []


def test_more_than_is_left_at_stripe_never_goes_out(counter: Counter) -> None:
    """The dashboard was faster, and nobody told us."""
    return_id = counter.back_with(shirts(3, "faulty"))
    counter.till().v1.refunds.create({"payment_intent": "pi_order_1001", "amount": 4_000})
    counter.until_quiet(3)
    (row,) = counter.rows(return_id)
    assert (row.status, "left" in row.problem) == ("failed", True)
    assert sum(each.amount for each in counter.refunds()) == 4_000


def test_two_workers_at_once_send_one_refund(any_counter: Counter) -> None:
    return_id = any_counter.back()
    any_counter.door.fault("slow", seconds=0.3, route=REFUND)
    start = threading.Barrier(4)

    def hand(n: int) -> None:
        with any_counter.app.app_context():
            start.wait(10)
            if n % 2:
                any_counter.later()  # the lease of the other has run out
            work("settle")
            session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hand, range(4)))
    any_counter.until_quiet()
    assert any_counter.rows(return_id)[0].status == "done"
    assert any_counter.effects("refund.created") == 1
    assert len(any_counter.booked(any_counter.order_of(return_id))) == 1
