"""The demo storefront: from the cart to a paid order, with protection and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextvars import Context
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from portal import clock, create_app
from portal.db import db, every_shop, inside, session, writing
from portal.demo.plans import PLANS
from portal.demo.shop import TOKEN
from portal.jobs.work import work
from portal.models import ApiToken, Checkout, Due, Order, PlanVersion, Shop
from portal.models.checkout import forget_unpaid
from portal.models.erasure import erase
from portal.models.ledger import sums_of
from portal.models.protection import protection_of
from portal.sandbox import Box
from tests.conftest import settings_for, shop_id, two_shops
from tests.jobs.counter import keys, stand_in
from tests.sandbox.conftest import Hands

BASE = "http://fern.localhost:8000"
GOODS, DELIVERY, PREMIUM = 5_800 + 1_900, 490, 179


@pytest.fixture
def box() -> Iterator[Box]:
    with stand_in(Hands()) as box:
        yield box


@pytest.fixture
def store(sqlite_url: str, box: Box) -> Iterator[Store]:
    app = create_app(settings_for(sqlite_url, **keys(box)), as_demo=True)
    with app.app_context():
        two_shops()
        with inside(shop_id("fern")), writing():
            PlanVersion.publish(PLANS["fern"], "operator", clock.now())
            made, secret = ApiToken.make(["quote"], [])
            session.add(made)
            shop = session.get_one(Shop, shop_id("fern"))
            shop.settings = {TOKEN: secret}
        yield Store(app)
        session.remove()
        db.engine.dispose()


class Store:
    """Somebody at the storefront."""

    def __init__(self, app: Flask) -> None:
        self.browser = app.test_client()

    def get(self, path: str = "/demo/shop") -> TestResponse:
        return Context().run(self.browser.get, path, base_url=BASE)

    def post(self, path: str, **more: Any) -> TestResponse:
        headers = {"Origin": BASE, **more.pop("headers", {})}
        return Context().run(
            lambda: self.browser.post(path, base_url=BASE, headers=headers, **more)
        )

    def quote(self) -> str:
        """What the widget would ask for and be given."""
        page = self.get().text
        found = re.search(r' token="([^"]+)".* cart="([^"]+)"', page)
        assert found is not None
        answer = self.post(
            "/api/v1/protection/quotes",
            json=json.loads(unescape(found[2])),
            headers={"Authorization": f"Bearer {found[1]}"},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json["premium_minor"] == PREMIUM
        return str(answer.json["quote"])

    def buy(self, **form: str) -> TestResponse:
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', self.get().text)
        assert csrf is not None
        cart = {"n-TEAPOT-MOSS": "1", "n-MUG-SAND": "1", "delivery": "standard"}
        filled = {"csrf_token": csrf[1], "email": "ada@example.com", **cart, **form}
        return self.post("/demo/shop", data=filled)

    def pay(self, answer: TestResponse) -> str:
        """Pay at Stripe's page; gives where that leads back to."""
        assert answer.status_code == 303, answer.text
        form = {"act": "pay", "means": "pm_card_visa", "email": "ada@example.com"}
        paid = requests.post(answer.headers["Location"], form, allow_redirects=False, timeout=5)
        return str(paid.headers["Location"]).removeprefix(BASE)


def looked() -> None:
    """The page is looked at, as the event or the job does."""
    with every_shop(), writing():
        session.execute(update(Due).where(Due.queue == "checkout").values(at=clock.now()))
    work("checkout")


def bought() -> tuple[Order, Any, Any]:
    with inside(shop_id("fern")):
        order = session.scalars(select(Order)).one()
        found = order, protection_of(order.id), sums_of([order.id])[order.id]
        session.expunge_all()
        return found


def test_a_paid_cart_is_an_order_with_its_protection(store: Store) -> None:
    thanks = store.pay(store.buy(protection_quote=store.quote()))
    assert "One moment" in store.get(thanks).text
    looked()
    order, cover, sums = bought()
    assert (cover.status, cover.premium_minor) == ("active", PREMIUM)
    assert sums.captured_minor == GOODS + DELIVERY + PREMIUM
    assert sums.premium_minor == PREMIUM
    page = store.get(thanks).text
    for told in (order.number, "Delivery protection", "$1.79", "$83.69", "Follow your order"):
        assert told in page
    link = re.search(r'href="(/t/[^"]+)"', page)
    assert link is not None
    tracking = store.get(link[1]).text
    assert "Your delivery is protected" in tracking
    assert tracking.count('data-track="items"') == 1


def test_a_cart_without_it_costs_no_more(store: Store) -> None:
    thanks = store.pay(store.buy())
    looked()
    _, cover, sums = bought()
    assert cover is None
    assert (sums.captured_minor, sums.premium_minor) == (GOODS + DELIVERY, 0)
    assert "/protection" in store.get(thanks).text


def test_a_price_or_a_quote_of_ones_own_buys_nothing(store: Store) -> None:
    quote = store.quote()
    for form in (
        {"protection_quote": quote[:-3] + "AAA"},
        {"protection_quote": quote, "n-MUG-SAND": "2"},
    ):
        assert store.buy(**form).status_code == 409
    assert store.buy(**{"n-TEAPOT-MOSS": "0", "n-MUG-SAND": "0"}).status_code == 422
    with inside(shop_id("fern")):
        assert session.scalars(select(Checkout)).all() == []


def test_coming_back_without_paying_makes_no_order(store: Store) -> None:
    answer = store.buy()
    looked()
    with inside(shop_id("fern")):
        assert session.scalars(select(Order)).all() == []
        assert session.scalars(select(Checkout)).one().status == "open"
    assert "/stripe/pay/" in answer.headers["Location"]


def test_who_is_forgotten_is_in_no_cart_either(store: Store) -> None:
    store.pay(store.buy())
    looked()
    store.buy()
    with inside(shop_id("fern")), writing():
        erase("ada@example.com", clock.now())
    with inside(shop_id("fern")):
        (kept,) = session.scalars(select(Checkout)).all()
        told = json.dumps([kept.email, kept.document, kept.items])
    assert (kept.status, kept.amount_minor) == ("paid", GOODS + DELIVERY)
    assert "ada@" not in told
    assert "shipping_address" not in told


def test_an_unpaid_cart_is_forgotten_after_a_week(store: Store) -> None:
    store.buy()
    for days, left in ((6, 1), (8, 0)):
        with every_shop(), writing():
            forget_unpaid(clock.now() + timedelta(days=days))
        with every_shop():
            assert len(session.scalars(select(Checkout)).all()) == left
