"""What is stuck on its way out, put right by a person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import select

from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.models import AuditEntry, Settlement
from portal.models.change import Conflict
from portal.models.due import claim, finish
from portal.models.payout import LISTED, seen_paid, seen_unpaid
from portal.models.rma_rows import Act
from portal.sandbox import Box
from tests.conftest import shop_id
from tests.jobs.counter import Counter, counter_on, stand_in
from tests.models.bought import PAID_MINOR
from tests.models.test_rma_races import once, together
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


@pytest.fixture
def any_counter(database_url: str, both: Box) -> Iterator[Counter]:
    with counter_on(database_url, both) as counter:
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


def in_doubt(counter: Counter, number: str = "1001") -> Settlement:
    """A refund that Stripe answers with a failure, and beside it one that may be it."""
    return_id = counter.back(number=number)
    amount = counter.rows(return_id)[0].amount_minor
    counter.door.fault("error_500", route="POST /stripe/v1/refunds")
    counter.work()
    counter.till().v1.refunds.create({"payment_intent": f"pi_order_{number}", "amount": amount})
    counter.until_quiet()
    (row,) = counter.rows(return_id)
    assert row.status == "unknown"
    return row


def told(counter: Counter, row: Settlement, outcome: str, **more: str) -> str:
    """Staff say what they saw; the words of the page afterwards."""
    browser, page = joined(counter.app), f"/staff/returns/{row.subject}"
    assert "Nobody here knows" in browser.get(page).text
    path = f"/staff/settlements/{row.id}/outcome"
    why = "Seen on 3 May"
    assert browser.send(path, page, **{"outcome": outcome, "why": why} | more).status_code == 303
    return str(browser.get(page).text)


@pytest.mark.parametrize("heard", [True, False])
def test_a_refund_in_doubt_that_staff_saw_paid_is_done_and_booked_once(
    counter: Counter, heard: bool
) -> None:
    row = in_doubt(counter)
    (refund,) = counter.refunds()
    if heard:  # it is in the ledger as somebody else's
        assert [counter.push(event) for event in counter.stripe_events()]
        counter.work("payment")
        assert sum(counter.booked(row.order_id)) == row.amount_minor
    assert "Written down as paid" in told(counter, row, "paid", reference=refund.id)
    (found,) = counter.rows(row.subject)
    assert (found.status, found.reference) == ("done", refund.id)
    for event in counter.stripe_events():
        counter.push(event)
    counter.until_quiet()
    assert sum(counter.booked(row.order_id)) == row.amount_minor
    assert counter.rma(row.subject).status == "settled"
    assert len(counter.refunds()) == counter.effects("refund.created") == 1


def test_a_refund_in_doubt_that_staff_did_not_find_is_sent_again_once(counter: Counter) -> None:
    row = in_doubt(counter)
    assert "It is sent again" in told(counter, row, "unpaid")
    (found,) = counter.rows(row.subject)
    assert (found.status, found.round) == ("wanted", 2)
    with time_machine.travel(clock.now() + LISTED, tick=True):
        counter.until_quiet()
        made = [each.id for each in counter.refunds()]
    (found,) = counter.rows(row.subject)
    assert (found.status, found.problem) == ("done", "")
    assert (len(made), found.reference in made) == (2, True), "the other one was not ours"


def test_what_became_of_a_refund_is_said_once_and_with_a_reason(counter: Counter) -> None:
    row = in_doubt(counter)
    assert "Say what you saw" in told(counter, row, "paid", why=" ")
    assert "Say whether" in told(counter, row, "perhaps")
    assert counter.rows(row.subject)[0].status == "unknown"
    told(counter, row, "paid")
    browser, page = joined(counter.app), f"/staff/returns/{row.subject}"
    path = f"/staff/settlements/{row.id}/outcome"
    browser.send(path, page, outcome="unpaid", why="No, it was not")
    assert "known by now" in browser.get(page).text
    assert counter.rows(row.subject)[0].status == "done"
    with inside(shop_id("fern")):
        entries = session.scalars(select(AuditEntry).where(AuditEntry.act.like("refund.seen_%")))
        assert [(each.act, each.why) for each in entries] == [("refund.seen_paid", "Seen on 3 May")]


def test_while_the_provider_is_asked_nobody_says_what_became_of_it(any_counter: Counter) -> None:
    row = in_doubt(any_counter)
    any_counter.later()
    with every_shop(), writing():
        (lease,) = claim("settle", 1, clock.now())
    act = Act("staff:test", clock.now(), "Seen")
    for say in (seen_paid, seen_unpaid):
        with inside(shop_id("fern")), pytest.raises(Conflict, match="right now"), writing():
            say(row.id, act)
    with every_shop(), writing():
        finish(lease, again_at=clock.now())
    with inside(shop_id("fern")), writing():
        seen_unpaid(row.id, act)
    assert any_counter.rows(row.subject)[0].key == f"{row.id}:2"


@pytest.mark.parametrize("outcome", ["paid", "unpaid"])
def test_of_many_who_say_what_became_of_a_refund_one_is_heard(
    any_counter: Counter, outcome: str
) -> None:
    row = in_doubt(any_counter)
    act = Act("staff:test", clock.now(), "Seen")
    first = seen_paid if outcome == "paid" else seen_unpaid
    acts = [lambda: first(row.id, act), lambda: seen_paid(row.id, act)]
    acts += [lambda: seen_unpaid(row.id, act)] * 2
    assert once(together(any_counter.app, shop_id("fern"), *acts))
