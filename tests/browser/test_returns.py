"""A return as people meet it: from the order's page to its own, and the desk that decides."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from portal.db import inside, session
from portal.models import Return
from tests.browser import look
from tests.browser.conftest import Site
from tests.browser.sent_back import Counter, stock_returns
from tests.conftest import shop_id

pytestmark = pytest.mark.browser
PASSWORD = "seven green umbrellas"
GO = "form .acts button[type=submit]"


@pytest.fixture(scope="module")
def counters(site: Site) -> dict[str, Counter]:
    """What there is to send back, for both brands."""
    with site.app.app_context():
        found = {brand: stock_returns(brand) for brand in ("fern", "volta")}
        session.remove()
    return found


def window(chromium: Browser, width: int = 360, **more: Any) -> Page:
    """A page of its own browser."""
    context = chromium.new_context(viewport={"width": width, "height": 740}, locale="en-US", **more)
    return context.new_page()


def fault_free(page: Page, width: int) -> None:
    """Nothing that axe finds, nothing sideways, nothing tiny."""
    assert look.faults(page) == [], page.url
    assert look.sideways(page, width) <= 0, page.url
    assert look.small_targets(page) == [], page.url


def walk(page: Page, start: str, seen: Any) -> None:
    """Answer every question and send; `seen` is called on each page."""
    page.goto(start)
    page.get_by_role("link", name="Start a return").click()
    seen()
    page.locator(GO).click()
    expect(page.locator("#problems")).to_be_focused()
    seen()
    page.check("#take-0")
    page.select_option("#quantity-0", "1")
    page.locator(GO).click()
    seen()
    page.check("input[value=too_small]")
    page.locator(GO).click()
    seen()
    page.check("input[value=exchange]")
    page.select_option("#x-0", "TEE-XL")
    page.locator(GO).click()
    seen()
    page.check("input[value=qr]")
    page.locator(GO).click()
    seen()
    page.locator(GO).click()
    page.wait_for_url("**/r/*")
    seen()
    assert page.locator("h1").inner_text() == "Approved"


def every_step(
    chromium: Browser, site: Site, counters: dict[str, Counter], kind: tuple[str, int, str, bool]
) -> None:
    brand, width, scheme, scripted = kind
    page = window(chromium, width, color_scheme=scheme, java_script_enabled=scripted)
    place = 1 + (width == 1280) + 2 * (scheme == "dark") + 4 * (not scripted)
    start = site.url(brand, counters[brand].fresh[place])

    def seen() -> None:
        if scripted:
            fault_free(page, width)

    walk(page, start, seen)
    page.context.close()


def test_every_step_on_a_phone(chromium: Browser, site: Site, counters: dict[str, Counter]) -> None:
    every_step(chromium, site, counters, ("fern", 360, "light", True))


MATRIX = [
    *product(("fern", "volta"), (360, 1280), ("light", "dark"), (True,)),
    *product(("fern", "volta"), (360, 1280), ("light",), (False,)),
]


@pytest.mark.long
@pytest.mark.parametrize("kind", MATRIX[1:], ids=str)
def test_every_step_everywhere(
    chromium: Browser, site: Site, counters: dict[str, Counter], kind: tuple[str, int, str, bool]
) -> None:
    every_step(chromium, site, counters, kind)


def press_until(page: Page, what: str) -> None:
    """Tab on until the element with the focus matches, and is in sight."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(what) => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"Nothing reached by Tab is {what}.")


