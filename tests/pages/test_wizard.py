"""A return from the tracking page to its own page: every step, without JavaScript."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from PIL import Image

from portal import clock
from portal.db import inside, session
from portal.models import Link, Return, UnitClaim
from tests.conftest import shop_id
from tests.models.bought import MUG, SHIRT, bought, sold
from tests.pages.browser import Browser
from tests.pages.test_policy import published


@pytest.fixture
def path(any_app: Flask) -> str:
    """The tracking page of an order that arrived three days ago, by its own link."""
    return own_link(bought())


def own_link(order_id: str) -> str:
    with inside(shop_id("fern")):
        return f"/t/{Link.of(order_id)}"


def walk(browser: Browser, path: str, **what: str) -> object:
    """Answer every step for the first article; gives the answer to the last button."""
    first = browser.get(f"{path}/return").text
    sku = re.search(r'name="sku" value="([^"]+)"', first)
    assert sku, first
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": sku[1], "quantity-0": "1"})
    browser.send(f"{path}/return/why", **{"reason-0": what.get("reason", "changed_mind")})
    chosen = {"resolution-0": what.get("resolution", "refund")}
    browser.send(f"{path}/return/what", **chosen)
    browser.send(f"{path}/return/how", method=what.get("method", "label"))
    return browser.send(f"{path}/return/review")


def test_four_questions_and_a_look_lead_to_the_returns_page(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    answer = walk(browser, path)
    assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]
    where = answer.headers["Location"]  # type: ignore[attr-defined]
    page = browser.get(where)
    assert page.status_code == 200
    assert "Approved" in page.text
    with inside(shop_id("fern")):
        rma = session.query(Return).one()
        assert (rma.status, rma.channel, rma.method) == ("approved", "page", "label")
        assert session.query(UnitClaim).count() == 1


def test_answers_stay_when_somebody_goes_back(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    browser.send(f"{path}/return/items", **{"take-1": "on", "sku": ["TEE-M", "MUG"]})
    browser.send(f"{path}/return/why", **{"reason-0": "other", "statement-0": "Too heavy for me"})
    assert "Too heavy for me" in browser.get(f"{path}/return/why").text
    assert re.search(r'id="take-1"[^>]* checked', browser.get(f"{path}/return/items").text)


def test_the_button_pressed_twice_makes_one_return(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{path}/return").text)
    assert token
    first = walk(browser, path)
    again = browser.open(f"{path}/return/review", "POST", data={"csrf_token": token[1]})
    assert first.status_code == 303  # type: ignore[attr-defined]
    assert again.status_code == 303
    with inside(shop_id("fern")):
        assert session.query(Return).count() == 1


def test_nothing_chosen_is_said_on_top_and_at_the_field(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought())
    answer = browser.send(f"{path}/return/items")
    assert answer.status_code == 422
    assert answer.text.count("Choose at least one thing to send back.") >= 1
    assert 'href="#items"' in answer.text


def test_a_later_step_leads_back_to_the_first_open_one(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought())
    for step in ("why", "what", "how", "review"):
        assert browser.get(f"{path}/return/{step}").headers["Location"].endswith("/return/items")
    assert browser.get(f"{path}/return/other").status_code == 404


def test_what_is_in_a_return_is_shown_and_cannot_be_chosen(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought())
    walk(browser, path, reason="changed_mind")
    page = browser.get(f"{path}/return/items").text
    assert 'id="take-0"' in page  # two shirts are left
    for _ in range(1):
        browser.send(f"{path}/return/items", **{"take-0": "on", "sku": "TEE-M", "quantity-0": "9"})
        assert "2 × Shirt" in browser.get(f"{path}/return/why").text


def test_what_is_in_a_return_leads_there_for_who_may_see_it(any_app: Flask) -> None:
    order_id = bought(lines=[SHIRT | {"quantity": 1, "discount_minor": 0}, MUG])
    browser, path = Browser(any_app), own_link(order_id)
    where = walk(browser, path).headers["Location"]  # type: ignore[attr-defined]
    page = browser.get(f"{path}/return/items").text
    assert re.search(rf'href="{re.escape(where)}"[^>]*>See that return', page)
    looked_up = Browser(any_app)
    seen = looked_up.look_up("1001", "ada@example.com").headers["Location"]
    page = looked_up.get(f"{seen}/return/items").text
    assert "This is in a return or claim already." in page
    assert "/r/" not in page


def test_after_the_window_only_what_is_at_fault_can_be_chosen(app: Flask) -> None:
    with time_machine.travel(clock.now()):
        path = own_link(bought(now=clock.now() - timedelta(days=60)))
        page = Browser(app).get(f"{path}/return/items").text
    assert "The return window closed on" in page
    assert "Ask us about it" in page


def test_a_reader_of_view_grade_is_asked_for_the_mailed_code(app: Flask) -> None:
    bought(number="1042")
    browser = Browser(app)
    where = browser.look_up("1042", "ada@example.com").headers["Location"]
    answer = walk(browser, where)
    assert answer.headers["Location"] == f"{where}/code?then=return"  # type: ignore[attr-defined]
    with inside(shop_id("fern")):
        assert session.query(Return).count() == 0


def test_another_shops_link_shows_nothing(app: Flask) -> None:
    path = own_link(bought())
    assert Browser(app, "volta").get(f"{path}/return").status_code == 404


def picture(size: tuple[int, int] = (40, 30)) -> tuple[io.BytesIO, str]:
    content = io.BytesIO()
    Image.new("RGB", size, "red").save(content, "JPEG", exif=b"Exif\0\0secret place")
    content.seek(0)
    return content, "broken.jpg"


def test_a_photo_is_drawn_anew_and_goes_with_the_return(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": "TEE-M", "quantity-0": "1"})
    fields = {"reason-0": "arrived_broken"}
    asked = browser.send(f"{path}/return/why", **fields)
    assert asked.status_code == 422  # the rules ask for a photo here
    assert "Go on without a photo" in asked.text
    browser.send(f"{path}/return/why", **fields, **{"photo-0": picture()})
    shown = re.search(r'src="(/t/[^"]+/photos/[^"]+)"', browser.get(f"{path}/return/why").text)
    assert shown
    content = browser.get(shown[1])
    assert content.mimetype == "image/webp"
    assert b"secret" not in content.data
    assert Browser(any_app).get(shown[1]).status_code == 404  # another browser
    browser.send(f"{path}/return/what", **{"resolution-0": "refund"})
    browser.send(f"{path}/return/how", method="label")
    page = browser.get(browser.send(f"{path}/return/review").headers["Location"]).text
    mine = re.search(r'src="(/r/[^"]+/photos/[^"]+)"', page)
    assert mine
    assert Browser(any_app).get(mine[1]).status_code == 200
    assert Browser(any_app, "volta").get(mine[1]).status_code == 404


def test_a_file_that_is_no_photo_is_named_and_spoils_nothing(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought())
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": "TEE-M", "quantity-0": "1"})
    sent = {"reason-0": "faulty", "photo-0": (io.BytesIO(b"<svg onload=alert(1)>"), "a.jpg")}
    answer = browser.send(f"{path}/return/why", **sent)
    assert answer.status_code == 422
    assert "could not be read as a photo" in answer.text


def test_a_return_can_be_called_off_until_the_carrier_has_it(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    where = walk(browser, path).headers["Location"]  # type: ignore[attr-defined]
    assert browser.send(f"{where}/cancellation", form=where).status_code == 303
    assert "Cancelled" in browser.get(where).text
    with inside(shop_id("fern")):
        assert session.query(UnitClaim).count() == 0


def test_the_orders_page_shows_the_return_and_starts_none_for_what_is_in_it(
    any_app: Flask, path: str
) -> None:
    browser = Browser(any_app)
    assert "Start a return" in browser.get(path).text
    where = walk(browser, path).headers["Location"]  # type: ignore[attr-defined]
    page = browser.get(path).text
    assert f'href="{where}"' in page
    assert "Approved" in page
    assert "Start a return" in page  # two shirts and a mug are left
    browser.send(
        f"{path}/return/items",
        **{"take-0": "on", "take-1": "on", "sku": ["TEE-M", "MUG"], "quantity-0": "2"},
    )
    browser.send(f"{path}/return/why", **{"reason-0": "changed_mind", "reason-1": "changed_mind"})
    browser.send(f"{path}/return/what", **{"resolution-0": "refund", "resolution-1": "refund"})
    browser.send(f"{path}/return/how", method="label")
    assert browser.send(f"{path}/return/review").status_code == 303
    page = browser.get(path).text
    assert page.count("/r/") == 2
    assert "Start a return" not in page


def test_an_exchange_names_its_difference_before_it_is_sent(app: Flask) -> None:
    sold(sku="TEE-L")
    sold(sku="TEE-XL", price_minor=2_400)
    sold(sku="TEE-S", price_minor=1_500)
    sold(sku="TEE-NONE", available=0)
    browser, path = Browser(app), own_link(bought())
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": "TEE-M", "quantity-0": "1"})
    browser.send(f"{path}/return/why", **{"reason-0": "too_small"})
    page = browser.get(f"{path}/return/what").text
    assert "Shirt TEE-XL (you pay $5.00 more)" in page
    assert "Shirt TEE-S (you get $4.00 back)" in page
    assert ">Shirt TEE-L<" in page
    assert "TEE-NONE" not in page
    asked = browser.send(f"{path}/return/what", **{"resolution-0": "exchange"})
    assert asked.status_code == 422
    assert re.search(r'value="exchange" checked', asked.text)
    chosen = {"resolution-0": "exchange", "exchange-0": "TEE-XL", "fallback-0": "store_credit"}
    browser.send(f"{path}/return/what", **chosen)
    browser.send(f"{path}/return/how", method="label")
    review = browser.get(f"{path}/return/review").text
    assert "Exchange for Shirt TEE-XL: you pay $5.00 more" in review
    assert re.search(r"You pay</th><td>\$5.00", review)
    where = browser.send(f"{path}/return/review").headers["Location"]
    assert "you pay $5.00 more" in browser.get(where).text


def test_each_answer_has_one_way_to_change_it(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought())
    browser.send(f"{path}/return/items", **{"take-1": "on", "sku": ["TEE-M", "MUG"]})
    browser.send(f"{path}/return/why", **{"reason-0": "changed_mind"})
    browser.send(f"{path}/return/what", **{"resolution-0": "refund"})
    browser.send(f"{path}/return/how", method="qr")
    page = browser.get(f"{path}/return/review").text
    links = re.findall(r'<a href="[^"]+/return/(\w+#[\w-]+)">Change', page)
    assert links == ["items#take-1", "why#reason-0", "what#resolution-0", "how#method"]
    assert page.count("<dt>") == len(links)
    for link in links:
        step, _, place = link.partition("#")
        assert f'id="{place}"' in browser.get(f"{path}/return/{step}").text


FINAL = [SHIRT, {**MUG, "final_sale": True}]


def test_what_cannot_go_back_does_not_hold_up_the_rest(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought(lines=FINAL))
    both = {"take-0": "on", "take-1": "on", "sku": ["TEE-M", "MUG"], "quantity-0": "1"}
    browser.send(f"{path}/return/items", **both)
    browser.send(f"{path}/return/why", **{"reason-0": "changed_mind", "reason-1": "changed_mind"})
    assert "final sale" in browser.get(f"{path}/return/what").text
    browser.send(f"{path}/return/what", **{"resolution-0": "refund"})
    browser.send(f"{path}/return/how", method="label")
    review = browser.get(f"{path}/return/review").text
    assert "It stays with you; the rest goes back." in review
    assert re.search(r"You get back</th><td>\$19.00", review)
    where = browser.send(f"{path}/return/review").headers["Location"]
    page = browser.get(where).text
    assert "cannot go back" in page
    assert "Approved" in page


def test_what_stays_bears_nothing_of_the_way_back(app: Flask) -> None:
    label = {"id": "label", "kind": "label", "paid_by": "customer", "cost_minor": {"label": 495}}
    placed = clock.now() - timedelta(days=1)
    with time_machine.travel(placed - timedelta(days=9)):
        published({"id": "final", "kind": "final_sale"}, label)
    browser, path = Browser(app), own_link(bought(lines=FINAL, now=clock.now()))
    both = {"take-0": "on", "take-1": "on", "sku": ["TEE-M", "MUG"], "quantity-0": "1"}
    browser.send(f"{path}/return/items", **both)
    browser.send(f"{path}/return/why", **{"reason-0": "changed_mind", "reason-1": "changed_mind"})
    page = browser.get(f"{path}/return/what").text
    assert "$14.05" in page
    assert "$4.95 for the way back is taken off." in page
    browser.send(f"{path}/return/what", **{"resolution-0": "refund"})
    browser.send(f"{path}/return/how", method="label")
    review = browser.get(f"{path}/return/review").text
    assert "Refund: $14.05" in review
    assert re.search(r"You get back</th><td>\$14.05", review)


def test_the_same_again_is_offered_only_where_something_was_wrong(app: Flask) -> None:
    sold(sku="TEE-M")
    sold(sku="TEE-L")
    browser, path = Browser(app), own_link(bought())
    browser.send(f"{path}/return/items", **{"take-0": "on", "sku": "TEE-M", "quantity-0": "1"})
    for reason, offered in (("too_small", False), ("faulty", True)):
        browser.send(f"{path}/return/why", **{"reason-0": reason})
        page = browser.get(f"{path}/return/what").text
        assert 'value="TEE-L"' in page
        assert ('value="TEE-M"' in page) is offered


def test_when_nothing_can_go_back_nothing_is_sent(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought(lines=FINAL))
    browser.send(f"{path}/return/items", **{"take-1": "on", "sku": ["TEE-M", "MUG"]})
    browser.send(f"{path}/return/why", **{"reason-0": "changed_mind"})
    assert "Choose something else" in browser.get(f"{path}/return/what").text
    answer = browser.send(f"{path}/return/what", form=f"{path}/return/items")
    assert answer.status_code == 422
    assert "None of this can go back." in answer.text


def test_before_the_delivery_a_return_waits_and_cancelling_is_offered(app: Flask) -> None:
    path = own_link(bought(shipments=[]))
    page = Browser(app).get(f"{path}/return").text
    assert "You can start a return once it has been delivered." in page
    assert 'type="submit">Continue' not in page


def test_who_sends_it_with_an_own_label_tells_carrier_and_number(any_app: Flask, path: str) -> None:
    browser = Browser(any_app)
    where = walk(browser, path, method="own_label").headers["Location"]  # type: ignore[attr-defined]
    wrong = browser.send(f"{where}/parcel", form=where, carrier="UPS")
    assert wrong.status_code == 422
    assert "Type the tracking number" in wrong.text
    sent = {"carrier": "UPS", "number": "1Z5R89W30310058843"}
    assert browser.send(f"{where}/parcel", form=where, **sent).status_code == 303
    assert "1Z5R89W30310058843" in browser.get(where).text
    assert "1001-R1" in browser.get(f"{where}/slip").text


def test_the_return_names_a_day_for_everything_that_is_to_come(app: Flask) -> None:
    browser, path = Browser(app), own_link(bought(now=clock.now()))
    page = browser.get(walk(browser, path).headers["Location"]).text  # type: ignore[attr-defined]
    for words in ("Send it off by", "Sent by", "Banks usually show it by", "a•••@example.com"):
        assert words in page
