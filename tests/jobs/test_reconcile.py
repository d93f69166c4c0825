"""Our ledger beside the provider's: every difference is named, and nothing is moved."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from portal import clock
from portal.cli import check_work
from portal.cli.reconcile import _compare
from portal.db import every_shop, inside, session, writing
from portal.jobs.reconcile import compare, plan_reconciling
from portal.models import Order, Settlement
from portal.models.claim_acts import approve
from tests.conftest import shop_id
from tests.jobs.counter import Counter, hasty
from tests.models.bought import PAID_MINOR
from tests.models.test_claim import claimed, on

REFUND = "POST /stripe/v1/refunds"


def found(counter: Counter) -> list[str]:
    with inside(shop_id("fern")):
        return [str(each) for each in compare(shop_id("fern"))]


def daily(counter: Counter) -> None:
    with every_shop(), writing():
        plan_reconciling(clock.now())
    counter.work("reconcile")


def money_lines() -> list[str]:
    with every_shop():
        return [str(each) for each in check_work.of_money(clock.now())]


def test_where_both_are_the_same_nothing_is_said(any_counter: Counter) -> None:
    any_counter.back()
    any_counter.work()
    assert found(any_counter) == []
    daily(any_counter)
    assert "no difference" in money_lines()[0]


def test_what_a_claim_sent_again_was_captured_once(counter: Counter) -> None:
    order_id = counter.paid()
    id = claimed(order_id, now=clock.now(), lines={"MUG": 1}, wanted="reship")
    on(id, lambda claim: approve(claim, "staff:1", clock.now()))
    with inside(shop_id("fern")):
        assert session.query(Order).filter(Order.number == "1001-C1").count() == 1
    assert found(counter) == []


def test_a_refund_nobody_told_us_of_is_named_and_doctor_says_so(any_counter: Counter) -> None:
    order_id = any_counter.paid()
    any_counter.till().v1.refunds.create({"payment_intent": "pi_order_1001", "amount": 700})
    (text,) = found(any_counter)
    assert text == "order 1001, payment pi_order_1001: 0 refunded here, 700 at the provider."
    daily(any_counter)
    assert any_counter.booked(order_id) == [], "it is named, not booked"
    assert "1 differences" in money_lines()[0]


def test_each_side_of_every_difference_is_told(counter: Counter) -> None:
    return_id = counter.back()
    counter.work()
    (row,) = counter.rows(return_id)
    counter.door.post(f"stripe/refunds/{row.reference}", {"status": "failed"})
    one = f"Refund {row.id} of {row.amount_minor} is done here and failed at the provider."
    both = f"{row.amount_minor} refunded here, 0 at the provider."
    assert [text.partition(": ")[2] for text in found(counter)] == [one, both]


def test_a_payment_the_provider_does_not_know_and_another_amount_are_named(
    counter: Counter,
) -> None:
    paid = {"provider": "stripe", "captured_minor": PAID_MINOR}
    counter.paid("1001", payment={**paid, "reference": "pi_gone"})
    counter.paid("1002", at={"amount": 500}, payment={**paid, "reference": "pi_order_1002"})
    gone, other = found(counter)
    assert gone == "order 1001, payment pi_gone: The provider does not know this payment."
    assert other.endswith(f"{PAID_MINOR} captured here, 500 at the provider.")


def test_what_nobody_knows_is_looked_up(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    return_id = counter.back()
    counter.door.fault("commit_then_drop", route=REFUND)
    counter.work("settle")
    counter.work("settle")
    with every_shop(), writing():
        session.execute(update(Settlement).values(problem=""))
    daily(counter)
    counter.work("settle")
    assert counter.rows(return_id)[0].status == "done"
    assert len(counter.refunds()) == 1


def test_while_stripe_is_away_it_is_compared_later(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    counter.paid()
    counter.door.fault("error_503", times=9)
    daily(counter)
    assert counter.due("reconcile")


def test_the_command_names_differences(
    counter: Counter, capsys: pytest.CaptureFixture[str]
) -> None:
    counter.paid()
    counter.till().v1.refunds.create({"payment_intent": "pi_order_1001", "amount": 700})
    runner = CliRunner()
    with runner.isolation() as streams, inside(shop_id("fern")):
        assert _compare(shop_id("fern"), "fern") == 1
        assert b"fern: order 1001, payment pi_order_1001: 0 refunded here" in streams[0].getvalue()
