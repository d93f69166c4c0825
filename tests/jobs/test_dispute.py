"""Disputes: taken in whatever the order of events, answered once, and never paid twice."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, get_args

import pytest
from sqlalchemy import select, update

from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.reconcile import compare
from portal.jobs.work import work
from portal.models import AuditEntry, Claim, Dispute
from portal.models.change import Conflict
from portal.models.claim_acts import approve
from portal.models.dispute_acts import answer, take_in
from portal.models.due import Due
from portal.models.ledger import payments_left
from portal.payments.contract import DisputeFacts, DisputeMove
from portal.sandbox.faults import Wire
from tests.conftest import shop_id
from tests.jobs.counter import Counter, hasty
from tests.jobs.test_carrier import at_once
from tests.models.bought import PAID_MINOR, shirts
from tests.models.test_claim import claimed, told
from tests.sandbox.conftest import wait_until

ANSWER = "POST /stripe/v1/disputes/<id>"
UPLOAD = "POST /stripe/v1/files"
READ = "GET /stripe/v1/disputes/<id>"


def disputed(counter: Counter, number: str = "1001", **more: Any) -> Any:
    """The customer's bank takes the payment back; gives the dispute as the bank has it."""
    charge = counter.till().v1.charges.list({"payment_intent": f"pi_order_{number}"}).data[0].id
    return counter.door.post("stripe/disputes", {"charge": charge, **more})


def push_all(counter: Counter, chance: random.Random | None = None) -> None:
    """Push everything that happened to disputes; in any order and twice, where `chance` says."""
    events = [each for each in counter.stripe_events() if each.type.startswith("charge.dispute")]
    if chance is not None:
        events = chance.sample(events * 2, 2 * len(events))
    for each in events:
        assert counter.push(each) == 200
    counter.work("payment")


def dispute_of(order_id: str) -> Dispute:
    with inside(shop_id("fern")):
        row = session.scalars(select(Dispute).where(Dispute.order_id == order_id)).one()
        session.expunge_all()
        return row


def answered(order_id: str, words: str = "It was delivered and signed for.") -> None:
    with inside(shop_id("fern")), writing():
        row = Dispute.locked(dispute_of(order_id).id)
        assert row is not None
        answer(row, words, "staff:test", clock.now())


def later() -> None:
    with every_shop(), writing():
        session.execute(update(Due).values(at=clock.now(), leased=False))


def test_a_dispute_is_kept_answered_and_lost(counter: Counter) -> None:
    order_id = counter.paid()
    dispute = disputed(counter)
    push_all(counter)
    row = dispute_of(order_id)
    assert (row.provider_id, row.status) == (dispute["id"], "needs_response")
    assert (row.amount_minor, row.taken_minor, row.fee_minor) == (PAID_MINOR, PAID_MINOR, 1_500)
    assert row.due_at is not None
    sums = counter.sums(order_id)
    assert (sums.disputed_minor, sums.dispute_fee_minor) == (PAID_MINOR, 1_500)
    assert sums.refundable_minor == 0
    answered(order_id)
    counter.work("dispute")
    row = dispute_of(order_id)
    assert (row.evidence, row.problem, row.status) == ("sent", "", "under_review")
    there = counter.till().v1.disputes.retrieve(dispute["id"])
    evidence = there.evidence
    assert evidence.customer_name == "Ada Example"
    assert evidence.shipping_tracking_number == "1Z5R89W30310058842"
    assert evidence.uncategorized_text.startswith("It was delivered and signed for.")
    assert counter.till().v1.files.retrieve(evidence.uncategorized_file).type == "pdf"
    assert there.evidence_details.submission_count == 1
    counter.door.post(f"stripe/disputes/{dispute['id']}", {"verdict": "lost"})
    push_all(counter)
    assert dispute_of(order_id).status == "lost"
    assert counter.sums(order_id).disputed_minor == PAID_MINOR
    with pytest.raises(Conflict, match="no evidence"):
        answered(order_id)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 12))]
)
def test_events_in_any_order_and_twice_come_to_the_same(counter: Counter, seed: int) -> None:
    order_id = counter.paid()
    dispute = disputed(counter)
    counter.door.post(f"stripe/disputes/{dispute['id']}", {"verdict": "won"})
    push_all(counter, random.Random(seed))
    row = dispute_of(order_id)
    assert (row.status, row.taken_minor, row.fee_minor) == ("won", 0, 0)
    assert sorted(counter.booked(order_id, "disputed")) == [-PAID_MINOR, PAID_MINOR]
    assert counter.sums(order_id).refundable_minor == PAID_MINOR
    with inside(shop_id("fern")):
        [left] = payments_left(order_id, "stripe")
        assert left.left_minor == PAID_MINOR


def test_an_earlier_look_that_ends_late_replaces_nothing(counter: Counter) -> None:
    order_id = counter.paid()
    now = clock.now()
    base = {
        "id": "dp_1", "payment": "pi_order_1001", "reason": "fraudulent", "amount_minor": 100,
        "currency": "USD", "is_refundable": False, "opened_at": now,
    }  # fmt: skip
    taken, back = DisputeMove("txn_1", 100), DisputeMove("txn_2", -100)
    looks = [
        (DisputeFacts(**base, status="won", moves=(taken, back)), now),
        (DisputeFacts(**base, status="under_review", moves=(taken,)), now - timedelta(seconds=5)),
    ]
    for seen, looked_at in [*looks, looks[0]]:
        with inside(shop_id("fern")), writing():
            take_in(seen, looked_at, now)
    assert (dispute_of(order_id).status, dispute_of(order_id).taken_minor) == ("won", 0)
    assert counter.booked(order_id, "disputed") == [100, -100]


