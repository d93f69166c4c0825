"""The customer's own page: in by a mailed code, everything of theirs, nothing of anybody else."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.keys import unseal
from portal.models import Customer, Message, Order, Return
from portal.models.credit import give_credit
from tests.conftest import shop_id
from tests.models.bought import ask, bought, shirts
from tests.pages.browser import Browser

ADA = "ada@example.com"


def code_for(email: str = ADA, slug: str = "fern") -> str:
    """The code that waits to be mailed."""
    with inside(shop_id(slug)):
        row = session.query(Message).filter_by(kind="code", recipient=email, state="wanted").one()
        assert row.facts["purpose"] == "account"
        return unseal(row.sealed)


def entered(app: Flask, email: str = ADA, slug: str = "fern") -> Browser:
    browser = Browser(app, slug)
    assert browser.send("/account", email=email).status_code == 303
    assert browser.send("/account/code", code=code_for(email, slug)).status_code == 303
    return browser


def customer_id() -> str:
    with inside(shop_id("fern")):
        return str(session.query(Customer.id).filter_by(email=ADA).scalar())


def test_a_code_opens_orders_returns_and_credit(any_app: Flask) -> None:
    first, _ = bought(), bought(number="1002")
    ask(first, shirts(1, "other"))
    with inside(shop_id("fern")), writing():
        ends = clock.now() + timedelta(days=90)
        give_credit(customer_id(), 1_250, "USD", "gift", clock.now(), expires_at=ends)
    browser = entered(any_app)
    page = browser.get("/account").text
    assert "1001-R1" in page
    assert "$12.50 store credit" in page
    assert ADA in page
    for path in re.findall(r'href="(/[trc]/[^"]+)"', page):
        assert browser.get(path).status_code == 200
    assert len(re.findall(r'href="/t/[^"/]+"', page)) == 2


def test_known_and_unknown_are_answered_alike(app: Flask) -> None:
    bought()
    answers = []
    for email in (ADA, "nobody@example.com"):
        browser = Browser(app)
        sent = browser.send("/account", email=email)
        page = re.sub(r'value="[^"]+"', "", browser.get("/account/code").text)
        wrong = browser.send("/account/code", code="000000")
        answers.append((sent.status_code, sent.headers["Location"], page, wrong.status_code))
    assert answers[0] == answers[1]
    with inside(shop_id("fern")):
        assert [row.recipient for row in session.query(Message).filter_by(kind="code")] == [ADA]


def test_a_code_works_once_in_its_browser_for_ten_minutes(app: Flask) -> None:
    bought()
    with time_machine.travel(clock.now(), tick=False) as hands:
        mine, other = Browser(app), Browser(app)
        mine.send("/account", email=ADA)
        code = code_for()
        assert other.send("/account/code", code=code).status_code == 422
        hands.shift(timedelta(minutes=11))
        assert mine.send("/account/code", code=code).status_code == 422
        mine.send("/account", email=ADA)
        assert mine.send("/account/code", code=code_for()).status_code == 303
        assert "Your orders" in mine.get("/account").text
        hands.shift(timedelta(hours=13))
        assert "Your orders" not in mine.get("/account").text


def test_codes_are_limited(app: Flask) -> None:
    bought()
    with time_machine.travel(clock.now(), tick=False) as hands:
        statuses = []
        for _ in range(7):
            statuses.append(Browser(app).send("/account", email=ADA).status_code)
            hands.shift(timedelta(minutes=2))
    assert statuses == [303] * 5 + [429] * 2


def test_signing_out_and_other_shops_end_it(app: Flask) -> None:
    bought()
    bought("volta", "VN-1")
    browser = entered(app)
    neighbour = Browser(app, "volta")
    neighbour.client = browser.client
    assert "Your orders" not in neighbour.get("/account").text
    browser.send("/account/leave", "/account")
    assert "Your orders" not in browser.get("/account").text
    assert browser.get("/account/data.json").status_code == 303
    assert browser.get("/account/erasure").status_code == 303


def test_ones_data_is_taken_away_whole(app: Flask) -> None:
    order_id = bought()
    bought(number="9", email="bob@example.com")
    ask(order_id, shirts(1, "other", statement="It is <b>torn</b>"))
    answer = entered(app).get("/account/data.json")
    told = json.loads(answer.text)
    assert "attachment" in answer.headers["Content-Disposition"]
    assert [order["number"] for order in told["orders"]] == ["1001"]
    assert told["orders"][0]["shipping_address"]["city"] == "Austin"
    assert told["returns"][0]["lines"][0]["statement"] == "It is <b>torn</b>"
    assert "bob@" not in answer.text


def test_who_wants_it_is_forgotten_once_nothing_is_under_way(app: Flask) -> None:
    order_id = bought()
    id = ask(order_id, shirts(1, "other"))
    browser = entered(app)
    page = browser.get("/account/erasure").text
    assert "1001-R1" in page
    assert "Delete my data" not in page
    sent = browser.send("/account/erasure", "/account", sure="yes")
    assert sent.status_code == 409
    with inside(shop_id("fern")), writing():
        session.get_one(Return, id).status = "cancelled"
    assert browser.send("/account/erasure").status_code == 422
    done = browser.send("/account/erasure", sure="yes")
    assert "Your data is deleted" in done.text
    assert "Your orders" not in browser.get("/account").text
    with inside(shop_id("fern")):
        assert session.get_one(Order, order_id).email == ""
    assert Browser(app).send("/account", email=ADA).status_code == 303
    with inside(shop_id("fern")):
        assert session.query(Message).filter_by(kind="code", state="wanted").count() == 0


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "x" * 400, "a@b.c\x00"])
def test_what_is_no_address_is_said(app: Flask, email: str) -> None:
    answer = Browser(app).send("/account", email=email)
    assert answer.status_code == 422
    assert "name@example.com" in answer.text
