"""The storefront on a phone: from the cart to what was paid, with cover, without, and later."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from portal import clock, create_app
from portal.db import db, inside, session, writing
from portal.demo.plans import PLANS
from portal.demo.shop import TOKEN
from portal.models import ApiToken, PlanVersion, Shop
from tests.browser import look
from tests.browser.conftest import Silent
from tests.browser.test_returns import window
from tests.conftest import settings_for, shop_id, two_shops
from tests.demo.test_shop import looked
from tests.jobs.counter import keys, stand_in
from tests.sandbox.conftest import Hands

pytestmark = pytest.mark.browser
ADD, LEAVE = "Add protection for $1.79", "Continue without protection"


class Store:
    """The demo's storefront on a port of its own, and its worker."""

    def __init__(self, app: Flask, url: str) -> None:
        self.app, self.url = app, url

    def work(self) -> None:
        with self.app.app_context():
            looked()
            session.remove()

    def pay(self, page: Page) -> None:
        """Pay at Stripe's page with a card that works, and wait until it is found paid."""
        page.wait_for_url("**/stripe/pay/**")
        page.get_by_role("button", name="Pay", exact=True).click()
        page.wait_for_url(f"{self.url}/**")
        self.work()


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with stand_in(Hands()) as box:
        app = create_app(settings_for(sqlite_url, **keys(box)), as_demo=True)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
        server.daemon_threads = True
        url = f"http://fern.localhost:{server.server_port}"
        with app.app_context():
            two_shops()
            with inside(shop_id("fern")), writing():
                PlanVersion.publish(PLANS["fern"], "operator", clock.now())
                made, secret = ApiToken.make(["quote"], [])
                session.add(made)
                shop = session.get_one(Shop, shop_id("fern"))
                shop.moves_to(url)
                shop.settings = {TOKEN: secret}
            session.remove()
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield Store(app, url)
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def chosen(page: Page, store: Store, choice: str) -> None:
    """Choose in the widget, and go on to pay."""
    page.goto(f"{store.url}/demo/shop")
    page.wait_for_selector("porchlight-protection[data-state]", state="attached")
    assert look.sideways(page, 360) <= 0
    page.get_by_text(choice).click()
    page.get_by_role("button", name="Pay now").click()


def tracked(page: Page, store: Store) -> None:
    """From the thanks, which look again by themselves, to the order's own page."""
    page.get_by_role("link", name="Follow your order").click()
    page.wait_for_url("**/t/**")


@pytest.mark.long
def test_a_cart_is_paid_with_its_protection(chromium: Browser, store: Store) -> None:
    page = window(chromium)
    chosen(page, store, ADD)
    store.pay(page)
    tracked(page, store)
    text = page.locator("main").inner_text()
    assert "$1.79" in text
    assert look.faults(page) == []
    page.context.close()


def test_who_declined_can_add_it_until_the_parcel_leaves(chromium: Browser, store: Store) -> None:
    page = window(chromium)
    chosen(page, store, LEAVE)
    store.pay(page)
    tracked(page, store)
    page.locator("a[href$='/protection']").first.click()
    page.wait_for_url("**/protection")
    assert look.faults(page) == []
    assert look.sideways(page, 360) <= 0
    page.locator("button[value=accept]").click()
    store.pay(page)
    page.reload()
    text = page.locator("main").inner_text()
    assert "Covered up to" in text
    assert "$77.00" in text
    page.context.close()
