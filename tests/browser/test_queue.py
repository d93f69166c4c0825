"""The queue as people work it: by keyboard alone, by pointer, two at one item, on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.work import work
from portal.models import Return
from portal.models.rma_acts import approve
from portal.models.staff import Staff
from tests.browser import look
from tests.browser.conftest import Site
from tests.conftest import shop_id
from tests.models.bought import ask, bought, rma, shirts
from tests.pages.samples import NOW

pytestmark = pytest.mark.browser
PASSWORD = "seven green umbrellas"
NUMBERS = iter(range(7001, 7999))


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, str]:
    """The paths of invitations, by name."""
    with site.app.app_context(), inside(shop_id("fern")), writing():
        return {
            name: f"/staff/invitation/{Staff.invite(f'{name.lower()}@fern.test', 'agent', NOW)[1]}"
            for name in ("Dana", "Sam")
        }


@pytest.fixture(scope="module")
def seats(chromium: Browser, site: Site, people: dict[str, str]) -> Iterator[dict[str, Page]]:
    """A desk with a wide screen for each person, signed in."""
    pages = {}
    for name, path in people.items():
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
        page = pages[name] = context.new_page()
        page.goto(site.url("fern", path))
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.get_by_role("button").last.click()
        page.wait_for_url("**/staff/queue*")
    yield pages
    for page in pages.values():
        page.context.close()


def waiting(site: Site, count: int) -> list[str]:
    """Returns that wait; whatever waited before is out of the way."""
    with site.app.app_context():
        with inside(shop_id("fern")), writing():
            session.query(Return).filter_by(status="requested").update({"status": "expired"})
        found = [
            ask(
                bought(number=str(next(NUMBERS)), now=NOW),
                shirts(1, "other"),
                now=NOW - timedelta(minutes=count - n),
            )
            for n in range(count)
        ]
        session.remove()
    return found


def pass_ten_seconds(site: Site) -> None:
    with pytest.MonkeyPatch.context() as patch, site.app.app_context():
        patch.setattr(clock, "now", lambda: NOW + timedelta(seconds=11))
        work("act")


def status(site: Site, *ids: str) -> list[str]:
    with site.app.app_context(), inside(shop_id("fern")):
        found = dict(session.query(Return.id, Return.status).filter(Return.id.in_(ids)).all())
        session.remove()
    return [found[each] for each in ids]


def order_of(site: Site, rma_id: str) -> str:
    with site.app.app_context(), inside(shop_id("fern")):
        found = rma(rma_id).order_id
        session.remove()
    return found


def approved(site: Site, rma_id: str) -> None:
    with site.app.app_context(), inside(shop_id("fern")), writing():
        approve(rma(rma_id), "staff:1 Sam", NOW)


def row(page: Page, subject: str) -> str:
    return f"tr[data-row='{subject}']"


def test_a_day_at_the_queue_by_keyboard_alone(site: Site, seats: dict[str, Page]) -> None:
    first, second, third = waiting(site, 3)
    page = seats["Dana"]
    page.goto(site.url("fern", "/staff/queue"))
    page.keyboard.press("j")
    expect(page.locator(row(page, first))).to_have_class("here")
    expect(page.locator("#peek h2")).to_have_text("Shirt")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-count]")).to_have_text("2 chosen")
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("2 approvals")
    page.keyboard.press("u")
    expect(page.locator(".flash")).to_contain_text("Taken back")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("1 approval")
    pass_ten_seconds(site)
    assert status(site, first, second, third) == ["approved", "requested", "requested"]
    page.goto(site.url("fern", "/staff/queue"))
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.keyboard.press("Tab")
    page.keyboard.type("It was worn; just a j.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("1 rejection")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("jx?a")
    expect(page.locator("#search")).to_have_value("jx?a")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/staff/returns/"))


def test_keys_that_were_turned_off_do_nothing(site: Site, seats: dict[str, Page]) -> None:
    [only] = waiting(site, 1)
    page = seats["Dana"]
    page.goto(site.url("fern", "/staff/keys"))
    page.get_by_role("button", name="Turn them off").click()
    page.goto(site.url("fern", "/staff/queue"))
    for key in ("j", "x", "a"):
        page.keyboard.press(key)
    expect(page.locator(row(page, only))).not_to_have_class("here")
    expect(page.locator(".toast")).to_have_count(0)
    page.goto(site.url("fern", "/staff/keys"))
    page.get_by_role("button", name="Turn them on").click()


def test_by_pointer_rows_are_chosen_given_and_put_off(site: Site, seats: dict[str, Page]) -> None:
    first, second = waiting(site, 2)
    page = seats["Dana"]
    page.goto(site.url("fern", "/staff/queue"))
    page.locator(row(page, second)).get_by_text("Ada").click()
    expect(page.locator("#peek")).to_contain_text("Why the rules say")
    page.locator(row(page, first)).get_by_role("checkbox").check()
    page.get_by_text("Give to e").click()
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.locator(row(page, first))).to_contain_text("Dana")
    page.locator(row(page, second)).get_by_role("checkbox").check()
    page.get_by_text("Put off s").click()
    page.get_by_role("button", name="Put off", exact=True).click()
    expect(page.locator(row(page, second))).to_have_count(0)
    assert look.faults(page) == []


def test_two_at_one_item_see_each_other_and_one_of_them_decides(
    site: Site, seats: dict[str, Page]
) -> None:
    [only] = waiting(site, 1)
    dana, sam = seats["Dana"], seats["Sam"]
    for page in (dana, sam):
        page.goto(site.url("fern", f"/staff/queue?peek={only}"))
    expect(sam.locator("[data-presence]")).to_contain_text("Dana has this open")
    dana.locator("#peek").get_by_role("button", name="Approve").click()
    expect(dana.locator(".toast")).to_contain_text("1 approval")
    sam.locator("#peek").get_by_role("button", name="Approve").click()
    expect(sam.locator(".toast")).to_contain_text("Somebody decided this a moment ago")
    pass_ten_seconds(site)
    assert status(site, only) == ["approved"]


def test_a_parcel_is_counted_on_a_phone_with_a_thumb(
    chromium: Browser, site: Site, seats: dict[str, Page]
) -> None:
    [only] = waiting(site, 1)
    approved(site, only)
    kept = seats["Dana"].context.storage_state()
    context = chromium.new_context(viewport={"width": 360, "height": 740}, storage_state=kept)
    page = context.new_page()
    page.goto(site.url("fern", "/staff/receive"))
    with site.app.app_context(), inside(shop_id("fern")):
        number = rma(only).number
        session.remove()
    page.fill("#number", number.lower())
    page.keyboard.press("Enter")
    page.get_by_role("button", name="One less").first.click()
    expect(page.locator("#q0")).to_have_value("0")
    page.get_by_role("button", name="One more").first.click()
    page.get_by_role("radio", name="B Opened").check()
    page.get_by_role("radio", name="Resale hold").check()
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator(".flash")).to_contain_text("is written down")
    expect(page.locator("#number")).to_be_focused()
    with site.app.app_context(), inside(shop_id("fern")):
        [unit] = rma(only).units
        assert (unit.condition, unit.disposition) == ("B", "resale_hold")
        session.remove()
    context.close()


def test_without_javascript_the_list_decides_and_peeks(
    chromium: Browser, site: Site, seats: dict[str, Page]
) -> None:
    [only] = waiting(site, 1)
    kept = seats["Dana"].context.storage_state()
    context = chromium.new_context(java_script_enabled=False, storage_state=kept)
    page = context.new_page()
    page.goto(site.url("fern", "/staff/queue"))
    page.get_by_role("link", name="Peek").click()
    assert "Why the rules say" in page.locator("#peek").inner_text()
    page.locator(row(page, only)).get_by_role("checkbox").check()
    page.locator("#rows").get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Undo").click()
    assert "Taken back" in page.locator(".flash").inner_text()
    context.close()


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "light"),
        pytest.param(360, "dark", marks=pytest.mark.long),
        pytest.param(1280, "light", marks=pytest.mark.long),
        (1280, "dark"),
    ],
)
def test_the_desk_has_no_faults_at_any_width(
    chromium: Browser, site: Site, seats: dict[str, Page], width: int, scheme: str
) -> None:
    only, awaited = waiting(site, 2)
    approved(site, awaited)
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        storage_state=seats["Dana"].context.storage_state(),
    )
    page = context.new_page()
    for path in (
        *(f"/staff/queue?view=all&peek={only}", "/staff/queue?q=nobody", "/staff/keys"),
        *("/staff/orders", f"/staff/orders/{order_of(site, only)}", "/staff/receive?number=none"),
        f"/staff/receive/{awaited}",
    ):
        page.goto(site.url("fern", path))
        assert look.faults(page) == [], path
        assert look.sideways(page, width) <= 0, path
    context.close()
