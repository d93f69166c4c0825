"""Cover bought after checkout: paid on Stripe's page, believed when looked at, given up once."""

from __future__ import annotations

import re
import threading
from contextvars import Context
from datetime import timedelta
from typing import Any, get_args

import pytest
import requests
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from portal import clock
from portal.db import inside, new_id, session, writing
from portal.jobs.send import _ready
from portal.models import Checkout, Link, Message, Order, PlanVersion, Protection, Shipment, Shop
from portal.models.change import Conflict
from portal.models.claim_acts import approve
from portal.models.claim_request import AskedClaim, request_claim
from portal.models.premium import cancel_cover
from portal.models.protection import protection_of
from portal.models.rma_request import order_for_return
from portal.models.rma_rows import Act
from portal.models.settlement import settlements_of
from portal.sandbox.faults import Wire
from portal.sources.document import OrderDocument
from tests.conftest import shop_id
from tests.jobs.counter import ADDRESS, Counter
from tests.models.bought import MUG, PAID_MINOR, SHIRT

BASE = "http://fern.localhost:8000"
PREMIUM = 145  # 2 % of 7 199, rounded up to the next five cents
WORKS = ("checkout", "payment", "settle")
PLAN = {
    "currency": "USD",
    "price": {"kind": "share", "basis_points": 200},
    "round_to_minor": 5,
    "provider": {"name": "Fern & Fable"},
}


@pytest.fixture
def buyer(any_counter: Counter) -> Buyer:
    return Buyer(any_counter)


@pytest.fixture
def quick(counter: Counter) -> Buyer:
    return Buyer(counter)