def test_nothing_else_is_given_while_the_bank_has_the_money(counter: Counter) -> None:
    claim_id = claimed(counter.paid(), "damaged", clock.now(), lines={"MUG": 1})
    return_id = counter.returned(shirts(1, "faulty"), order_id=told(claim_id, "order_id")[0])
    counter.received(return_id)
    dispute = disputed(counter)
    push_all(counter)
    for words in ("could be paid twice", "given this order's payment back"):
        with pytest.raises(Conflict, match=words), inside(shop_id("fern")), writing():
            approve(Claim.locked(claim_id), "staff:test", clock.now())  # type: ignore[arg-type]
        with pytest.raises(Conflict, match=words):
            counter.settled(return_id)
        if words.startswith("could"):
            counter.door.post(f"stripe/disputes/{dispute['id']}", {"verdict": "lost"})
            push_all(counter)
    assert told(claim_id, "status") == ("open",)
    assert counter.effects("refund.created") == 0


def test_a_covered_claim_of_a_disputed_order_waits_for_a_person(counter: Counter) -> None:
    order_id = counter.paid()
    disputed(counter)
    push_all(counter)
    claim_id = claimed(order_id, "damaged", clock.now(), lines={"MUG": 1})
    status, decision = told(claim_id, "status", "decision")
    assert (status, decision["rule"], decision["because"]) == ("open", "dispute", "in_dispute")


def test_a_dispute_that_was_won_lets_refunds_go_out_again(counter: Counter) -> None:
    return_id = counter.returned(shirts(1, "faulty"))
    counter.received(return_id)
    dispute = disputed(counter)
    push_all(counter)
    counter.door.post(f"stripe/disputes/{dispute['id']}", {"verdict": "won"})
    push_all(counter)
    counter.settled(return_id)
    counter.work("settle")
    [row] = counter.rows(return_id)
    assert (row.status, row.problem) == ("done", "")


def test_a_dispute_that_no_event_told_of_is_found_within_a_day(counter: Counter) -> None:
    order_id = counter.paid()
    disputed(counter)
    for _ in range(2):
        with inside(shop_id("fern")):
            assert list(compare(shop_id("fern"))) == []
    assert dispute_of(order_id).status == "needs_response"
    assert counter.booked(order_id, "disputed") == [PAID_MINOR]


def test_a_question_of_the_banks_blocks_nothing_and_moves_nothing(counter: Counter) -> None:
    claim_id = claimed(counter.paid(), "damaged", clock.now(), lines={"MUG": 1})
    disputed(counter, inquiry=True)
    push_all(counter)
    order_id = told(claim_id, "order_id")[0]
    assert (dispute_of(order_id).status, dispute_of(order_id).blocks) == (
        "warning_needs_response", False,
    )  # fmt: skip
    with inside(shop_id("fern")), writing():
        approve(Claim.locked(claim_id), "staff:test", clock.now())  # type: ignore[arg-type]
    counter.work("settle")
    assert told(claim_id, "status") == ("paid",)


@pytest.mark.parametrize(
    "fault",
    [
        "commit_then_drop",
        *(
            pytest.param(each, marks=pytest.mark.long)
            for each in get_args(Wire)
            if each != "commit_then_drop"
        ),
    ],
)
def test_whatever_fails_the_evidence_is_sent_once(counter: Counter, fault: str) -> None:
    hasty(counter.app, counter.box)
    for n, route in enumerate((ANSWER, UPLOAD, READ)):
        order_id = counter.paid(f"900{n}")
        dispute = disputed(counter, f"900{n}")
        push_all(counter)
        answered(order_id)
        counter.door.fault(fault, route=route, seconds=0.8)
        counter.work("dispute")
        counter.door.clear_faults()
        if fault == "slow" and route == ANSWER:
            wait_until(lambda id=dispute["id"]: _count(counter, id) == 1)
        for _ in range(8):
            if dispute_of(order_id).evidence == "sent":
                break
            later()
            counter.work("dispute")
        assert dispute_of(order_id).evidence == "sent", f"{fault} at {route}"
        assert _count(counter, dispute["id"]) == 1


def _count(counter: Counter, id: str) -> int:
    found = counter.till().v1.disputes.retrieve(id)
    return int(found.evidence_details.submission_count)


def test_evidence_that_is_asked_for_twice_at_once_is_sent_once(any_counter: Counter) -> None:
    order_id = any_counter.paid()
    dispute = disputed(any_counter)
    push_all(any_counter)
    refused = at_once(any_counter, lambda: answered(order_id), 4)
    assert refused.count("Conflict") == 3
    at_once(any_counter, lambda: work("dispute"), 3)
    assert dispute_of(order_id).evidence == "sent"
    assert _count(any_counter, dispute["id"]) == 1
    with inside(shop_id("fern")):
        acts = list(session.scalars(select(AuditEntry.act)))
    assert (acts.count("dispute.answered"), acts.count("dispute.sent")) == (1, 1)


def test_too_late_is_said_and_staff_see_why(counter: Counter) -> None:
    order_id = counter.paid()
    dispute = disputed(counter)
    push_all(counter)
    counter.door.post("stripe/clock", {"ahead": 8 * 86_400})
    answered(order_id)
    counter.work("dispute")
    row = dispute_of(order_id)
    assert row.evidence == "failed"
    assert "past due" in row.problem
    assert _count(counter, dispute["id"]) == 0
