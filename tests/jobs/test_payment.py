"""What Stripe pushes: twice, late, out of order or not at all, it comes to the same."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.db import inside, session
from portal.jobs.work import work
from portal.models import AuditEntry
from portal.models.change import Conflict
from portal.sources.sentences import Invalid
from tests.conftest import shop_id
from tests.jobs.counter import Counter, hasty
from tests.models.bought import PAID_MINOR, ask, shirts

REFUND = "POST /stripe/v1/refunds"


def dashboard(counter: Counter, amount: int, number: str = "1001", **more: Any) -> Any:
    """A refund that the merchant makes at Stripe itself."""
    wanted = {"payment_intent": f"pi_order_{number}", "amount": amount}
    return counter.till().v1.refunds.create(wanted | more)


def push_all(counter: Counter, *kinds: str, times: int = 1, shuffled: Any = None) -> None:
    events = [each for each in counter.stripe_events() if each.type.startswith(kinds or ("",))]
    told = events * times
    if shuffled is not None:
        shuffled.shuffle(told)
    for event in told:
        assert counter.push(event) == 200


def test_a_refund_made_at_stripe_itself_is_in_the_ledger_once(any_counter: Counter) -> None:
    order_id = any_counter.paid()
    dashboard(any_counter, 700)
    push_all(any_counter, times=3, shuffled=random.Random(1))
    any_counter.until_quiet(2)
    assert any_counter.booked(order_id) == [700]
    dashboard(any_counter, 300)
    push_all(any_counter, times=2, shuffled=random.Random(2))
    any_counter.until_quiet(2)
    assert any_counter.booked(order_id) == [700, 300], "amounts on the charge add up: 700, 1000"
    sums = any_counter.sums(order_id)
    assert (sums.refunded_minor, sums.refundable_minor) == (1_000, PAID_MINOR - 1_000)
    assert {state for kind, state in any_counter.events() if "refund" in kind} == {"applied"}


def test_one_that_fails_afterwards_is_booked_back_once(any_counter: Counter) -> None:
    order_id = any_counter.paid()
    made = dashboard(any_counter, 700)
    push_all(any_counter)
    any_counter.until_quiet(2)
    any_counter.door.post(f"stripe/refunds/{made.id}", {"status": "failed", "reason": "declined"})
    push_all(any_counter, times=2, shuffled=random.Random(3))
    any_counter.until_quiet(2)
    assert any_counter.booked(order_id) == [700, -700]
    assert any_counter.sums(order_id).refundable_minor == PAID_MINOR


def test_our_own_refund_is_not_counted_again_by_its_events(any_counter: Counter) -> None:
    return_id = any_counter.back()
    any_counter.work()
    push_all(any_counter, times=2, shuffled=random.Random(4))
    any_counter.until_quiet(2)
    (row,) = any_counter.rows(return_id)
    assert any_counter.booked(row.order_id) == [row.amount_minor]


def test_an_event_settles_what_the_answer_left_unknown(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    return_id = counter.back()
    counter.door.fault("commit_then_drop", route=REFUND)
    counter.work("settle")
    assert counter.rows(return_id)[0].status == "unknown"
    push_all(counter)
    counter.work("payment")
    assert counter.rows(return_id)[0].status == "done"
    assert counter.rma(return_id).status == "settled"


def test_a_refund_that_waits_is_done_when_stripe_says_so(counter: Counter) -> None:
    order_id = counter.paid("1001", at={"card": "pm_card_pendingRefund"})
    return_id = counter.back(order_id=order_id)
    counter.work()
    (row,) = counter.rows(return_id)
    assert (row.status, row.reference[:3]) == ("performing", "re_")
    assert counter.sums(order_id).pending_minor == row.amount_minor
    counter.door.post(f"stripe/refunds/{row.reference}", {"status": "succeeded"})
    push_all(counter)
    counter.work("payment")
    assert counter.rows(return_id)[0].status == "done"
    assert counter.booked(order_id) == [row.amount_minor]


def test_a_refund_that_fails_days_later_reopens_exactly_what_it_closed(
    any_counter: Counter,
) -> None:
    return_id = any_counter.back()
    any_counter.work()
    (row,) = any_counter.rows(return_id)
    any_counter.door.post(
        f"stripe/refunds/{row.reference}",
        {"status": "failed", "reason": "expired_or_canceled_card"},
    )
    push_all(any_counter, times=3, shuffled=random.Random(5))
    any_counter.until_quiet(2)
    (row,) = any_counter.rows(return_id)
    assert (row.status, "expired_or_canceled_card" in row.problem) == ("failed", True)
    assert any_counter.rma(return_id).status == "checked"
    assert any_counter.booked(row.order_id) == [row.amount_minor, -row.amount_minor]
    any_counter.settled(return_id)
    any_counter.until_quiet(3)
    old, row = any_counter.rows(return_id)
    assert (old.status, old.is_live, row.status) == ("failed", False, "done")
    assert any_counter.rma(return_id).status == "settled"
    assert sum(any_counter.booked(row.order_id)) == row.amount_minor
    push_all(any_counter, times=2, shuffled=random.Random(6))
    any_counter.until_quiet(2)
    assert any_counter.rows(return_id)[1].status == "done", "the old failure is of an older key"


def test_a_dispute_stops_what_is_wanted_of_its_payment(counter: Counter) -> None:
    order_id = counter.paid()
    charge = counter.till().v1.payment_intents.retrieve("pi_order_1001").latest_charge
    return_id = counter.back(order_id=order_id)
    counter.door.post("stripe/disputes", {"charge": charge})
    push_all(counter, "charge.dispute")
    counter.work("payment")
    (row,) = counter.rows(return_id)
    assert (row.status, "dispute" in row.problem) == ("failed", True)
    counter.until_quiet(2)
    assert counter.refunds() == []
    with inside(shop_id("fern")):
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.subject.like("order:%")))
        assert "payment.disputed" in list(acts)


def test_events_of_payments_nobody_knows_end_unmatched(counter: Counter) -> None:
    counter.door.post(
        "stripe/payments", {"reference": "pi_other_shop", "amount": 900, "currency": "usd"}
    )
    counter.till().v1.refunds.create({"payment_intent": "pi_other_shop", "amount": 900})
    push_all(counter, "refund.created")
    counter.work("payment")
    assert counter.events() == [("refund.created", "unmatched")]


def test_an_event_waits_while_stripe_is_away(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    order_id = counter.paid()
    dashboard(counter, 700)
    push_all(counter, "refund.created")
    counter.door.fault("error_503", method="GET", times=30)
    for _ in range(10):
        counter.later()
        counter.work("payment")
    assert counter.events() == [("refund.created", "received")]
    counter.door.clear_faults()
    counter.later()
    counter.work("payment")
    assert counter.booked(order_id) == [700]


def test_event_and_look_up_at_once_book_one_refund(any_counter: Counter) -> None:
    hasty(any_counter.app, any_counter.box)
    return_id = any_counter.back()
    any_counter.door.fault("commit_then_drop", route=REFUND)
    any_counter.work("settle")
    push_all(any_counter)
    any_counter.later()
    start = threading.Barrier(4)

    def hand(queue: str) -> None:
        with any_counter.app.app_context():
            start.wait(10)
            work(queue)
            session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hand, ("settle", "payment", "settle", "payment")))
    any_counter.until_quiet()
    (row,) = any_counter.rows(return_id)
    assert row.status == "done"
    assert any_counter.booked(row.order_id) == [row.amount_minor]


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("dashboard"), st.integers(100, 3_000)),
        st.tuples(st.just("return"), st.integers(1, 2)),
        st.tuples(st.just("fail"), st.integers(0, 9)),
        st.tuples(st.just("work"), st.just(0)),
        st.tuples(st.just("lose"), st.just(0)),
        st.tuples(st.just("push"), st.integers(0, 9)),
    ),
    min_size=3,
    max_size=10,
)
FEW = settings(
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_numbers = iter(range(6_000, 9_000))


@settings(FEW, max_examples=6)
@given(moves=MOVES)
def test_after_any_story_ledger_and_stripe_agree(
    counter: Counter, moves: list[tuple[str, int]]
) -> None:
    tell(counter, moves)


@pytest.mark.long
@settings(FEW, max_examples=120)
@given(moves=MOVES)
def test_after_very_many_stories_ledger_and_stripe_agree(
    any_counter: Counter, moves: list[tuple[str, int]]
) -> None:
    tell(any_counter, moves)


def tell(counter: Counter, moves: list[tuple[str, int]]) -> None:
    """Refunds by us and by the dashboard, failures, lost answers; then the sums are compared."""
    hasty(counter.app, counter.box)
    number = str(next(_numbers))
    order_id = counter.paid(number)
    for move, value in moves:
        _move(counter, order_id, number, move, value)
    counter.door.clear_faults()
    for _ in range(2):
        counter.until_quiet(4)
        push_all(counter, times=2, shuffled=random.Random(len(moves)))
        counter.until_quiet(4)
    sent = sum(each.amount for each in counter.refunds(number))
    sums = counter.sums(order_id)
    assert sums.refunded_minor == sent <= PAID_MINOR
    assert (sums.pending_minor, sums.captured_minor) == (0, PAID_MINOR)
    assert sums.retained_minor == PAID_MINOR - sent


def _move(counter: Counter, order_id: str, number: str, move: str, value: int) -> None:
    sent = counter.refunds(number)
    left = PAID_MINOR - sum(each.amount for each in sent)
    if move == "dashboard" and left:
        counter.door.clear_faults()  # a lost answer is for our own refunds, not for this hand's
        dashboard(counter, min(value, left), number)
    elif move == "return":
        _return(counter, order_id, value)
    elif move == "fail" and sent:
        chosen = sent[value % len(sent)]
        counter.door.post(f"stripe/refunds/{chosen.id}", {"status": "failed"})
    elif move == "work":
        counter.later()
        counter.work()
    elif move == "lose":
        counter.door.fault("commit_then_drop", route=REFUND)
    elif move == "push":
        push_all(counter, times=1 + value % 2, shuffled=random.Random(value))


def _return(counter: Counter, order_id: str, quantity: int) -> None:
    """Another return of the order, while it has shirts left."""
    try:
        return_id = ask(order_id, shirts(quantity, "faulty"), method="own_label")
    except (Conflict, Invalid):
        return
    counter.received(return_id)
    counter.settled(return_id)