class Buyer:
    """Somebody whose order is paid and not sent yet."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        paid = {"reference": "pi_order_1001", "amount": PAID_MINOR, "currency": "usd"}
        counter.door.post("stripe/payments", paid)
        posted = {
            "number": "1001",
            "email": "ada@example.com",
            "currency": "USD",
            "shipping_address": ADDRESS,
            "lines": [SHIRT, MUG],
            "shipping_minor": 490,
            "payment": {
                "provider": "stripe",
                "reference": "pi_order_1001",
                "captured_minor": PAID_MINOR,
            },
            "shipments": [{"carrier": "UPS", "tracking_number": "1Z5R89W30310058842"}],
        }
        with inside(shop_id("fern")), writing():
            PlanVersion.publish(PLAN, "operator", clock.now())
            order, _ = Order.upsert(OrderDocument.model_validate(posted), clock.now())
            session.flush()
            self.order_id, self.token = order.id, Link.of(order.id)
        self.browser = counter.app.test_client()

    def get(self, path: str = "/protection") -> TestResponse:
        return Context().run(self.browser.get, f"/t/{self.token}{path}", base_url=BASE)

    def send(self, path: str = "/protection", **form: str) -> TestResponse:
        """Send a form as a browser does, from the page as it stands now."""
        page = self.get().text
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        quote = re.search(r'name="quote" value="([^"]+)"', page)
        assert csrf is not None, page
        filled = {"csrf_token": csrf[1], "quote": quote[1] if quote else "", **form}
        url, headers = f"/t/{self.token}{path}", {"Origin": BASE}
        return Context().run(
            lambda: self.browser.post(url, base_url=BASE, data=filled, headers=headers)
        )

    def accept(self) -> str:
        """Choose it; gives where it is paid."""
        answer = self.send(choice="accept")
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    def pay(self, url: str, means: str = "pm_card_visa") -> requests.Response:
        form = {"act": "pay", "means": means, "email": "ada@example.com"}
        return requests.post(url, data=form, allow_redirects=False, timeout=5)

    def look(self) -> None:
        self.counter.later()
        self.counter.work(*WORKS)

    @property
    def cover(self) -> Protection | None:
        with inside(shop_id("fern")):
            found = protection_of(self.order_id)
            session.expunge_all()
            return found

    def checkouts(self) -> list[str]:
        with inside(shop_id("fern")):
            return list(session.scalars(select(Checkout.status).order_by(Checkout.created_at)))

    def scanned(self) -> None:
        with inside(shop_id("fern")), writing():
            session.execute(update(Shipment).values(status="in_transit"))

    def cancel(self) -> None:
        with inside(shop_id("fern")), writing():
            order = order_for_return(self.order_id, lock=True)
            assert order is not None
            cancel_cover(order, Act("customer", clock.now()))

    def covered(self) -> None:
        """Buy it, all the way."""
        self.pay(self.accept())
        self.look()


def test_cover_is_paid_on_its_own_page_and_booked(buyer: Buyer) -> None:
    assert "$1.45" in buyer.get().text
    url = buyer.accept()
    assert buyer.cover is None
    buyer.pay(url)
    assert buyer.cover is None, "the way back proves nothing"
    buyer.look()
    cover = buyer.cover
    assert cover is not None
    assert (cover.status, cover.premium_minor, cover.payment[:3]) == ("active", PREMIUM, "pi_")
    assert cover.consent["preselected"] is False
    sums = buyer.counter.sums(buyer.order_id)
    assert (sums.captured_minor, sums.premium_minor) == (PAID_MINOR + PREMIUM, PREMIUM)
    assert "Your delivery is protected" in buyer.get().text
    page = buyer.get("").text
    assert "Delivery protection" in page
    assert "$1.45" in page
    buyer.look()
    assert buyer.counter.sums(buyer.order_id) == sums
    assert buyer.checkouts() == ["paid"]


def test_a_mail_names_the_protection_as_a_line_of_its_own(quick: Buyer) -> None:
    quick.covered()
    with inside(shop_id("fern")), writing():
        shop = session.get_one(Shop, shop_id("fern"))
        message = Message(
            id=new_id("msg", clock.now()),
            shop_id=shop.id,
            order_id=quick.order_id,
            kind="shipped",
            recipient="ada@example.com",
            facts={"number": "1001", "carrier": "UPS", "status": "in_transit", "items": []},
        )
        letter = _ready(message).letter
    for text in (letter.text, letter.html):
        assert "Delivery protection" in text
        assert "$1.45" in text


def test_what_cannot_be_had_is_not_offered_on_the_order_page(quick: Buyer) -> None:
    assert "See what it covers" in quick.get("").text
    quick.scanned()
    with inside(shop_id("fern")), writing():
        order_for_return(quick.order_id).touch(clock.now())  # type: ignore[union-attr]
    assert "Delivery protection" not in quick.get("").text


def test_two_clicks_lead_to_one_page(quick: Buyer) -> None:
    assert quick.accept() == quick.accept()
    assert quick.checkouts() == ["open"]


def test_declining_stores_nothing_and_costs_nothing(quick: Buyer) -> None:
    answer = quick.send(choice="decline")
    assert answer.status_code == 303
    assert quick.checkouts() == []
    assert quick.cover is None


def test_a_price_of_ones_own_is_not_taken(quick: Buyer) -> None:
    answer = quick.send(choice="accept", quote="made up", premium_minor="1")
    assert "protection=changed" in answer.headers["Location"]
    with inside(shop_id("fern")), writing():
        cheap = {**PLAN, "price": {"kind": "flat", "amount_minor": 1}}
        PlanVersion.publish(cheap, "operator", clock.now())
    found = re.search(r'name="quote" value="([^"]+)"', quick.get().text)
    assert found is not None
    with inside(shop_id("fern")), writing():
        PlanVersion.publish(PLAN, "operator", clock.now())
    answer = quick.send(choice="accept", quote=found[1])
    assert "protection=changed" in answer.headers["Location"]
    assert quick.checkouts() == []


def test_what_is_paid_when_the_parcel_has_left_goes_back_whole(buyer: Buyer) -> None:
    url = buyer.accept()
    buyer.scanned()
    buyer.pay(url)
    buyer.look()
    cover = buyer.cover
    assert cover is not None
    assert (cover.status, cover.reason) == ("refused", "on_its_way")
    assert buyer.checkouts() == ["sent_back"]
    assert buyer.counter.sums(buyer.order_id).captured_minor == PAID_MINOR
    assert buyer.counter.effects("refund.created") == 1
    buyer.look()
    assert buyer.counter.effects("refund.created") == 1
    assert "cannot be added any more" in buyer.get().text


def test_a_page_that_nobody_paid_at_ends(quick: Buyer) -> None:
    quick.accept()
    quick.counter.door.post("stripe/clock", {"ahead": 25 * 3600})
    quick.look()
    assert quick.checkouts() == ["expired"]
    assert quick.cover is None


def test_giving_it_up_sends_the_premium_back_once(buyer: Buyer) -> None:
    buyer.covered()
    answer = buyer.send("/protection/cancellation")
    assert "protection=cancelled" in answer.headers["Location"]
    buyer.counter.until_quiet()
    cover = buyer.cover
    assert cover is not None
    assert cover.status == "cancelled"
    sums = buyer.counter.sums(buyer.order_id)
    assert (sums.premium_minor, sums.refunded_minor, sums.pending_minor) == (0, PREMIUM, 0)
    assert sums.retained_minor == PAID_MINOR
    with pytest.raises(Conflict):
        buyer.cancel()
    assert buyer.counter.effects("refund.created") == 1


def test_many_at_once_get_one_premium_back(buyer: Buyer) -> None:
    buyer.covered()
    told: list[str] = []

    def act() -> None:
        with buyer.counter.app.app_context():
            try:
                buyer.cancel()
                told.append("done")
            except Conflict:
                told.append("conflict")
            finally:
                session.remove()

    threads = [threading.Thread(target=act) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["conflict", "conflict", "conflict", "done"]
    assert buyer.cover is not None
    with inside(shop_id("fern")):
        assert len(settlements_of(buyer.cover.id)) == 1


def test_a_claim_and_a_cancellation_exclude_each_other(buyer: Buyer) -> None:
    buyer.covered()
    with inside(shop_id("fern")), writing():
        parcel = session.scalars(select(Shipment)).one()
        parcel.status, parcel.delivered_at = "delivered", clock.now()
    told: list[str] = []

    def act(what: Any) -> None:
        with buyer.counter.app.app_context():
            try:
                what()
                told.append(what.__name__)
            except Conflict:
                pass
            finally:
                session.remove()

    def claimed() -> None:
        with inside(shop_id("fern")), writing():
            order = order_for_return(buyer.order_id, lock=True)
            assert order is not None
            asked = AskedClaim("missing_item", lines={"MUG": 1}, wanted="refund")
            claim = request_claim(order, asked, "page", "customer", clock.now())
            if claim.status == "open":
                approve(claim, "staff:test", clock.now())

    threads = [threading.Thread(target=act, args=(what,)) for what in (claimed, buyer.cancel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cover = buyer.cover
    assert cover is not None
    # The premium goes back only where the claim came after it, and is then not paid out of cover.
    assert (cover.status == "cancelled") == ("cancel" in told)
    if told and told[0] == "claimed":
        assert cover.status == "active"


@pytest.mark.parametrize(
    ("hours", "moved", "cancellable"),
    [(1, False, True), (1, True, True), (30, False, True), (30, True, False)],
)
def test_it_can_be_given_up_within_a_day_or_until_it_is_sent(
    quick: Buyer, hours: int, moved: bool, cancellable: bool
) -> None:
    quick.covered()
    if moved:
        quick.scanned()
    with inside(shop_id("fern")), writing():
        since = clock.now() - timedelta(hours=hours)
        session.execute(update(Protection).values(started_at=since))
    assert ("get $1.45 back" in quick.get().text) == cancellable
    if cancellable:
        quick.cancel()
    else:
        with pytest.raises(Conflict):
            quick.cancel()


FAULTS = [each for each in get_args(Wire) if each != "slow"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_provider_in_trouble_loses_and_doubles_nothing(quick: Buyer, fault: str) -> None:
    quick.counter.door.fault(fault, path_prefix="/stripe/v1/checkout", times=2)
    for _ in range(4):
        answer = quick.send(choice="accept")
        if "/pay/" in answer.headers["Location"]:
            break
        assert "protection=later" in answer.headers["Location"]
    quick.pay(answer.headers["Location"])
    quick.counter.door.fault(fault, path_prefix="/stripe/v1/checkout", times=2)
    for _ in range(6):
        quick.look()
    cover = quick.cover
    assert cover is not None
    assert cover.status == "active"
    assert quick.counter.booked(quick.order_id, "premium") == [PREMIUM]
    assert quick.counter.effects("payment_intent.succeeded") == 2  # the order's, and this
