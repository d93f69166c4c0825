"""Refunds: once each, whatever is lost on the way."""

from __future__ import annotations

from tests.jobs.counter import ONE_SHIRT_MINOR, Counter


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
