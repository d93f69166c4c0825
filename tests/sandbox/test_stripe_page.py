"""The hosted pages in a real browser: pay, be declined, prove who one is, save a card."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import chromium
from tests.browser.look import faults
from tests.sandbox.stripe_shop import session

__all__ = ["chromium"]
pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab in which the shop's own addresses answer with one word."""

    def shop(route: Route) -> None:
        route.fulfill(status=200, content_type="text/plain", body="The shop.")

    tab = chromium.new_page()
    tab.route("http://127.0.0.1:9/**", shop)
    yield tab
    tab.close()


def test_somebody_is_declined_asked_by_the_bank_and_pays(page, till):
    bought = session(till)
    page.goto(bought.url)
    assert faults(page) == []
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Test card").select_option("pm_card_chargeDeclined")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    page.get_by_label("Test card").select_option("pm_card_authenticationRequired")
    page.get_by_role("button", name="Pay").click()
    page.get_by_role("button", name="Yes, go on").click()
    page.wait_for_url(f"**/done?s={bought.id}")
    assert till.v1.checkout.sessions.retrieve(bought.id).payment_status == "paid"
    page.goto(bought.url)
    expect(page.get_by_role("alert")).to_contain_text("This page is closed")


def test_somebody_goes_back_and_later_saves_a_card(page, till):
    saved = session(till, mode="setup", line_items=None, currency="eur", customer_creation="always")
    page.goto(saved.url)
    page.get_by_role("button", name="Go back").click()
    page.wait_for_url("**/back")
    page.goto(saved.url)
    page.get_by_role("button", name="Save the card").click()
    page.wait_for_url("**/done?s=*")
    done = till.v1.checkout.sessions.retrieve(saved.id, {"expand": ["setup_intent"]})
    assert done.setup_intent.status == "succeeded"
