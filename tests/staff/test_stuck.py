"""What is stuck on its way out, put right by a person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.sandbox import Box
from tests.jobs.counter import Counter, counter_on, stand_in
from tests.models.bought import PAID_MINOR
from tests.sandbox.conftest import Hands
from tests.staff.test_signin import joined


@pytest.fixture
def both() -> Iterator[Box]:
    with stand_in(Hands()) as box:
        yield box


@pytest.fixture
def counter(sqlite_url: str, both: Box) -> Iterator[Counter]:
    with counter_on(sqlite_url, both) as counter:
        yield counter


def test_a_refund_that_cannot_be_sent_is_paid_by_hand(counter: Counter) -> None:
    paid = {"provider": "manual", "reference": "cash", "captured_minor": PAID_MINOR}
    return_id = counter.back(order_id=counter.paid("1001", payment=paid))
    counter.work()
    (row,) = counter.rows(return_id)
    browser = joined(counter.app)
    assert "was paid by hand" in browser.get(f"/staff/returns/{return_id}").text
    path = f"/staff/settlements/{row.id}/payment"
    browser.send(path, f"/staff/returns/{return_id}", how="")
    assert counter.rows(return_id)[0].status == "failed", "how it was paid has to be said"
    assert (
        browser.send(path, f"/staff/returns/{return_id}", how="Bank transfer on 3 May").status_code
        == 303
    )
    assert counter.rows(return_id)[0].status == "done"
    assert counter.rma(return_id).status == "settled"
    browser.send(path, f"/staff/returns/{return_id}", how="Again")
    assert counter.booked(row.order_id) == [row.amount_minor]


def test_who_may_not_pay_cannot(counter: Counter) -> None:
    paid = {"provider": "manual", "reference": "cash", "captured_minor": PAID_MINOR}
    return_id = counter.back(order_id=counter.paid("1001", payment=paid))
    counter.work()
    (row,) = counter.rows(return_id)
    browser = joined(counter.app, role="warehouse")
    assert "was paid by hand" not in browser.get(f"/staff/returns/{return_id}").text
    assert (
        browser.send(
            f"/staff/settlements/{row.id}/payment", f"/staff/returns/{return_id}", how="x"
        ).status_code
        == 403
    )
