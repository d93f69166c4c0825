"""An exchange that is sent at once, as people meet it: from the questions to a saved card."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from werkzeug.serving import make_server

from portal import clock
from portal.db import inside, session, writing
from portal.demo.policies import FERN
from portal.models import Instant, Link, PolicyVersion
from portal.sandbox import Box
from tests.browser import look
from tests.browser.conftest import Silent, Site
from tests.conftest import running_app, shop_id
from tests.jobs.counter import keys, stand_in
from tests.models.bought import bought, sold
from tests.sandbox.conftest import Hands

pytestmark = [pytest.mark.browser, pytest.mark.long]
GO = "form .acts button[type=submit]"
CARD = "#instant form button"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A stand-in for Stripe, with its page to save a card at."""
    with stand_in(Hands()) as box:
        yield box


@pytest.fixture
def shop(sqlite_url: str, box: Box) -> Iterator[Site]:
    """The demo's rules, and a shirt that there is in another size."""
    for app in running_app(sqlite_url, **keys(box)):
        app.config["CHECKOUT_ORIGINS"] = (box.stripe_base,)
        with inside(shop_id("fern")), writing():
            since = clock.now() - timedelta(days=60)
            made = PolicyVersion.draft(FERN | {"version": 2}, "staff:ada", since)
            made.publish("staff:ada", since)
        sold(sku="TEE-XL", available=5)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Site(app, server.server_port, {})
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def window(chromium: Browser, width: int, **more: Any) -> Page:
    context = chromium.new_context(viewport={"width": width, "height": 740}, locale="en-US", **more)
    return context.new_page()


def start_of(site: Site, number: str) -> str:
    order_id = bought(number=number, now=clock.now())
    with inside(shop_id("fern")):
        return site.url("fern", f"/t/{Link.of(order_id)}/return")


def ask(page: Page, start: str, seen: Any) -> None:
    """Exchange one that is too small; up to the return's own page."""
    page.goto(start)
    page.check("#take-0")
    page.select_option("#quantity-0", "1")
    page.locator(GO).click()
    page.check("input[value=too_small]")
    page.locator(GO).click()
    assert "Or have it at once" in page.inner_text("#n-0-exchange")
    page.check("input[value=exchange]")
    page.select_option("#x-0", "TEE-XL")
    page.locator(GO).click()
    page.check("input[value=own_label]")
    page.locator(GO).click()
    assert page.get_by_text("Have it at once:").count() == 1
    seen("review")
    page.locator(GO).click()
    page.wait_for_url("**/r/*")
    page.get_by_role("link", name="Have the other one at once").click()
    assert page.locator("#instant").is_visible()
    seen("offered")


def test_a_card_is_saved_on_a_phone_without_javascript(chromium: Browser, shop: Site) -> None:
    page = window(chromium, 360, java_script_enabled=False)
    ask(page, start_of(shop, "1001"), lambda _: None)
    back = page.url.split("#")[0]
    page.check("#instant input[name=agreed]")
    page.locator(CARD).click()
    page.wait_for_url("**/pay/cs_*")
    with inside(shop_id("fern")):
        row = session.scalars(select(Instant)).one()
        assert (row.status, "19.00 at most" in row.consent["text"]) == ("wanted", True)
        session.rollback()
    page.goto(f"{back}?instant=saved")
    assert "We are asking the bank about your card" in page.inner_text("#instant")
    page.context.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_words_are_fit_for_everybody(
    chromium: Browser, shop: Site, width: int, scheme: str
) -> None:
    page = window(chromium, width, color_scheme=scheme)
    kept = os.environ.get("SCREENSHOTS", "")

    def seen(what: str) -> None:
        assert look.faults(page) == [], page.url
        assert look.sideways(page, width) <= 0, page.url
        assert look.small_targets(page) == [], page.url
        if kept:
            page.screenshot(path=f"{kept}/{what}-{width}-{scheme}.png", full_page=True)

    ask(page, start_of(shop, "1001"), seen)
    page.context.close()
