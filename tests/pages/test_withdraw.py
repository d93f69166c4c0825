"""Withdrawing from a contract: declared in two steps, kept, answered alike, and worked out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.law_mail import KINDS, facts_of
from portal.jobs.work import work
from portal.mail import render
from portal.models import Message, Order, Return, Shipment, Shop, Withdrawal
from portal.models.rma_facts import Asked
from portal.models.withdrawal import last_day_of
from tests.conftest import shop_id
from tests.models.bought import SHIRT, ask, bought
from tests.pages.browser import Browser
from tests.staff.test_signin import joined
from themes import load

DAY = timedelta(days=1)
KEY = re.compile(r'name="key" value="([^"]+)"')
ADA = {"name": "Ada Example", "number": "1001", "email": "ada@example.com", "articles": ""}


def declared(browser: Browser, **typed: str) -> Any:
    """Both steps; gives the answer to the second."""
    fields = ADA | typed
    page = browser.send("/withdraw", **fields)
    assert page.status_code == 200, page.text
    key = KEY.search(page.text)
    assert key, page.text
    return browser.send("/withdraw/confirm", "/withdraw", key=key[1], **fields)


def only() -> Withdrawal:
    with inside(shop_id("fern")):
        return session.query(Withdrawal).one()


def worked_out(app: Flask) -> Withdrawal:
    work("withdraw")
    return only()


def in_the_eu(**more: Any) -> str:
    now = clock.now()
    address = {"name": "Ada", "city": "Berlin", "country": "DE"}
    return bought(now=now, currency="EUR", shipping_address=address, **more)


def test_two_steps_and_a_receipt_with_date_and_time(any_app: Flask) -> None:
    in_the_eu()
    browser = Browser(any_app)
    form = browser.get("/withdraw").text
    assert form.count("Withdraw from contract here") >= 2
    assert len(re.findall(r"<(?:input|textarea)[^>]* required", form)) <= 3
    first = browser.send("/withdraw", **ADA).text
    assert "Confirm withdrawal" in first
    with inside(shop_id("fern")):
        assert session.query(Withdrawal).count() == 0  # looking it over stores nothing
    answer = declared(browser)
    assert answer.status_code == 303
    receipt = browser.get(answer.headers["Location"]).text
    for words in ("We have your withdrawal", "Received on", "1001", "Ada Example"):
        assert words in receipt
    with inside(shop_id("fern")):
        [mail] = session.query(Message).filter_by(kind="withdrawal_receipt")
        assert mail.recipient == "ada@example.com"


def test_it_becomes_a_return_whatever_the_shops_policy_says(any_app: Flask) -> None:
    order_id = in_the_eu(lines=[{**SHIRT, "final_sale": True}])
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment):
            parcel.delivered_at = clock.now() - 13 * DAY
    declared(Browser(any_app))
    made = worked_out(any_app)
    assert (made.status, made.order_id, made.is_late) == ("matched", order_id, False)
    with inside(shop_id("fern")):
        rma = session.query(Return).one()
        assert (rma.status, rma.channel) == ("approved", "withdrawal")
        [line] = rma.lines
        amounts = rma.quoted["refund"]
        assert amounts["fee_minor"] == 0
        assert amounts["shipping_minor"] == 490  # the whole order goes back
        assert line.decision["rule"] == "law"


def test_a_late_one_is_kept_flagged_and_left_to_a_person(any_app: Flask) -> None:
    in_the_eu()
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment):
            parcel.delivered_at = clock.now() - 20 * DAY
    declared(Browser(any_app))
    made = worked_out(any_app)
    assert made.is_late
    with inside(shop_id("fern")):
        assert session.query(Return).one().status == "requested"


@pytest.mark.parametrize(
    "typed", [{"number": "no-such"}, {"email": "eve@example.com"}, {"number": "1001 or so"}]
)
def test_known_and_unknown_orders_are_answered_alike(app: Flask, typed: dict[str, str]) -> None:
    in_the_eu()
    browser = Browser(app)
    known, unknown = declared(browser), declared(browser, **typed)
    assert known.status_code == unknown.status_code == 303
    pages = [browser.get(each.headers["Location"]).text for each in (known, unknown)]
    plain = [re.sub(r"(?s)<dl.*?</dl>|received on.*?<|e-mail.*?<", "", p.lower()) for p in pages]
    bare = [
        text.replace(typed.get("email", "-"), "").replace("ada@example.com", "") for text in plain
    ]
    assert bare[0] == bare[1]
    work("withdraw")
    with inside(shop_id("fern")):
        found = {row.status for row in session.query(Withdrawal)}
        assert found == {"matched", "unmatched"}
        assert session.query(Return).count() == 1


def test_the_button_pressed_twice_declares_once(any_app: Flask) -> None:
    browser = Browser(any_app)
    page = browser.send("/withdraw", **ADA)
    key = KEY.search(page.text)
    assert key
    answers = [
        browser.send("/withdraw/confirm", "/withdraw", key=key[1], **ADA).headers["Location"]
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert only().number == "1001"


def test_nobody_has_a_stranger_flooded_with_receipts(app: Flask) -> None:
    for n in range(7):
        assert declared(Browser(app), number=f"n-{n}").status_code == 303
    with inside(shop_id("fern")):
        assert session.query(Withdrawal).count() == 7
        assert session.query(Message).filter_by(kind="withdrawal_receipt").count() == 5


def test_what_is_missing_is_named_and_what_was_typed_stays(app: Flask) -> None:
    answer = Browser(app).send("/withdraw", **(ADA | {"email": "nobody", "number": " "}))
    assert answer.status_code == 422
    for words in ("Type an e-mail address", "Type your order number", "Ada Example"):
        assert words in answer.text


def test_going_back_keeps_the_answers(app: Flask) -> None:
    answer = Browser(app).send("/withdraw", change="1", **ADA)
    assert answer.status_code == 200
    assert 'value="Ada Example"' in answer.text


def test_exempt_goods_are_named_with_their_ground_and_stay(any_app: Flask) -> None:
    in_the_eu(
        lines=[SHIRT, {"sku": "GEL", "title": "Gel", "quantity": 1, "tags": ["sealed_hygiene"]}]
    )
    declared(Browser(any_app))
    made = worked_out(any_app)
    assert [(each["sku"], each["ground"]) for each in made.exempt] == [("GEL", "sealed_hygiene")]
    with inside(shop_id("fern")):
        assert {line.sku for line in session.query(Return).one().lines} == {"TEE-M"}
        assert session.query(Message).filter_by(kind="withdrawal_exempt").count() == 1


def test_a_shop_may_say_which_of_its_goods_are_exempt(app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        shop = session.get_one(Shop, shop_id("fern"))
        rule = {"category": "Shirts", "ground": "made_to_measure"}
        shop.settings = {**shop.settings, "withdrawal_exempt": [rule]}
    in_the_eu()
    declared(Browser(app))
    assert [each["sku"] for each in worked_out(app).exempt] == ["TEE-M"]


def test_only_named_articles_go_back(app: Flask) -> None:
    in_the_eu()
    declared(Browser(app), articles="the Mug please")
    worked_out(app)
    with inside(shop_id("fern")):
        assert {line.sku for line in session.query(Return).one().lines} == {"MUG"}


def test_what_is_in_a_return_already_is_named_not_taken_twice(app: Flask) -> None:
    order_id = in_the_eu()
    ask(order_id, Asked.of("MUG", 1, "changed_mind"), now=clock.now())
    declared(Browser(app))
    made = worked_out(app)
    assert "MUG" in made.problem
    with inside(shop_id("fern")):
        assert session.query(Return).count() == 2


def test_staff_join_one_with_its_order(any_app: Flask) -> None:
    in_the_eu()
    declared(Browser(any_app), number="order 1001?", email="ada@other.example")
    made = worked_out(any_app)
    assert made.status == "unmatched"
    desk = joined(any_app)
    assert "order 1001?" in desk.get("/staff/queue?view=withdrawals").text
    here = f"/staff/withdrawals/{made.id}"
    assert desk.send(f"{here}/order", here, number="1009").status_code == 409
    assert desk.send(f"{here}/order", here, number="1001").status_code == 303
    assert only().status == "matched"
    assert desk.send(f"{here}/order", "/staff/queue", number="1001").status_code == 409


def test_staff_take_one_off_the_queue_with_what_they_did(app: Flask) -> None:
    declared(Browser(app), number="no-such")
    made = worked_out(app)
    desk, here = joined(app), f"/staff/withdrawals/{made.id}"
    assert desk.send(f"{here}/closing", here, why=" ").status_code == 409
    assert desk.send(f"{here}/closing", here, why="Not one of ours.").status_code == 303
    assert "no-such" not in desk.get("/staff/queue?view=withdrawals").text
    assert "Not one of ours." in desk.get(here).text


def test_shops_in_the_eu_show_the_way_on_every_page(app: Flask) -> None:
    words = "Withdraw from contract here"
    assert words not in Browser(app).get("/").text
    with inside(shop_id("fern")), writing():
        session.get_one(Shop, shop_id("fern")).country = "DE"
    for path in ("/", "/policy", "/track"):
        assert words in Browser(app).get(path).text
    with inside(shop_id("fern")), writing():
        shop = session.get_one(Shop, shop_id("fern"))
        shop.settings = {**shop.settings, "eu_withdrawal": False}
    assert words not in Browser(app).get("/").text


def test_another_shops_receipt_is_not_shown(app: Flask) -> None:
    at = declared(Browser(app)).headers["Location"]
    assert Browser(app, "volta").get(at).status_code == 404


def test_an_order_not_delivered_yet_can_be_withdrawn_from(app: Flask) -> None:
    in_the_eu()
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment):
            parcel.status, parcel.delivered_at = "in_transit", None
    declared(Browser(app))
    made = worked_out(app)
    assert (made.is_late, made.last_day) == (False, None)
    with inside(shop_id("fern")):
        assert session.query(Return).one().status == "approved"
        assert session.query(Order).count() == 1


@given(st.dates())
def test_the_last_day_is_a_working_day_at_least_fourteen_days_on(day: Any) -> None:
    if day.year > 9998:
        return
    last = last_day_of(day)
    assert 14 <= (last - day).days <= 16
    assert last.weekday() < 5


def test_the_mails_hold_what_was_declared_and_why_goods_are_exempt(app: Flask) -> None:
    in_the_eu(lines=[SHIRT, {"sku": "GEL", "title": "Gel", "quantity": 1, "tags": ["perishable"]}])
    declared(Browser(app))
    worked_out(app)
    with inside(shop_id("fern")):
        shop = session.get_one(Shop, shop_id("fern"))
        letters = {
            mail.kind: render(mail.kind, facts_of(mail, shop, "en"), shop, load("fern"), "en")
            for mail in session.query(Message)
            if mail.kind in KINDS
        }
    receipt, exempt = letters["withdrawal_receipt"], letters["withdrawal_exempt"]
    assert receipt.subject == "We have your withdrawal: 1001"
    for words in ("Ada Example", "ada@example.com", "Received on", "/withdraw/"):
        assert words in receipt.text
        assert words in receipt.html
    assert "Article 16(d)" in exempt.text
