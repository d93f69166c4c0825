"""Something is wrong: the form, and the claim's own page, without JavaScript."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.models import Claim, Photo, Shipment
from portal.models.claim_acts import decline
from portal.pages.load import load_order
from tests.conftest import shop_id
from tests.models.bought import bought
from tests.pages.browser import Browser
from tests.pages.test_wizard import own_link, picture

KEY = re.compile(r'name="key" value="([^"]+)"')


@pytest.fixture
def path(any_app: Flask) -> str:
    """The claim form of an order that arrived three days ago, by the order's own link."""
    return f"{own_link(bought(now=clock.now()))}/claim"


def sent(browser: Browser, path: str, kind: str = "damaged", **fields: Any) -> Any:
    """Fill in the form for the mug and send it; gives the answer."""
    page = browser.get(f"{path}?kind={kind}")
    key = KEY.search(page.text)
    assert key, page.text
    posted = {"key": key[1], "kind": kind, "sku": ["TEE-M", "MUG"], "take-1": "on"} | fields
    return browser.send(path, f"{path}?kind={kind}", **posted)


def only() -> Claim:
    with inside(shop_id("fern")):
        return session.query(Claim).one()


def test_what_happened_leads_to_the_claims_own_page(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    first = browser.get(path).text
    assert "It arrived damaged" in first
    assert "It has not arrived" not in first  # the carrier says it was delivered
    answer = sent(browser, path, statement="In two pieces.")
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.headers["Location"]).text
    for words in ("We are looking at it", "1 × Mug", "In two pieces.", "Your rights by law"):
        assert words in page


