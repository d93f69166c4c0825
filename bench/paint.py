"""How soon a customer sees the tracking page: Chromium, a processor four times slower, slow 4G.

Each round opens the page in an empty browser. The figures are those of the first view: when the
largest thing is painted, for how long the page answers to nothing, and how much comes over the
wire. The reference is the budget of the page.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from bench.data import fill, token_of
from bench.house import environ_in
from bench.measure import Server, free_port, serving
from bench.screenshots import QUIETLY, which_chromium

ROUNDS: Final = 5
ORDERS: Final = 200
SETTLES_MS: Final = 500  # after the page is loaded: what comes late counts as well
PATIENCE_MS: Final = 120_000
SLOWER: Final = 4
SLOW_4G: Final = {  # 1.6 Mbit/s and 150 ms
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
WATCH: Final = """
window.seen = {lcp: 0, tbt: 0, shift: 0};
new PerformanceObserver(list => list.getEntries().forEach(e => { seen.lcp = e.startTime; }))
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(e => { seen.tbt += e.duration - 50; }))
  .observe({type: 'longtask', buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(e => { seen.shift += e.value; }))
  .observe({type: 'layout-shift', buffered: true});
"""


class Painted(NamedTuple):
    """One first view. Milliseconds, and bytes as they came over the wire, headers included."""

    lcp_ms: float
    tbt_ms: float
    shift: float
    document_bytes: float
    all_bytes: float
    requests: float
    strangers: float  # requests to other hosts


# What each may be at most, and in which unit.
BUDGET: Final = Painted(1_500, 200, 0.02, 14_600, 150_000, 12, 0)
UNITS: Final = ("ms", "ms", "", "bytes", "bytes", "requests", "requests")


def run() -> list[dict[str, Any]]:
    """One line a figure, with its share of the budget; none where there is no browser."""
    chromium = which_chromium()
    if chromium is None:
        print("paint is left out: no Chromium is installed.", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        environ = environ_in(Path(home)) | {"BASE_URL": f"http://127.0.0.1:{port}"}
        fill(environ["DATABASE_URL"], ORDERS)
        with serving("wsgi:app", environ, port=port) as house, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=QUIETLY)
            views = [_view(browser, house, ORDERS - 1 - n) for n in range(ROUNDS + 1)][1:]
            browser.close()
    told = zip(Painted._fields, zip(*views, strict=True), BUDGET, UNITS, strict=True)
    return [_line(*each) for each in told]


def _line(name: str, seen: tuple[float, ...], budget: float, unit: str) -> dict[str, Any]:
    value = statistics.median(seen)
    return {
        "bench": f"paint_{name}",
        "ratio": round(value / budget, 3) if budget else value,
        "reference": f"the budget of a first view: {budget:g} {unit}".strip(),
        "value": round(value, 3),
        "unit": unit,
        "runs": ROUNDS,
        "spread": [round(min(seen), 3), round(max(seen), 3)],
        "goal": 1.0 if budget else 0.0,
        "met": value <= budget,
    }


def _view(browser: Browser, house: Server, n: int) -> Painted:
    """Open the page of the n-th order with nothing kept from before."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, device_scale_factor=2, locale="en-US"
    )
    context.add_init_script(WATCH)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    sizes: dict[str, float] = {}
    asked: dict[str, tuple[str, str]] = {}  # by request: what for, and where
    wire.on(
        "Network.requestWillBeSent",
        lambda told: asked.update({told["requestId"]: (told["type"], told["request"]["url"])}),
    )
    wire.on(
        "Network.loadingFinished",
        lambda told: sizes.update({told["requestId"]: told["encodedDataLength"]}),
    )
    for command, options in (
        ("Network.enable", {}),
        ("Network.emulateNetworkConditions", SLOW_4G),
        ("Emulation.setCPUThrottlingRate", {"rate": SLOWER}),
    ):
        wire.send(command, options)
    address = f"http://127.0.0.1:{house.port}/t/{token_of(n)}"
    page.goto(address, wait_until="load", timeout=PATIENCE_MS)
    page.wait_for_timeout(SETTLES_MS)
    seen = page.evaluate("seen")
    context.close()
    strangers = [url for _, url in asked.values() if urlsplit(url).hostname != "127.0.0.1"]
    document = sum(sizes.get(each, 0) for each, (kind, _) in asked.items() if kind == "Document")
    return Painted(
        *(seen["lcp"], seen["tbt"], seen["shift"]),
        *(document, sum(sizes.values()), len(asked), len(strangers)),
    )
