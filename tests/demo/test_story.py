"""The minute in which a parcel travels twelve days, watched in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIETLY
from tests.demo.conftest import Demo

pytestmark = pytest.mark.browser


def test_the_button_leads_to_a_page_whatever_the_host(demo: Demo) -> None:
    """Chromium holds a form's redirect to the policy of the page the form stood on."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
        for host in ("127.0.0.1", "fern.localhost", "volta.localhost"):
            page = browser.new_page(locale="en-US")
            page.goto(f"http://{host}:{demo.port}/demo")
            page.get_by_role("button", name="Send a parcel").click()
            page.wait_for_url(f"http://{host}:{demo.port}/t/*")
            expect(page.locator("[data-track=eta]")).to_be_visible()
        browser.close()


@pytest.mark.long
def test_twelve_days_pass_in_a_minute_on_a_page_that_changes_by_itself(demo: Demo) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
        page = browser.new_page(locale="en-US")
        page.goto(f"http://127.0.0.1:{demo.port}/demo")
        page.get_by_role("button", name="Send a parcel").click()
        page.wait_for_url("**/t/*")
        page.evaluate("() => { window.never_reloaded = true }")
        state = page.locator(".state").first
        expect(state).to_have_text("On its way", timeout=60_000)
        expect(state).to_have_text("Delivered", timeout=120_000)
        assert page.evaluate("() => window.never_reloaded")
        assert page.locator("[data-track=history] time").count() == 10
        expect(page.locator("[role=status]")).to_contain_text("Delivered")
        browser.close()
