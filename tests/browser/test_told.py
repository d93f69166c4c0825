"""The page that is told of news: at once where there is a place, like the others where not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from portal.live import Streams, streams_of
from tests.browser.conftest import Site
from tests.browser.test_live import HIDE, SECONDS, follow, tell, wait
from tests.live.page import until
from tests.served import Served, running

pytestmark = pytest.mark.browser
MOST_ROUNDS = 12  # of asking, until a place is looked for again
BACK_MS = 60_000  # the longest a browser stays away from a stream that broke


@pytest.fixture
def places(site: Site) -> Iterator[Streams]:
    """Room for four pages that are told of news."""
    streams = streams_of(site.app)
    streams.slots = 4
    yield streams
    streams.slots = 0


def test_a_scan_appears_at_once_and_is_announced_without_moving_the_focus(
    site: Site, places: Streams, phone: Page
) -> None:
    answers = follow(phone)
    phone.clock.install()  # its time stands still: what comes is not asked for by the clock
    phone.goto(site.page_of("fern", "moving_without_date"))
    phone.locator("a[data-track=number]").focus()
    until(lambda: len(places) == 1)
    tell(site, "moving_without_date", "out_for_delivery")
    expect(phone.locator("[role=status]")).to_contain_text("Out for delivery")
    expect(phone.locator("[aria-current=step]")).to_contain_text("Out for delivery")
    assert phone.evaluate("() => document.activeElement.matches('[data-track=number]')")
    assert answers == [200]
    wait(phone, 2 * SECONDS)
    assert answers == [200], "who is told does not ask"
    with phone.expect_response("**/live"):
        wait(phone)  # and who hears nothing for a minute does not believe its line
    assert answers == [200, 304]
    tell(site, "moving_without_date", "delivered")
    expect(phone.locator("[role=status]")).to_contain_text("Delivered")
    until(lambda: len(places) == 0)  # the journey is over


def test_a_page_that_nobody_looks_at_gives_its_place_back(
    site: Site, places: Streams, phone: Page
) -> None:
    answers = follow(phone)
    phone.add_init_script(HIDE)
    phone.goto(site.page_of("fern", "packed"))
    until(lambda: len(places) == 1)
    look = "() => { window.away = %s; document.dispatchEvent(new Event('visibilitychange')) }"
    phone.evaluate(look % "true")
    until(lambda: len(places) == 0)
    tell(site, "packed", "out_for_delivery")
    assert answers == []
    phone.evaluate(look % "false")
    until(lambda: len(places) == 1)
    expect(phone.locator("[aria-current=step]")).to_contain_text("Out for delivery")


def test_a_page_without_a_place_asks_and_looks_for_one_again(
    site: Site, places: Streams, phone: Page
) -> None:
    places.slots = 0
    answers = follow(phone)
    phone.clock.install()
    with phone.expect_response("**/events/*") as refused:
        phone.goto(site.page_of("fern", "out_for_delivery"))
    assert refused.value.status == 204
    with phone.expect_response("**/live"):
        wait(phone)
    assert answers == [200]
    assert len(places) == 0
    places.slots = 4
    wait(phone, MOST_ROUNDS * SECONDS)
    until(lambda: len(places) == 1)


def test_a_link_that_ends_takes_the_open_page_with_it(
    site: Site, places: Streams, phone: Page
) -> None:
    phone.goto(site.page_of("fern", "unknown"))
    until(lambda: len(places) == 1)
    phone.route("**/live", lambda route: route.fulfill(status=410))
    gone = "<!doctype html><p>This link has ended.</p>"
    phone.route("**/t/*", lambda route: route.fulfill(status=410, body=gone))
    tell(site, "unknown", "out_for_delivery")
    expect(phone.locator("body")).to_contain_text("This link has ended.")
    until(lambda: len(places) == 0)


def test_without_scripts_the_page_is_whole_and_takes_no_place(
    site: Site, places: Streams, chromium: Browser
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.page_of("fern", "near"))
    expect(page.locator("[aria-current=step]")).to_be_visible()
    expect(page.locator("[data-track=eta]")).to_be_visible()
    assert not [url for url in asked if "/events/" in url or url.endswith("/live")]
    assert len(places) == 0
    context.close()


@pytest.mark.long
def test_the_live_process_may_be_killed_and_come_back(site: Site, phone: Page) -> None:
    url = str(site.app.config["SQLALCHEMY_DATABASE_URI"])
    mishaps: list[str] = []
    phone.on("pageerror", lambda error: mishaps.append(str(error)))
    answers = follow(phone)
    phone.clock.install()
    with running(url, "live") as live:
        _behind_one_name(phone, live)
        with phone.expect_response("**/events/*") as told:
            phone.goto(site.page_of("fern", "pickup"))
        assert told.value.status == 200
        tell(site, "pickup", "out_for_delivery")
        expect(phone.locator("[role=status]")).to_contain_text("Out for delivery")
        live.kill()
    phone.wait_for_function("() => stream.readyState === EventSource.CONNECTING")
    with phone.expect_response("**/live"):
        wait(phone)  # asks meanwhile
    tell(site, "pickup", "near")
    with running(url, "live", port=live.port):
        phone.wait_for_function(
            "() => stream.readyState === EventSource.OPEN", timeout=BACK_MS, polling=100
        )
        expect(phone.locator("[aria-current=step]")).not_to_contain_text("Out for delivery")
    assert answers[0] == 200
    assert mishaps == []


def _behind_one_name(phone: Page, live: Served) -> None:
    """What a proxy does: the streams come from another process under the same name."""

    def lead(route: Route) -> None:
        path = route.request.url.partition("/events/")[2]
        route.continue_(url=f"http://fern.localhost:{live.port}/events/{path}")

    phone.route("**/events/*", lead)