def enter(page: Page) -> None:
    """Press Enter and wait for the page it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


COVERED = """() => {
  const el = document.activeElement, box = el.getBoundingClientRect()
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
  return !(el.contains(top) || top?.contains(el) || top?.closest("label"))
}"""


def test_the_whole_way_by_keyboard_alone(
    chromium: Browser, site: Site, counters: dict[str, Counter]
) -> None:
    page = window(chromium)
    page.goto(site.url("fern", counters["fern"].fresh[0]))
    press_until(page, "a[href$='/return']")
    enter(page)
    for target, key in (
        ("#take-0", "Space"),
        ("input[type=radio]", "Space"),
        ("input[type=radio]", "Space"),
        ("input[type=radio]", "Space"),
    ):
        press_until(page, target)
        assert not page.evaluate(COVERED)
        page.keyboard.press(key)
        press_until(page, "button[type=submit]")
        enter(page)
    assert page.url.endswith("/review")
    press_until(page, "button[type=submit]")
    enter(page)
    assert page.locator("h1").inner_text() == "Approved"
    page.context.close()


def test_two_clicks_send_one_return_and_back_keeps_the_answers(
    chromium: Browser, site: Site, counters: dict[str, Counter]
) -> None:
    page, start = window(chromium), site.url("fern", counters["fern"].fresh[9])
    page.goto(f"{start}/return")
    page.check("#take-1")
    page.locator(GO).click()
    page.check("input[value=changed_mind]")
    page.fill("textarea", "It is a second one.")
    page.locator(GO).click()
    page.wait_for_url("**/what")
    page.go_back()
    assert page.input_value("textarea") == "It is a second one."
    page.reload()
    assert page.is_checked("input[value=changed_mind]")
    page.locator(GO).click()
    page.check("input[value=refund]")
    page.locator(GO).click()
    page.check("input[value=in_store]")
    page.locator(GO).click()
    page.locator(GO).dblclick()
    page.wait_for_url("**/r/*")
    with site.app.app_context(), inside(shop_id("fern")):
        assert session.query(Return).filter_by(number="R9-R1").count() == 1
        assert session.query(Return).filter_by(number="R9-R2").count() == 0
        session.remove()
    page.context.close()


def test_a_photo_is_added_seen_and_taken_out(
    chromium: Browser, site: Site, counters: dict[str, Counter]
) -> None:
    page, start = window(chromium), site.url("volta", counters["volta"].fresh[0])
    page.goto(f"{start}/return")
    page.check("#take-0")
    page.locator(GO).click()
    page.check("input[value=faulty]")
    drawn = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(drawn, "JPEG")
    file = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": drawn.getvalue()}
    page.set_input_files("#photo-0", file)
    page.locator(GO).click()
    page.wait_for_url("**/what")
    page.go_back()
    page.reload()
    picture = page.locator(".photos img")
    assert picture.evaluate("(img) => img.complete && img.naturalWidth") == 60
    fault_free(page, 360)
    page.check("input[name=remove-0]")
    page.locator(GO).click()
    page.wait_for_url("**/what")
    page.goto(f"{start}/return/why")
    assert page.locator(".photos img").count() == 0
    page.context.close()


def test_the_returns_page_the_policy_and_the_slip_are_for_everybody(
    chromium: Browser, site: Site, counters: dict[str, Counter]
) -> None:
    page, mine = window(chromium), counters["fern"]
    for path in (mine.approved, mine.waiting, f"{mine.approved}/slip", "/policy"):
        page.goto(site.url("fern", path))
        fault_free(page, 360)
    page.goto(site.url("fern", f"{mine.approved}/slip"))
    page.emulate_media(media="print")
    assert page.locator(".qr svg").is_visible()
    assert not page.get_by_role("link", name="Back to the return").is_visible()
    page.context.close()


@pytest.fixture
def desk(chromium: Browser, site: Site, counters: dict[str, Counter]) -> Iterator[Page]:
    """Somebody who works at fern, on a phone."""
    page = window(chromium)
    page.goto(site.url("fern", counters["fern"].desk))
    fault_free(page, 360)
    page.fill("#name", "Dana")
    page.fill("#password", PASSWORD)
    page.get_by_role("button").click()
    page.wait_for_url("**/staff/queue")
    yield page
    page.context.close()


def test_the_desk_works_on_a_phone(desk: Page, site: Site, counters: dict[str, Counter]) -> None:
    fault_free(desk, 360)
    desk.goto(site.url("fern", counters["fern"].at_desk))
    fault_free(desk, 360)
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_text("Approved.", exact=True).wait_for()
    desk.locator("#q0").fill("1")
    desk.get_by_role("button", name="Write it down").click()
    desk.get_by_text("Written down.").wait_for()
    fault_free(desk, 360)
    desk.get_by_role("button", name="Pay", exact=True).click()
    desk.get_by_text("Money is on its way.").wait_for()
    fault_free(desk, 360)
