"""The rules of the house set by pointer, and by keyboard alone, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.models.policy import PolicyVersion, current_policy
from portal.models.staff import Staff
from tests.browser import look
from tests.browser.conftest import Site
from tests.conftest import shop_id
from tests.models.bought import bought
from tests.pages.samples import NOW

pytestmark = pytest.mark.browser
PASSWORD = "seven green umbrellas"
UNNAMED = 'class="default"'  # the button that Enter presses is nowhere to be seen


@pytest.fixture
def desk(site: Site, chromium: Browser) -> Iterator[Page]:
    """An owner at the desk, on a tablet."""
    with site.app.app_context(), inside(shop_id("fern")), writing():
        _, token = Staff.invite("olga@fern.test", "owner", clock.now())
    context = chromium.new_context(viewport={"width": 1000, "height": 800}, locale="en-US")
    page = context.new_page()
    page.goto(site.url("fern", f"/staff/invitation/{token}"))
    page.fill("[name=name]", "Olga")
    page.fill("[name=password]", PASSWORD)
    page.click("form button")
    yield page
    context.close()


def fault_free(page: Page) -> None:
    """Nothing that axe finds, nothing sideways, nothing tiny; at both widths and schemes."""
    for width, scheme in ((1000, "dark"), (360, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert look.faults(page) == [], page.url
        assert look.sideways(page, width) <= 0, page.url
        small = [each for each in look.small_targets(page) if UNNAMED not in each]
        assert small == [], page.url
    page.set_viewport_size({"width": 1000, "height": 800})


def rules(site: Site) -> list[dict[str, object]]:
    """The rules of the newest version."""
    with site.app.app_context(), inside(shop_id("fern")):
        wanted = select(PolicyVersion.document).order_by(PolicyVersion.version.desc()).limit(1)
        found = session.scalars(wanted).one()
        session.remove()
    kept: list[dict[str, object]] = found["rules"]
    return kept


def add(page: Page, kind: str) -> None:
    """Begin a new rule of this kind, from the draft's page."""
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_role("link", name=kind, exact=True).click()


def condition(page: Page, fact: str) -> None:
    """One more row."""
    page.select_option("#new-fact", label=fact)
    page.get_by_role("button", name="Add the condition").click()


def test_by_pointer_the_rules_are_set_tried_and_put_in_force(site: Site, desk: Page) -> None:
    with site.app.app_context():
        bought("fern", "P1", NOW)
    desk.goto(site.url("fern", "/staff/policy"))
    desk.get_by_role("button", name="Change the rules").first.click()
    add(desk, "Return window")
    desk.fill("#f-days", "sixty")
    desk.get_by_role("button", name="Save", exact=True).last.click()
    expect(desk.locator("#problems")).to_be_focused()
    fault_free(desk)
    desk.fill("#f-days", "60")
    condition(desk, "Tags of the customer")
    desk.fill("[name='when.0.value']", "member")
    desk.get_by_role("button", name="Save", exact=True).last.click()
    add(desk, "Decline")
    condition(desk, "Category")
    desk.fill("[name='when.0.value']", "Underwear")
    condition(desk, "Reason")
    desk.select_option("[name='when.1.ask']", label="is not")
    desk.get_by_label("It is broken or does not work").check()
    desk.get_by_role("button", name="Save", exact=True).last.click()
    expect(desk.locator(".flash")).to_have_text("Saved.")
    desk.get_by_role("button", name="Move up: Decline").click()
    place = [rule["kind"] for rule in rules(site)].index("decline")
    desk.get_by_role("button", name="Move down: Decline").click()
    assert [rule["kind"] for rule in rules(site)].index("decline") == place + 1
    desk.get_by_role("link", name="Try it on an order").click()
    desk.fill("#q", "P1")
    desk.get_by_role("button", name="Look it up").click()
    desk.select_option("#n-0", "1")
    desk.get_by_role("button", name="Decide").click()
    expect(desk.locator(".versus .card")).to_have_count(2)
    desk.locator("summary").first.click()
    fault_free(desk)
    desk.get_by_role("link", name="Version 2").click()
    desk.get_by_role("link", name="What would have changed").click()
    desk.go_back()
    desk.get_by_role("link", name="Publish").click()
    desk.get_by_label("Why").fill("Members first.")
    desk.get_by_role("button", name="Publish").click()
    expect(desk.locator(".flash")).to_have_text("Version 2 is in force.")
    with site.app.app_context(), inside(shop_id("fern")):
        assert current_policy(NOW).version == 2


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what is called so."""
    called = """() => { const el = document.activeElement
      const label = el.labels && el.labels[0] ? el.labels[0].innerText : el.textContent
      return (label || "").trim() }"""
    for _ in range(120):
        if page.evaluate(called).startswith(name):
            box = page.evaluate("""() => { const r = document.activeElement.getBoundingClientRect()
              return [r.top >= -1, r.bottom <= innerHeight + 1, r.width > 0] }""")
            assert all(box), name  # what has the focus can be seen
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {name}")


def press(page: Page, name: str, leads_to: str) -> None:
    """Go there by Tab, press Enter, and wait until the next page is there."""
    tab_to(page, name)
    page.keyboard.press("Enter")
    page.wait_for_url(leads_to)


@pytest.mark.long
def test_by_keyboard_alone_a_bonus_and_a_look_at_dear_things(site: Site, desk: Page) -> None:
    desk.goto(site.url("fern", "/staff/policy"))
    press(desk, "Change the rules", "**/staff/policy/*")
    press(desk, "Add a rule", "**/new")
    press(desk, "Bonus", "**/new/bonus")
    tab_to(desk, "Share of what was paid")
    desk.keyboard.press("Control+a")
    desk.keyboard.type("10")
    desk.keyboard.press("Enter")  # saves: it is the first button of the form
    desk.wait_for_url("**#rule-bonus*")
    press(desk, "Add a rule", "**/new")
    press(desk, "Ask a person", "**/new/review")
    tab_to(desk, "Add a condition about")
    desk.keyboard.type("Price of one")
    tab_to(desk, "Add the condition")
    desk.keyboard.press("Space")
    desk.wait_for_selector("[name='when.0.value']")
    tab_to(desk, "Compared with")
    desk.keyboard.type("300")
    press(desk, "Save", "**#rule-review*")
    made = {str(rule["id"]): rule for rule in rules(site)}
    assert made["bonus"]["share_bps"] == 1_000
    assert made["review"]["when"] == {"fact": "unit_price_minor", "at_least": 30_001}


@pytest.mark.long
def test_every_page_is_as_good_to_look_at(site: Site, desk: Page) -> None:
    desk.goto(site.url("fern", "/staff/policy"))
    desk.get_by_role("button", name="Change the rules").first.click()
    draft = desk.url
    looks = ("", "/new", "/head", "/replay", "/preview", "/changes", "/publication")
    for path in (*looks, "/rules/window", "/rules/label", "/new/decline"):
        desk.goto(f"{draft}{path}")
        fault_free(desk)
    for path in ("policy", "settings", "settings/protection", "settings/claims"):
        desk.goto(site.url("fern", f"/staff/{path}"))
        fault_free(desk)
    desk.goto(site.url("fern", "/staff/settings/protection"))
    desk.get_by_role("radio", name="A price for each span").check()
    desk.get_by_role("button", name="Add one to Spans").first.click()
    expect(desk.locator("[name='price.tiers.tiers.0.amount_minor']")).to_be_visible()
    expect(desk.locator("[name='price.flat.amount_minor']")).to_be_hidden()
    fault_free(desk)
