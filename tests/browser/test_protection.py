"""The widget in pages of others: it holds its shape, chooses nothing, and is gone when it fails."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from portal.db import inside, session, writing
from portal.models import ApiToken, PlanVersion, Shop
from portal.models.cover_record import Year, keep_years, speak
from tests.browser import look
from tests.browser.conftest import Site
from tests.conftest import shop_id
from tests.pages.samples import NOW

pytestmark = pytest.mark.browser
WIDGET = Path(__file__).parents[2] / "portal/static/protection.js"
CART = {
    "currency": "USD",
    "country": "US",
    "lines": [{"sku": "MUG", "quantity": 2, "unit_price_minor": 4_500, "category": "Kitchen"}],
    "shipping_minor": 490,
}
PLAN = {
    "currency": "USD",
    "price": {"kind": "share", "basis_points": 200},
    "provider": {"name": "Fern & Fable"},
}
RESET = "*{all:unset !important}"
SHOUT = (
    "*{color:red !important;background:red !important;font:700 40px/3 serif !important;"
    "letter-spacing:1em !important;text-transform:uppercase !important;float:right !important;"
    "position:absolute;visibility:visible}label,input,fieldset{display:none !important}"
)
FORMS = (
    "input{appearance:none;opacity:0;width:1px!important;height:1px!important}label{pointer-events:"
    "none;font-size:2px}h2,p,li{display:none!important}.box{transform:rotate(9deg);zoom:3}"
)
PAGES = {"reset": RESET, "shout": SHOUT, "forms": FORMS}
PAGE = """<!doctype html><html lang="en" dir="{dir}"><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width"><style>{css}</style>
<script src="{site}/protection.js"></script>
<script>window.seen = []; document.addEventListener("protection-change", e => seen.push(e.detail));
window.shifts = 0; new PerformanceObserver(list => {{ for (const e of list.getEntries())
shifts += e.value; }}).observe({{type: "layout-shift", buffered: true}});</script>
<main><h1>Checkout</h1><form><porchlight-protection name="protection_quote" token="{token}"
cart='{cart}'></porchlight-protection></form><p id="below">Total</p></main></html>"""


class Elsewhere:
    """A shop of somebody else's, on an origin of its own."""

    def __init__(self, site: Site) -> None:
        self.pages: dict[str, str] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = pages.get(self.path, "").encode()
                self.send_response(200 if text else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        with site.app.app_context(), inside(shop_id("fern")), writing():
            PlanVersion.publish(PLAN, "operator", NOW)
            made, self.token = ApiToken.make(["quote"], [self.origin])
            other, self.strange = ApiToken.make(["quote"], ["https://other.example"])
            session.add_all([made, other])
        for name, css in PAGES.items():
            self.put(f"/{name}", site, css=css, dir="rtl" if name == "forms" else "ltr")
        self.put("/refused", site, token=self.strange)

    def put(self, path: str, site: Site, **more: str) -> None:
        told = {"css": "", "dir": "ltr", "token": self.token, "cart": json.dumps(CART), **more}
        self.pages[path] = PAGE.format(site=site.url("fern", ""), **told)


@pytest.fixture(scope="module")
def elsewhere(site: Site) -> Iterator[Elsewhere]:
    made = Elsewhere(site)
    yield made
    made.server.shutdown()
    made.server.server_close()


def opened(chromium: Browser, url: str, width: int) -> tuple[Page, list[str]]:
    context = chromium.new_context(viewport={"width": width, "height": 900}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(8_000)
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(url)
    page.wait_for_selector("porchlight-protection[data-state]", state="attached")
    return page, thrown


def inside_it(page: Page, script: str) -> Any:
    """What a script finds: `root` is the widget's own tree, `box` its card."""
    return page.evaluate(
        "script => { const root = document.querySelector('porchlight-protection').shadowRoot;"
        " const box = root.querySelector('.box');"
        " return new Function('root', 'box', `return ${script}`)(root, box); }",
        script,
    )


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_hostile_styles_change_nothing_of_it(
    chromium: Browser, elsewhere: Elsewhere, name: str, width: int
) -> None:
    page, thrown = opened(chromium, f"{elsewhere.origin}/{name}", width)
    assert thrown == []
    text = page.locator("porchlight-protection .box").inner_text()
    for fact in ("$1.80", "up to $90.00", "Fern & Fable", "tracking page", "normal rights"):
        assert fact in text
    style = "(s => [s.fontSize, s.letterSpacing, s.textTransform, s.zoom])(getComputedStyle(box))"
    assert inside_it(page, style) == ["16px", "normal", "none", "1"]
    sizes = inside_it(
        page, "[...root.querySelectorAll('label')].map(l => [l.offsetWidth, l.offsetHeight])"
    )
    (wide, high), (other_wide, other_high) = sizes
    assert 0.8 <= (wide * high) / (other_wide * other_high) <= 1.25
    assert min(high, other_high) >= 44
    assert inside_it(page, "root.querySelectorAll(':checked').length") == 0
    overflow = inside_it(page, "[box.scrollWidth - box.clientWidth, box.clientWidth > 200]")
    assert overflow == [0, True]
    page.context.close()


def test_nothing_is_chosen_and_the_keyboard_chooses(
    chromium: Browser, elsewhere: Elsewhere, site: Site
) -> None:
    elsewhere.put("/plain", site)
    page, _ = opened(chromium, f"{elsewhere.origin}/plain", 360)
    last = "seen[seen.length - 1]"
    assert page.evaluate(f"[{last}.choice, {last}.quote, {last}.preselected]") == [
        None, None, False,
    ]  # fmt: skip
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    first = page.evaluate(f"{last}.choice")
    assert first == "accept"
    assert page.evaluate(f"{last}.premium_minor") == 180
    quote = page.evaluate(f"{last}.quote")
    assert page.evaluate("new FormData(document.forms[0]).get('protection_quote')") == quote
    assert inside_it(page, "root.querySelector('[role=status]').textContent").startswith("Add")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(f"[{last}.choice, {last}.quote, {last}.premium_minor]") == [
        "decline", None, 0,
    ]  # fmt: skip
    assert page.evaluate("new FormData(document.forms[0]).get('protection_quote')") == ""
    assert look.faults(page) == []
    assert page.context.cookies() == []
    page.context.close()


@pytest.mark.parametrize("width", [320, 360, 414, 520, 800, 1280])
def test_it_reserves_its_height(
    chromium: Browser, elsewhere: Elsewhere, site: Site, width: int
) -> None:
    elsewhere.put("/quiet", site, css="body{margin:0 16px}")
    page, _ = opened(chromium, f"{elsewhere.origin}/quiet", width)
    page.wait_for_function("document.readyState === 'complete'")
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert page.evaluate("shifts") == 0
    page.context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_it_reserves_room_for_the_last_year_where_the_shop_tells_of_it(
    chromium: Browser, elsewhere: Elsewhere, site: Site, width: int
) -> None:
    def speaks(*, aloud: bool) -> None:
        with site.app.app_context(), inside(shop_id("fern")), writing():
            keep_years([Year("USD", 1_254, 10, 10_000, 7_100)], NOW)
            speak(session.get_one(Shop, shop_id("fern")), aloud, "staff:1")

    elsewhere.put("/told", site, css="body{margin:0 16px}")
    text = elsewhere.pages["/told"]
    elsewhere.pages["/told"] = text.replace("cart=", "record cart=", 1)
    speaks(aloud=True)
    page, _ = opened(chromium, f"{elsewhere.origin}/told", width)
    speaks(aloud=False)
    assert "0.8% of 1,254 covered parcels" in inside_it(page, "root.textContent")
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert page.evaluate("shifts") == 0
    page.context.close()


def test_a_new_price_is_said_and_asks_anew(
    chromium: Browser, elsewhere: Elsewhere, site: Site
) -> None:
    elsewhere.put("/plain", site)
    page, _ = opened(chromium, f"{elsewhere.origin}/plain", 1280)
    page.get_by_label("Add protection for $1.80").check()
    page.evaluate(
        "cart => { document.querySelector('porchlight-protection').cart = cart }",
        {**CART, "lines": [{**CART["lines"][0], "quantity": 4}]},  # type: ignore[index]
    )
    page.get_by_label("Add protection for $3.60").wait_for()
    assert page.evaluate("seen[seen.length - 1].choice") is None
    said = "root.querySelector('[role=status]').textContent.includes('$3.60')"
    page.wait_for_function(
        "() => document.querySelector('porchlight-protection').shadowRoot"
        ".querySelector('[role=status]').textContent.includes('$3.60')"
    )
    assert inside_it(page, said)
    page.context.close()


def test_where_it_is_refused_it_is_simply_not_there(
    chromium: Browser, elsewhere: Elsewhere
) -> None:
    page, thrown = opened(chromium, f"{elsewhere.origin}/refused", 360)
    assert thrown == []
    assert page.locator("porchlight-protection").bounding_box() is None
    assert page.locator("#below").is_visible()
    assert page.evaluate("new FormData(document.forms[0]).get('protection_quote')") == ""
    page.context.close()


def test_it_is_small_and_needs_nothing() -> None:
    text = WIDGET.read_bytes()
    assert len(gzip.compress(text, 9)) < 8_000
    assert b"import" not in text.replace(b"!important", b"")
    assert b"checked: this.#choice === choice" in text, "nothing else may check an option"
