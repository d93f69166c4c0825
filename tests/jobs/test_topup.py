"""What an exchange costs more: shown, paid on Stripe's page, believed only when looked at."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import update
from werkzeug.test import TestResponse

from portal import clock
from portal.db import inside, session, writing
from portal.models import Exchange, Order, Return, Variant
from portal.models.exchange import exchanges_of
from portal.models.rma_settle import Act, lapse, resolve
from tests.conftest import shop_id
from tests.jobs.counter import Counter
from tests.models.bought import shirts, sold

DEAR_MINOR = 2_900
DUE_MINOR = DEAR_MINOR - 1_900


@pytest.fixture
def waits(any_counter: Counter) -> Waiting:
    """A return whose other article costs more, received: only its payment is awaited."""
    return Waiting(any_counter)


class Waiting:
    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        sold(sku="TEE-SILK", price_minor=DEAR_MINOR, available=1)
        wish = shirts(1, "style", resolution="exchange", exchange_sku="TEE-SILK", fallback="refund")
        self.return_id = counter.back_with(wish)
        self.token = counter.token(self.return_id)
        self.browser = counter.app.test_client()

    def get(self, path: str = "") -> TestResponse:
        return self.browser.get(f"/r/{self.token}{path}", base_url="http://fern.localhost:8000")

    def click(self) -> TestResponse:
        """Send the form with the button, as a browser does."""
        page = self.get().text
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert csrf is not None
        return self.browser.post(
            f"/r/{self.token}/payment",
            base_url="http://fern.localhost:8000",
            data={"csrf_token": csrf[1]},
            headers={"Origin": "http://fern.localhost:8000"},
        )

    def pay(self, url: str, means: str = "pm_card_visa") -> requests.Response:
        """What the customer does at Stripe's page."""
        form = {"act": "pay", "means": means, "email": "ada@example.com"}
        return requests.post(url, data=form, allow_redirects=False, timeout=5)

    def lapse(self, *, close: bool) -> None:
        """The reservation's time is over; with `close` the job that ends it runs."""
        past = clock.now() - timedelta(minutes=1)
        with inside(shop_id("fern")), writing():
            session.execute(update(Exchange).values(expires_at=past))
            if not close:
                found = Return.locked(self.return_id)
                assert found is not None
                mine = exchanges_of(self.return_id)[0].id
                assert lapse(found, mine, Act("job", clock.now()))
                resolve(found, None, Act("job", clock.now()))
        if close:
            self.counter.later()
            self.counter.work("expire")

    @property
    def row(self) -> Any:
        return next(row for row in self.counter.rows(self.return_id) if row.kind == "top_up")

    def orders(self) -> list[str]:
        with inside(shop_id("fern")):
            return [number for (number,) in session.query(Order.number).order_by(Order.number)]

    def exchange(self) -> Exchange:
        with inside(shop_id("fern")):
            (found,) = exchanges_of(self.return_id)
            session.expunge_all()
            return found

    def left(self) -> int | None:
        with inside(shop_id("fern")):
            variant = Variant.of("TEE-SILK")
            assert variant is not None
            return variant.available


def test_what_is_due_is_shown_and_nothing_is_charged_by_itself(waits: Waiting) -> None:
    waits.counter.until_quiet(3)
    assert waits.row.amount_minor == DUE_MINOR
    assert "Pay $10.00" in waits.get().text
    assert waits.counter.effects("checkout.session.completed") == 0
    assert waits.orders() == ["1001"]


def test_paid_at_stripe_and_looked_at_it_becomes_an_order_once(waits: Waiting) -> None:
    away = waits.click()
    assert away.status_code == 303
    assert away.location.startswith(waits.counter.box.stripe_base + "/pay/cs_")
    assert waits.click().location == away.location, "two clicks lead to one page"
    back = waits.pay(away.location)
    assert urlsplit(back.headers["Location"]).query == "payment=paid"
    assert waits.get("?payment=paid").status_code == 200
    assert waits.row.status == "wanted", "the way back to the shop proves nothing"
    waits.counter.until_quiet(3)
    assert (waits.row.status, waits.orders()) == ("done", ["1001", "1001-X1"])
    assert waits.counter.rma(waits.return_id).status == "settled"
    made = waits.exchange().order_id
    assert made is not None
    assert waits.counter.sums(made).captured_minor == DEAR_MINOR
    waits.counter.until_quiet(3)
    assert waits.orders() == ["1001", "1001-X1"]
    assert "To be paid" not in waits.get().text


def test_paid_when_nothing_is_due_any_more_goes_back_whole(waits: Waiting) -> None:
    away = waits.click()
    waits.lapse(close=False)
    assert waits.exchange().status == "fallen_back"
    waits.pay(away.location)
    for event in waits.counter.stripe_events():
        if event.type == "checkout.session.completed":
            assert waits.counter.push(event) == waits.counter.push(event) == 200
    waits.counter.until_quiet(3)
    assert waits.orders() == ["1001"]
    back = waits.counter.till().v1.refunds.list({"limit": 100}).data
    assert DUE_MINOR in [each.amount for each in back]
    assert waits.counter.effects("refund.created") == 2, "the difference, and the shirt itself"


def test_when_its_time_is_over_the_page_closes_and_the_money_goes_back(waits: Waiting) -> None:
    away = waits.click()
    assert waits.left() == 0
    waits.lapse(close=True)
    waits.counter.until_quiet(3)
    assert waits.pay(away.location).status_code == 410
    assert (waits.left(), waits.orders()) == (1, ["1001"])
    rows = [row for row in waits.counter.rows(waits.return_id) if row.is_live]
    assert [(row.kind, row.status) for row in rows] == [("refund", "done")]
    assert waits.counter.rma(waits.return_id).status == "settled"


def test_paid_in_the_last_moment_it_is_an_order(waits: Waiting) -> None:
    away = waits.click()
    waits.pay(away.location)
    waits.lapse(close=True)
    waits.counter.until_quiet(3)
    assert waits.orders() == ["1001", "1001-X1"]
    assert waits.exchange().status == "ordered"


def test_the_event_settles_it_once_however_often_it_comes(waits: Waiting) -> None:
    waits.pay(waits.click().location)
    for event in waits.counter.stripe_events() * 2:
        if event.type.startswith(("checkout.session", "payment_intent.succeeded")):
            assert waits.counter.push(event) == 200
    waits.counter.work("payment")
    assert waits.row.status == "done"
    waits.counter.until_quiet(3)
    assert waits.orders() == ["1001", "1001-X1"]
