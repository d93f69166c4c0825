"""A claim as a customer makes it on a phone: from the order's page to the claim's own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from portal.db import inside, session, writing
from portal.models import Link, Shipment
from tests.browser import look
from tests.browser.conftest import Site
from tests.browser.test_returns import GO, fault_free, window
from tests.conftest import shop_id
from tests.models.bought import bought
from tests.models.test_claim_machine import covered
from tests.pages.samples import NOW

pytestmark = pytest.mark.browser
LOST = "Something is wrong with this parcel"
OTHER = "Something else is wrong"
LOOKS = list(product(("fern", "volta"), (360, 1280), ("light", "dark")))


@pytest.fixture(scope="module")
def orders(site: Site) -> dict[tuple[str, str], Iterator[str]]:
    """Paths of orders to claim with, by brand and by how their parcel stands."""
    with site.app.app_context():
        found = {
            (brand, stands): iter([_order(brand, stands, n) for n in range(len(LOOKS))])
            for brand, stands in product(("fern", "volta"), ("arrived", "lost"))
        }
        session.remove()
    return found


def _order(brand: str, stands: str, n: int) -> str:
    """An order with cover; `lost` ones are presumed so."""
    order_id = bought(brand, f"CL{stands[0].upper()}{n}", NOW)
    with inside(shop_id(brand)), writing():
        session.add(covered(order_id, 100_000))
        if stands == "lost":
            parcel = session.query(Shipment).filter_by(order_id=order_id).one()
            parcel.status, parcel.delivered_at = "in_transit", None
            parcel.overlays = ["presumed_lost"]
    with inside(shop_id(brand)):
        return f"/t/{Link.of(order_id)}"


def checked(page: Page, width: int, *, scripted: bool) -> None:
    """Nothing that axe finds; without JavaScript axe cannot run, so only what can be measured."""
    if scripted:
        fault_free(page, width)


def claim(page: Page, start: str, kind: str, link: str, *, scripted: bool) -> None:
    """Say what happened, about which article, and send it; ends on the claim's own page."""
    width = (page.viewport_size or {})["width"]
    page.goto(start)
    checked(page, width, scripted=scripted)
    page.locator("#help").get_by_role("link", name=link).click()
    checked(page, width, scripted=scripted)
    page.check(f"input[value={kind}]")
    page.locator(GO).click()
    if page.is_checked("#take-0"):
        page.uncheck("#take-0")
    page.check("#take-1")
    checked(page, width, scripted=scripted)
    page.locator(GO).click()
    page.wait_for_url("**/c/*")
    checked(page, width, scripted=scripted)


@pytest.mark.parametrize("brand", ["fern", "volta"])
def test_what_is_missing_is_claimed_on_a_phone_without_javascript(
    chromium: Browser, site: Site, orders: dict[tuple[str, str], Iterator[str]], brand: str
) -> None:
    page = window(chromium, java_script_enabled=False)
    start = site.url(brand, next(orders[brand, "arrived"]))
    claim(page, start, "missing_item", OTHER, scripted=False)
    assert page.locator("h1").inner_text() == "Approved"
    page.goto(start)
    [told] = page.locator("a[href*='/c/']").all()
    assert "Approved" in told.inner_text()
    page.context.close()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["not_received", "damaged", "wrong_item"])
def test_a_claim_of_each_other_kind_is_made_on_a_phone(
    chromium: Browser, site: Site, orders: dict[tuple[str, str], Iterator[str]], kind: str
) -> None:
    page = window(chromium)
    claim(page, site.url("fern", next(orders["fern", "arrived"])), kind, OTHER, scripted=True)
    assert page.locator("h1").inner_text() == "Approved"
    page.context.close()


@pytest.mark.parametrize("brand", ["fern", "volta"])
def test_what_is_probably_lost_leads_to_its_claim_and_has_no_faults(
    chromium: Browser, site: Site, orders: dict[tuple[str, str], Iterator[str]], brand: str
) -> None:
    page = window(chromium)
    start = site.url(brand, next(orders[brand, "lost"]))
    page.goto(start)
    page.get_by_role("link", name="Tell us what you would like instead").click()
    assert page.locator("h1").inner_text() == "It has not arrived"
    assert look.faults(page) == []
    claim(page, start, "lost", LOST, scripted=True)
    assert page.locator("h1").inner_text() == "Approved"
    page.context.close()


@pytest.mark.long
@pytest.mark.parametrize("kind", LOOKS, ids=str)
def test_a_claim_has_no_faults_anywhere(
    chromium: Browser,
    site: Site,
    orders: dict[tuple[str, str], Iterator[str]],
    kind: tuple[str, int, str],
) -> None:
    brand, width, scheme = kind
    page = window(chromium, width, color_scheme=scheme)
    start = site.url(brand, next(orders[brand, "arrived"]))
    claim(page, start, "damaged", OTHER, scripted=True)
    page.context.close()
