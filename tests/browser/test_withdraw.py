"""The withdrawal function in a browser: two steps, a receipt, on a phone and without JavaScript."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from portal.db import inside, session
from portal.models import Withdrawal
from tests.browser import look
from tests.browser.conftest import Site
from tests.conftest import shop_id

pytestmark = pytest.mark.browser
KINDS = [("fern", 360, "light", False), ("volta", 360, "dark", True), ("fern", 1280, "dark", True)]
RECEIPT = re.compile(r"/withdraw/(?!confirm)[^/]+$")
ALBUM = os.environ.get("ALBUM", "")  # a folder for pictures of every step; "" takes none


def window(chromium: Browser, width: int, scheme: str, scripted: bool) -> Page:
    """A page of its own browser."""
    context = chromium.new_context(
        viewport={"width": width, "height": 740},
        locale="en-US",
        color_scheme=scheme,
        java_script_enabled=scripted,
    )
    return context.new_page()


def fault_free(page: Page, width: int, name: str) -> None:
    """Nothing that axe finds, nothing sideways, nothing tiny."""
    if ALBUM:
        page.screenshot(path=Path(ALBUM) / f"{name}.png", full_page=True)
    assert look.faults(page) == [], page.url
    assert look.sideways(page, width) <= 0, page.url
    assert look.small_targets(page) == [], page.url


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))
def test_a_contract_is_withdrawn_from_in_two_steps(
    chromium: Browser, site: Site, kind: tuple[str, int, str, bool]
) -> None:
    brand, width, scheme, scripted = kind
    page = window(chromium, width, scheme, scripted)

    def seen(name: str) -> None:
        if scripted:  # what looks for faults is a script itself
            fault_free(page, width, f"{brand}-{width}-{scheme}-{name}")

    page.goto(site.url(brand, "/withdraw?number=W-7"))
    seen("1-form")
    page.get_by_role("button", name="Withdraw from contract here").click()
    assert page.locator("#problems").is_visible()
    seen("2-problems")
    page.fill("#name", "Ada Example")
    page.fill("#email", f"{width}-{scheme}@example.com")
    page.fill("#articles", "The mug\nand the tea towel")
    page.get_by_role("button", name="Withdraw from contract here").click()
    seen("3-confirm")
    page.get_by_role("button", name="Back").click()
    assert page.input_value("#name") == "Ada Example"
    assert page.input_value("#number") == "W-7"
    page.get_by_role("button", name="Withdraw from contract here").click()
    page.get_by_role("button", name="Confirm withdrawal").dblclick()
    page.wait_for_url(RECEIPT)
    seen("4-receipt")
    assert page.locator("h1").inner_text() == "We have your withdrawal"
    with site.app.app_context(), inside(shop_id(brand)):
        mine = session.query(Withdrawal).filter_by(email=f"{width}-{scheme}@example.com")
        assert [row.articles for row in mine] == ["The mug\nand the tea towel"]
    page.context.close()
