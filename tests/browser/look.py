"""What every customer page must be, asked of the page as the browser laid it out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
}
SHIFTS = """window.shifted = 0
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted += entry.value
}).observe({ type: "layout-shift", buffered: true })"""
TARGETS = """(least) => [...document.querySelectorAll("a, button, summary, input, [tabindex='0']")]
  .filter((el) => el.checkVisibility() && el.type !== "hidden" && !el.closest(".skip"))
  .filter((el) => {
    const box = el.getBoundingClientRect()
    const inText = el.matches("p a, li a") && getComputedStyle(el).display === "inline"
    return !inText && (box.height < least || box.width < least)
  }).map((el) => el.outerHTML.slice(0, 90))"""
SIZES = """() => {
  const size = (el) => parseFloat(getComputedStyle(el).fontSize)
  const texts = [...document.querySelectorAll("body *")]
    .filter((el) => [...el.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
  const eta = document.querySelector("[data-track=eta]")
  const others = texts.filter((el) => !eta.contains(el) && el !== eta).map(size)
  return { eta: size(eta), others: Math.max(...others), bottom: eta.getBoundingClientRect().bottom }
}"""


@dataclass(frozen=True)
class Watched:
    """A page, the hosts it has asked for anything, and how wide it is."""

    page: Page
    asked: list[str]
    width: int


def watched(page: Page) -> Watched:
    """Note the host of everything the page asks for, and every shift of its layout."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
    page.add_init_script(SHIFTS)
    return Watched(page, asked, (page.viewport_size or {})["width"])


def faults(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA; must be empty."""
    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def sideways(page: Page, width: int) -> int:
    """Pixels the page is wider than `width`."""
    wide: int = page.evaluate("() => document.documentElement.scrollWidth")
    return wide - width


def small_targets(page: Page, least: int = 24) -> list[str]:
    """What is there to be pressed and smaller than `least` pixels; links within text are free."""
    found: list[str] = page.evaluate(TARGETS, least)
    return found


def shifts(page: Page) -> float:
    """How far the layout moved after it was first drawn."""
    moved: float = page.evaluate("() => window.shifted")
    return moved
