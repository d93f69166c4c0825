"""The page that changes by itself: announced quietly, focus left where it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Response, expect

from portal.db import session
from tests.browser.conftest import Site
from tests.browser.stock import become

pytestmark = pytest.mark.browser
HIDE = """Object.defineProperty(document, "hidden", { get: () => window.away === true })"""
SECONDS = 20


def follow(page: Page) -> list[int]:
    """The answers to what the page asks by itself, as they come."""
    answers: list[int] = []

    def note(answer: Response) -> None:
        if answer.url.endswith("/live"):
            answers.append(answer.status)

    page.on("response", note)
    return answers


def wait(page: Page, seconds: int = SECONDS) -> None:
    """Let the page believe that so much time has passed, and let its question be answered."""
    page.clock.run_for(seconds * 1000)
    page.evaluate("() => fetch('/healthz').then((answer) => answer.text())")


def tell(site: Site, state: str, news: str) -> None:
    """What a carrier's news does to fern's order in `state`."""
    with site.app.app_context():
        become(site.orders["fern"][state], news)
        session.remove()


def test_news_comes_by_itself_and_is_announced_without_moving_the_focus(
    site: Site, phone: Page
) -> None:
    answers = follow(phone)
    phone.clock.install()
    phone.goto(site.page_of("fern", "moving"))
    said = phone.locator("[role=status]")
    expect(said).to_have_text("")
    phone.locator("summary").click()
    phone.locator("a[data-track=number]").focus()
    with phone.expect_response("**/live"):
        wait(phone)
    assert answers == [200]
    expect(said).to_have_text("")
    with phone.expect_response("**/live"):
        wait(phone)
    assert answers == [200, 304]
    tell(site, "moving", "out_for_delivery")
    with phone.expect_response("**/live"):
        wait(phone)
    assert answers == [200, 304, 200]
    expect(said).to_contain_text("Out for delivery")
    expect(phone.locator("[data-track=eta]")).to_contain_text("Today")
    expect(phone.locator("[aria-current=step]")).to_contain_text("Out for delivery")
    assert phone.evaluate("() => document.activeElement.matches('[data-track=number]')")
    assert phone.locator("details").get_attribute("open") is not None


def test_nobody_asks_while_nobody_looks(site: Site, phone: Page) -> None:
    answers = follow(phone)
    phone.clock.install()
    phone.add_init_script(HIDE)
    phone.goto(site.page_of("fern", "near"))
    phone.evaluate("() => { window.away = true }")
    wait(phone, 5 * SECONDS)
    assert answers == []
    with phone.expect_response("**/live"):
        phone.evaluate(
            "() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')) }"
        )
    assert answers == [200]


def test_asking_ends_with_the_journey(site: Site, phone: Page) -> None:
    answers = follow(phone)
    phone.clock.install()
    phone.goto(site.page_of("fern", "late"))
    tell(site, "late", "delivered")
    with phone.expect_response("**/live") as ended:
        wait(phone)
    assert ended.value.headers["live-stop"] == "1"
    expect(phone.locator("[role=status]")).to_contain_text("Delivered")
    wait(phone, 10 * SECONDS)
    assert answers == [200]


def test_a_page_whose_journey_is_over_never_asks(site: Site, phone: Page) -> None:
    answers = follow(phone)
    phone.clock.install()
    phone.goto(site.page_of("fern", "delivered"))
    wait(phone, 10 * SECONDS)
    assert answers == []


def test_a_lost_line_is_no_trouble(site: Site, phone: Page) -> None:
    mishaps: list[str] = []
    phone.on("pageerror", lambda error: mishaps.append(str(error)))
    phone.clock.install()
    phone.goto(site.page_of("fern", "missorted"))
    before = phone.locator("main").inner_text()
    phone.context.set_offline(True)
    phone.clock.run_for(SECONDS * 2000)
    phone.context.set_offline(False)
    with phone.expect_response("**/live"):
        wait(phone)
    assert phone.locator("main").inner_text() == before
    assert mishaps == []


def test_the_number_can_be_copied_and_says_so(site: Site, phone: Page) -> None:
    phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    phone.goto(site.page_of("fern", "weather"))
    phone.locator(".copy").click()
    expect(phone.locator("[role=status]")).to_have_text("Copied")
    number = phone.locator(".copy").get_attribute("data-copy")
    assert phone.evaluate("() => navigator.clipboard.readText()") == number