def test_the_button_pressed_twice_makes_one_claim(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    form = browser.get(f"{path}?kind=damaged").text
    key = KEY.search(form)
    assert key
    fields = {"key": key[1], "kind": "damaged", "sku": ["TEE-M", "MUG"], "take-1": "on"}
    answers = [browser.send(path, f"{path}?kind=damaged", **fields) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert only().number == "1001-C1"


def test_photos_go_with_the_claim_and_are_shown_to_its_owner_alone(
    any_app: Flask, path: str
) -> None:
    browser = Browser(any_app)
    answer = sent(browser, path, photo=picture())
    claim = only()
    with inside(shop_id("fern")):
        [photo] = Photo.of_claim(claim.id)
    at = f"{answer.headers['Location']}/photos/{photo.id}"
    assert browser.get(at).headers["Content-Type"] == "image/webp"
    assert Browser(any_app, "volta").get(at).status_code == 404
    assert browser.get(f"/c/{'x' * 24}/photos/{photo.id}").status_code == 404


def test_nothing_chosen_is_named_and_keeps_the_photo(app: Flask) -> None:
    path = f"{own_link(bought(now=clock.now()))}/claim"
    browser = Browser(app)
    page = browser.get(f"{path}?kind=damaged")
    key = KEY.search(page.text)
    assert key
    fields = {"key": key[1], "kind": "damaged", "sku": ["TEE-M", "MUG"], "photo": picture()}
    answer = browser.send(path, f"{path}?kind=damaged", **fields)
    assert answer.status_code == 422
    assert "Choose what it is about." in answer.text
    assert "1 photo is kept." in answer.text


def test_too_early_names_the_day_and_waits(any_app: Flask) -> None:
    order_id = bought(now=clock.now())
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment):
            parcel.status, parcel.delivered_at = "in_transit", None
            parcel.last_scan_at = clock.now() - timedelta(days=2)
    path, browser = f"{own_link(order_id)}/claim", Browser(any_app)
    assert "We open it for you on" in browser.get(path).text
    answer = sent(browser, path, "lost")
    page = browser.get(answer.headers["Location"]).text
    assert "We open it for you" in page
    assert only().status == "waiting"
    off = browser.send(f"{answer.headers['Location']}/cancellation", answer.headers["Location"])
    assert off.status_code == 303
    assert only().status == "cancelled"


def test_a_declined_claim_can_be_looked_at_again(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    at = sent(browser, path).headers["Location"]
    with inside(shop_id("fern")), writing():
        claim = Claim.locked(only().id)
        assert claim is not None
        decline(claim, "staff:1", clock.now(), "worn", "It looks used.")
    page = browser.get(at).text
    assert "It looks used." in page
    assert "There is no cover on this order" not in page  # a person decided, and said why
    assert "Have it looked at again" in page
    assert browser.send(f"{at}/appeal", at, why="").status_code == 422
    assert browser.send(f"{at}/appeal", at, why="It was new.").status_code == 303
    assert (only().status, only().appeal) == ("open", "It was new.")


def test_a_reader_of_view_grade_is_asked_for_the_mailed_code(app: Flask) -> None:
    bought(now=clock.now())
    browser = Browser(app)
    short = browser.look_up("1001", "ada@example.com").headers["Location"]
    answer = browser.get(f"{short}/claim?kind=damaged")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/code?then=claim")


def test_what_is_posted_as_money_or_state_is_not_read(app: Flask) -> None:
    path = f"{own_link(bought(now=clock.now()))}/claim"
    sent(Browser(app), path, payout_minor="99999", status="paid", covered="1", wanted="gold")
    claim = only()
    assert (claim.status, claim.payout_minor, claim.covered, claim.wanted) == (
        *("open", 0, False, "refund"),
    )


def test_another_shops_claim_shows_nothing(app: Flask) -> None:
    path = f"{own_link(bought(now=clock.now()))}/claim"
    at = sent(Browser(app), path).headers["Location"]
    assert Browser(app, "volta").get(at).status_code == 404


def test_nothing_sent_yet_says_so(app: Flask) -> None:
    path = f"{own_link(bought(now=clock.now(), shipments=[]))}/claim"
    assert "Nothing of this order has been sent yet." in Browser(app).get(path).text


def test_the_orders_page_leads_to_the_form_and_lists_its_claims(any_app: Flask, path: str) -> None:
    browser, order = Browser(any_app), path.removesuffix("/claim")
    page = browser.get(order).text
    assert f'href="{path}?kind=not_received">It says delivered, but it is not here' in page
    assert f'href="{path}">Something else is wrong' in page
    at = sent(browser, path).headers["Location"]
    page = browser.get(order).text
    claim = f'<a href="{at.removeprefix("http://fern.localhost:8000")}">'
    assert f"{claim}<span>Claim 1001-C1</span><b>We are looking at it</b>" in page
    browser.send(f"{at}/cancellation", at)
    assert "<b>Called off</b>" in browser.get(order).text


def test_what_is_all_claimed_is_not_offered_again(app: Flask) -> None:
    order_id = bought(now=clock.now())
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment):
            parcel.status, parcel.delivered_at = "in_transit", None
            parcel.overlays = ["presumed_lost"]
            parcel.last_scan_at = clock.now() - timedelta(days=30)
    browser, order = Browser(app), own_link(order_id)
    page = html.unescape(browser.get(order).text)
    with inside(shop_id("fern")):
        [parcel_id] = session.scalars(select(Shipment.id))
    form = f"{order}/claim?kind=lost&shipment={parcel_id}"
    assert f'<a href="{form}">Tell us what you would like instead</a>' in page
    assert f'href="{order}/claim">Something is wrong with this parcel' in page
    assert "It has not arrived" in browser.get(form).text
    sent(browser, f"{order}/claim", "lost", **{"take-0": "on", "quantity-0": "3"})
    page = browser.get(order).text
    assert "Claim 1001-C1" in page
    assert "Tell us what you would like instead" not in page
    assert "Something is wrong with this parcel" not in page


def test_who_found_the_order_by_its_number_sees_no_claim(app: Flask) -> None:
    order_id = bought(now=clock.now())
    sent(Browser(app), f"{own_link(order_id)}/claim")
    with inside(shop_id("fern")):
        for grade, count in (("act", 1), ("view", 0)):
            found = load_order(order_id, grade)
            assert found is not None
            assert len(found.claims) == count
