"""An instant exchange: card saved, the other article sent, and one charge if nothing comes back."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import requests
import stripe
from sqlalchemy import select, text, update

from portal import clock
from portal.api.return_replies import return_reply
from portal.db import db, inside, session, writing
from portal.jobs.bank import bank_of, read_refunds
from portal.models import Instant, Message, Order, Return, Shop, payout
from portal.models.change import Conflict
from portal.models.instant_pay import let_go
from portal.models.reconcile import differences, our_side, recent_payments
from portal.models.rma_acts import cancel
from portal.models.rma_choice import Choice
from portal.models.rma_receipt import Count
from portal.models.rma_settle import Act, resolve
from portal.sandbox import Box
from portal.staff.queue import VIEWS
from tests.conftest import shop_id
from tests.jobs.counter import Counter, counter_on, hasty
from tests.jobs.swap import CONSENT, EACH_MINOR, Swap
from tests.sandbox.conftest import wait_until


@pytest.fixture
def swap(any_counter: Counter) -> Swap:
    """Two shirts to be exchanged under rules that send the others at once."""
    return Swap(any_counter)


def test_nothing_is_sent_before_a_card_is_saved(swap: Swap) -> None:
    url = swap.agree()
    assert swap.agree() == url, "two clicks lead to one page"
    swap.look()
    assert (swap.row.status, swap.numbers(), swap.left()) == ("wanted", ["1001"], 0)
    assert swap.row.consent == CONSENT


def test_with_a_card_the_other_article_goes_out_once_and_nothing_is_charged(swap: Swap) -> None:
    swap.sent()
    swap.look()
    assert swap.numbers() == ["1001", "1001-X1"]
    assert (swap.charges(), swap.left()) == ([], 0)
    assert swap.counter.sums(swap.order_id()).captured_minor == 0


def test_what_comes_back_pays_for_it_and_the_card_is_forgotten(swap: Swap) -> None:
    swap.sent()
    swap.counter.received(swap.return_id)
    with inside(shop_id("fern")), writing():
        rma = Return.locked(swap.return_id)
        assert rma is not None
        with pytest.raises(Conflict, match="was sent already"):
            resolve(rma, [Choice("TEE-M", resolution="refund")], Act("staff:ada", clock.now()))
    swap.resolve()
    swap.day_comes()
    swap.look()
    assert (swap.row.status, swap.paid()) == ("released", [])
    assert swap.counter.sums(swap.order_id()).captured_minor == 2 * EACH_MINOR
    assert swap.counter.rma(swap.return_id).status == "settled"
    assert _card(swap).customer is None


def test_if_nothing_comes_back_it_is_charged_once(swap: Swap) -> None:
    swap.sent()
    swap.look()
    assert swap.paid() == [], "not before its day"
    swap.day_comes()
    swap.look(5)
    assert (swap.row.status, swap.paid()) == ("charged", [2 * EACH_MINOR])
    assert swap.counter.booked(swap.order_id(), "captured") == [2 * EACH_MINOR]
    assert _card(swap).customer is None
    assert _differences(swap) == []


def test_what_comes_after_the_charge_gives_exactly_that_charge_back_once(swap: Swap) -> None:
    swap.sent()
    swap.day_comes()
    swap.look()
    swap.counter.received(swap.return_id)
    swap.resolve()
    swap.look(4)
    order = swap.order_id()
    assert swap.counter.booked(order) == [2 * EACH_MINOR]
    (charge,) = swap.charges()
    back = swap.counter.till().v1.refunds.list({"payment_intent": charge.id}).data
    assert [row.amount for row in back] == [2 * EACH_MINOR]
    sums = swap.counter.sums(order)
    assert sums.captured_minor - sums.refunded_minor == 2 * EACH_MINOR
    assert swap.counter.rma(swap.return_id).status == "settled"


@pytest.mark.parametrize("means", ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"])
def test_a_bank_that_says_no_charges_nothing_and_is_not_asked_again(swap: Swap, means: str) -> None:
    swap.sent(means)
    swap.day_comes()
    swap.look(5)
    assert (swap.row.status, swap.paid(), len(swap.charges())) == ("declined", [], 1)
    assert swap.row.problem
    assert swap.counter.sums(swap.order_id()).captured_minor == 0
    swap.counter.received(swap.return_id)
    swap.resolve()
    assert swap.counter.sums(swap.order_id()).captured_minor == 2 * EACH_MINOR


@pytest.mark.parametrize("kept", [1, 2])
def test_only_what_was_not_in_the_parcel_is_charged(swap: Swap, kept: int) -> None:
    swap.sent()
    swap.counter.received(swap.return_id, Count("TEE-M", 2 - kept, "A", "restock", True))
    if kept == 1:
        swap.resolve()
    swap.day_comes()
    swap.look(4)
    assert (swap.row.status, swap.paid()) == ("charged", [kept * EACH_MINOR])
    assert swap.counter.sums(swap.order_id()).captured_minor == 2 * EACH_MINOR
    assert swap.counter.booked(swap.order_id()) == []


def test_nothing_is_charged_without_a_word_before(swap: Swap) -> None:
    swap.sent()
    with inside(shop_id("fern")), writing():
        past = clock.now() - timedelta(minutes=1)
        session.execute(update(Instant).values(charge_at=past))
    swap.look(4)
    assert (swap.row.status, swap.paid()) == ("saved", [])
    with inside(shop_id("fern")):
        kinds = list(session.scalars(select(Message.kind)))
    assert kinds.count("return_charge_soon") == 1


def test_an_answer_that_is_lost_is_looked_up_and_never_charged_twice(swap: Swap) -> None:
    swap.sent()
    swap.day_comes()
    hasty(swap.counter.app, swap.counter.box)
    fault = {"fault": "commit_then_drop", "route": "POST /v1/payment_intents"}
    swap.counter.door.post("faults", fault)
    swap.look(5)
    assert (swap.row.status, swap.paid()) == ("charged", [2 * EACH_MINOR])
    assert swap.counter.booked(swap.order_id(), "captured") == [2 * EACH_MINOR]


def test_it_cannot_be_called_off_once_it_was_sent(swap: Swap) -> None:
    swap.sent()
    with inside(shop_id("fern")), writing():
        rma = Return.locked(swap.return_id)
        assert rma is not None
        with pytest.raises(Conflict, match="on its way already"):
            cancel(rma, "customer", clock.now())


def test_called_off_before_a_card_is_saved_lets_go_of_everything(swap: Swap) -> None:
    url = swap.agree()
    with inside(shop_id("fern")), writing():
        rma = Return.locked(swap.return_id)
        assert rma is not None
        cancel(rma, "customer", clock.now())
    swap.save(url)
    swap.look()
    assert (swap.row.status, swap.numbers(), swap.left()) == ("lapsed", ["1001"], 2)
    assert _card(swap).customer is None


def test_the_page_says_what_is_agreed_to_and_nothing_is_taken_from_the_way_back(
    swap: Swap,
) -> None:
    browser, base = swap.counter.app.test_client(), "http://fern.localhost:8000"
    path = f"/r/{swap.counter.token(swap.return_id)}"
    page = browser.get(path, base_url=base).text
    assert "$38.00 at most" in page
    form = {
        "csrf_token": _hidden(page, "csrf_token"),
        "exchange": _hidden(page, "exchange"),
    }
    more: Any = {"base_url": base, "headers": {"Origin": base}}
    unsaid = browser.post(f"{path}/instant", data=form, **more)
    assert unsaid.location.endswith("?instant=unsaid")
    away = browser.post(f"{path}/instant", data=form | {"agreed": "yes"}, **more)
    assert away.location.startswith(swap.counter.box.stripe_base + "/pay/cs_")
    assert "$38.00 at most" in swap.row.consent["text"]
    assert browser.get(f"{path}?instant=saved", base_url=base).status_code == 200
    assert swap.row.status == "wanted", "the way back proves nothing"
    swap.save(away.location)
    for event in swap.counter.stripe_events():
        swap.counter.push(event)
    swap.counter.work("payment")
    assert (swap.row.status, swap.numbers()) == ("saved", ["1001", "1001-X1"])
    assert "card ending in 4242" in browser.get(path, base_url=base).text


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def _differences(swap: Swap) -> list[str]:
    """What is not the same in our ledger and at Stripe."""
    with inside(shop_id("fern")):
        payment = swap.row.payment
        assert payment in recent_payments("stripe", clock.now())
        bank = bank_of(session.get_one(Shop, shop_id("fern")))
        assert bank is not None
        found, refunds = read_refunds(bank, payment)
        return [str(each) for each in differences(our_side(payment), found.captured_minor, refunds)]


def _card(swap: Swap) -> Any:
    if not swap.row.card:
        return None
    try:
        return swap.counter.till().v1.payment_methods.retrieve(swap.row.card)
    except stripe.InvalidRequestError:
        return None


@pytest.fixture
def refused(swap: Swap) -> Swap:
    """Nothing came back, and the bank did not let the card be charged."""
    swap.sent("pm_card_authenticationRequired")
    swap.day_comes()
    swap.look()
    assert swap.row.status == "declined"
    return swap


def test_what_a_card_was_not_charged_for_is_paid_at_a_page_once(refused: Swap) -> None:
    url = refused.to_pay()
    assert refused.to_pay() == url, "two clicks lead to one page"
    refused.save(url)
    for event in refused.counter.stripe_events() * 2:
        refused.counter.push(event)
    refused.look(5)
    assert refused.row.status == "charged"
    assert refused.counter.booked(refused.order_id(), "captured") == [2 * EACH_MINOR]
    assert refused.to_pay() == "", "nothing is due any more"
    assert _kinds() == {"return_charge_failed": 1, "return_charged": 1}
    refused.counter.received(refused.return_id)
    refused.resolve()
    refused.look(4)
    assert refused.counter.booked(refused.order_id()) == [2 * EACH_MINOR]


def test_what_came_back_meanwhile_closes_the_page_to_pay_at(refused: Swap) -> None:
    url = refused.to_pay()
    refused.counter.received(refused.return_id)
    refused.resolve()
    refused.look()
    assert refused.row.status == "released"
    assert requests.post(url, data={"act": "pay"}, timeout=5).status_code >= 400
    assert refused.counter.sums(refused.order_id()).captured_minor == 2 * EACH_MINOR


def test_what_is_paid_though_staff_let_it_go_is_sent_back_whole(refused: Swap) -> None:
    url = refused.to_pay()
    refused.save(url)
    with inside(shop_id("fern")), writing():
        let_go(refused.row.id, "staff:ada", clock.now(), "Bank transfer on 3 May")
    refused.look(4)
    (paid,) = [row for row in refused.charges() if row.status == "succeeded"]
    back = refused.counter.till().v1.refunds.list({"payment_intent": paid.id}).data
    assert [row.amount for row in back] == [2 * EACH_MINOR]
    assert refused.counter.sums(refused.order_id()).captured_minor == 0


def test_the_api_and_staff_are_told_of_it(refused: Swap) -> None:
    with inside(shop_id("fern")):
        rma = Return.read(refused.return_id)
        assert rma is not None
        (exchange,) = return_reply(rma, "http://fern.localhost:8000").exchanges
        assert exchange.instant is not None
        told = exchange.instant
        assert (told.status, told.amount_minor, told.charged_minor) == (
            "declined",
            2 * EACH_MINOR,
            2 * EACH_MINOR,
        )
        money = next(view for view in VIEWS if view.name == "money")
        [part] = [each for each in money.parts if each.of is Return]
        assert list(session.scalars(select(Return.id).where(part.where))) == [rma.id]


def _kinds() -> dict[str, int]:
    with inside(shop_id("fern")):
        kinds = list(session.scalars(select(Message.kind)))
    return {kind: kinds.count(kind) for kind in kinds if "charge" in kind}


@pytest.mark.db
def test_a_late_refund_waits_for_the_return_s_order_before_it_holds_its_own(
    fresh_postgres: str, both: Box
) -> None:
    with counter_on(fresh_postgres, both) as counter:
        swap = Swap(counter)
        swap.sent()
        swap.day_comes()
        swap.look()
        counter.received(swap.return_id)
        swap.resolve()
        late = next(each for each in counter.rows(swap.return_id) if each.kind == "refund")
        told = threading.Thread(target=_refunded, args=(counter, late.id), daemon=True)
        with inside(shop_id("fern")), writing():
            rma = Return.locked(swap.return_id)
            assert rma is not None
            told.start()
            _until_one_waits()
            own = select(Order.id).where(Order.id == late.order_id).with_for_update(nowait=True)
            assert session.scalar(own) == late.order_id, "else both wait for each other"
            rma.touch(clock.now())
        told.join(timeout=60)
        assert counter.booked(late.order_id) == [2 * EACH_MINOR]


def _refunded(counter: Counter, settlement_id: str) -> None:
    with counter.app.app_context(), inside(shop_id("fern")), writing():
        payout.succeeded(settlement_id, "re_late", clock.now())


def _until_one_waits() -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with db.engine.connect() as other:
        wait_until(lambda: bool(other.scalar(waiting)), seconds=30)
