"""The tracking page as people meet it: every state in a real browser."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import look
from tests.browser.conftest import Site
from tests.browser.stock import EMAIL, PERSONAL
from tests.pages.samples import STATES, sample

pytestmark = pytest.mark.browser
ROUND_TRIP = 14_600  # bytes: ten packets of 1,460, what a server sends before the first answer
WITHOUT_PARCEL = {"placed", "cancelled"}
NEVER = re.compile(
    r"label created|fulfil|infoReceived|manifest|pre-advice|backend|\b[a-z]+_[a-z]+\b",
    re.IGNORECASE,
)
DATE = re.compile(
    r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? .*(November|December) \d+"
    r"|(Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag),? .*\d+\. (November|Dezember)"
)
DATED = {"moving", "near", "out_for_delivery", "delivered", "late", "weather", "attempt_failed",
         "missorted", "split"}  # fmt: skip


def check_words(page: Page, state: str) -> None:
    """The six details, in our words, with nothing personal among them."""
    parcels = len(sample("fern", state)[0].parcels)
    for detail in ("carrier", "number", "history", "items", "stepper"):
        shown = page.locator(f"[data-track={detail}]")
        if state not in WITHOUT_PARCEL:
            assert shown.count() == parcels, detail
        assert all(text.strip() for text in shown.all_inner_texts()), detail
    text = page.locator("body").inner_text()
    assert not NEVER.search(text), NEVER.search(text)
    assert not [each for each in (*PERSONAL.values(), EMAIL, "Tester") if each in page.content()]
    if state in DATED:
        assert DATE.search(page.locator("[data-track=eta]").first.inner_text())


def check_structure(page: Page, state: str) -> None:
    """One current step a parcel, done ones that say so, three open scans and all behind them."""
    for steps in page.locator("[data-track=stepper]").all():
        assert steps.locator("[aria-current=step]").count() == 1
        done = steps.locator(".past")
        assert steps.locator(".past .hidden").count() == done.count()
    histories = page.locator("[data-track=history]").all()
    parcels = {parcel.id: parcel for parcel in sample("fern", state)[0].parcels}
    totals = sorted(len([s for s in parcel.scans if not s.hidden]) for parcel in parcels.values())
    assert sorted(each.locator("time").count() for each in histories) == totals
    for each in histories:
        assert each.locator(".newest time").count() <= 3
        moments = [time.get_attribute("datetime") or "" for time in each.locator("time").all()]
        assert all(time.get_attribute("title") for time in each.locator("time").all())
        assert len(moments) == len(set(moments))
    for number in page.locator("a[data-track=number]").all():
        assert re.match(r"https://www\.(ups|dhl)\.com/", number.get_attribute("href") or "")
        assert "noopener" in (number.get_attribute("rel") or "")


def check_layout(page: Page, width: int) -> None:
    """The arrival is the largest and in the first screen; nothing runs off, shifts or is tiny."""
    sizes = page.evaluate(look.SIZES)
    assert sizes["eta"] > sizes["others"]
    if width == 360:
        assert sizes["bottom"] <= 420
        least = "() => [...document.querySelectorAll('.acts .button')].map((b) => b.offsetHeight)"
        assert all(height >= 44 for height in page.evaluate(least))
    assert look.sideways(page, width) <= 0
    assert look.small_targets(page) == []
    assert look.shifts(page) == 0


def check(seen: look.Watched, site: Site, brand: str, state: str) -> None:
    """Everything at once, on one page."""
    seen.asked.clear()
    page = seen.page
    page.goto(site.page_of(brand, state))
    assert set(seen.asked) == {f"{brand}.localhost:{site.port}"}
    check_words(page, state)
    check_structure(page, state)
    check_layout(page, seen.width)
    assert look.faults(page) == []


@pytest.fixture(scope="module")
def one_phone(chromium: Browser) -> Iterator[look.Watched]:
    """A phone that goes from page to page."""
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="en-US")
    yield look.watched(context.new_page())
    context.close()


@pytest.mark.parametrize("state", STATES)
def test_fern_on_a_phone(site: Site, one_phone: look.Watched, state: str) -> None:
    check(one_phone, site, "fern", state)


MATRIX = list(product(("fern", "volta"), (360, 1280), ("light", "dark"), ("en-US", "de-DE")))


@pytest.fixture(params=MATRIX, ids=lambda p: "-".join(map(str, p)), scope="module")
def window(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[tuple[look.Watched, str]]:
    """A browser window of each kind, and its brand."""
    brand, width, scheme, locale = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, locale=locale
    )
    yield look.watched(context.new_page()), brand
    context.close()


@pytest.mark.long
@pytest.mark.parametrize("state", STATES)
def test_every_state_in_every_window(
    site: Site, window: tuple[look.Watched, str], state: str
) -> None:
    seen, brand = window
    check(seen, site, brand, state)


@pytest.fixture(scope="module")
def plain(chromium: Browser) -> Iterator[Page]:
    """A phone that runs no scripts."""
    context = chromium.new_context(
        viewport={"width": 360, "height": 740}, locale="en-US", java_script_enabled=False
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("state", ["moving", "split", "delivered"])
def test_the_page_is_whole_without_scripts(site: Site, plain: Page, state: str) -> None:
    plain.goto(site.page_of("fern", state))
    check_words(plain, state)
    assert not plain.locator(".copy").first.is_visible()
    plain.locator("summary").first.click()
    assert plain.locator(".older time").first.is_visible()


@pytest.mark.long
@pytest.mark.parametrize(("brand", "state"), list(product(("fern", "volta"), STATES)))
def test_every_state_is_whole_without_scripts(
    site: Site, plain: Page, brand: str, state: str
) -> None:
    plain.goto(site.page_of(brand, state))
    check_words(plain, state)
    check_structure(plain, state)


def test_the_first_view_comes_in_one_round_trip(site: Site) -> None:
    """HTML and its style, compressed; nothing else is waited for."""
    sizes = {}
    for brand, state in product(("fern", "volta"), STATES):
        asked = http.client.HTTPConnection("127.0.0.1", site.port)
        path = site.orders[brand][state].path
        host = {"Host": f"{brand}.localhost:{site.port}", "Accept-Encoding": "gzip"}
        asked.request("GET", path, headers=host)
        answer = asked.getresponse()
        assert answer.headers["Content-Encoding"] == "gzip"
        head = sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
        sizes[brand, state] = len(answer.read()) + head
        asked.close()
    assert max(sizes.values()) <= ROUND_TRIP


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("brand", ["fern", "volta"])
def test_nothing_runs_off_a_narrow_screen(
    site: Site, chromium: Browser, brand: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 700}, locale="de-DE")
    page = context.new_page()
    for state in ("weather", "split", "address", "delivered", "feed_down"):
        page.goto(site.page_of(brand, state))
        assert look.sideways(page, width) <= 0, state
    context.close()


def test_the_whole_page_can_be_reached_by_keyboard(site: Site, phone: Page) -> None:
    phone.goto(site.page_of("fern", "weather"))
    reached = []
    for _press in range(30):
        phone.keyboard.press("Tab")
        if phone.evaluate("() => document.activeElement === document.body"):
            break
        words = phone.evaluate("() => document.activeElement.innerText.trim()")
        ring = phone.evaluate(
            "() => parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
        )
        box = phone.evaluate(
            "() => { const b = document.activeElement.getBoundingClientRect();"
            " return [b.top, b.bottom, innerHeight] }"
        )
        reached.append(words)
        assert ring >= 2, words
        assert box[0] >= 0, words
        assert box[1] <= box[2] + 1, words
    assert reached[0] == "Skip to the content"
    for words in ("Get updates", "Copy the number", "Write to us"):
        assert words in reached
    phone.goto(site.page_of("fern", "moving"))
    phone.locator("summary").focus()
    phone.keyboard.press("Enter")
    assert phone.locator(".older time").first.is_visible()


def test_print_shows_the_facts_and_leaves_out_what_cannot_be_pressed(
    site: Site, chromium: Browser
) -> None:
    context = chromium.new_context(viewport={"width": 800, "height": 1000}, color_scheme="dark")
    page = context.new_page()
    page.goto(site.page_of("volta", "weather"))
    page.emulate_media(media="print")
    assert not page.locator(".acts").is_visible()
    assert not page.locator(".copy").is_visible()
    assert page.locator(".older time").first.is_visible()
    ink = "() => getComputedStyle(document.querySelector('[data-track=eta]')).color"
    assert page.evaluate(ink) == "rgb(0, 0, 0)"
    context.close()


def test_the_two_brands_look_like_two_companies(site: Site, phone: Page) -> None:
    looks = []
    for brand in ("fern", "volta"):
        phone.goto(site.page_of(brand, "moving"))
        looks.append(
            phone.evaluate(
                "() => ['.bar', '[data-track=eta]', '.card', '.button'].map((name) => {"
                " const s = getComputedStyle(document.querySelector(name));"
                " return [s.backgroundColor, s.fontFamily, s.borderRadius, s.color].join() })"
            )
        )
    assert all(one != other for one, other in zip(*looks, strict=True))
