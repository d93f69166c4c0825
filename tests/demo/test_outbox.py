"""The rehearsal's outbox: both brands' messages, as HTML and as text; absent when serving."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from portal import clock, create_app
from portal.db import db, inside, session, writing
from portal.jobs.work import work
from portal.models import Order
from portal.models.outbox import plan_code
from tests.conftest import settings_for, shop_id, two_shops
from tests.mail.conftest import FROM
from tests.mail.stories import hears, messages, ordered
from tests.pages.browser import Browser


@pytest.fixture
def demo(sqlite_url: str) -> Iterator[Flask]:
    """The site as a rehearsal, its messages kept in the outbox."""
    app = create_app(settings_for(sqlite_url, SMTP_URL="outbox:", MAIL_FROM=FROM), as_demo=True)
    with app.app_context():
        two_shops()
        yield app
        session.remove()
        db.engine.dispose()


def test_the_messages_of_both_brands_are_listed_and_shown_whole(demo: Flask) -> None:
    for slug in ("fern", "volta"):
        _, [parcel] = ordered(slug)
        hears(parcel, ("in_transit", clock.now() - timedelta(minutes=5)), slug=slug)
    work("send")
    browser = Browser(demo)
    page = browser.get("/demo/outbox").text
    assert page.count("Order 1042 is on its way") == 2
    for slug in ("fern", "volta"):
        [message] = messages(slug)
        assert f"/demo/outbox/{message.id}.html" in page
        html = browser.get(f"/demo/outbox/{message.id}.html")
        assert html.text.startswith("<!doctype html>")
        policy = html.headers["Content-Security-Policy"]
        assert f"img-src 'self' http://{slug}.localhost:8000;" in policy
        assert "script-src" not in policy
        text = browser.get(f"/demo/outbox/{message.id}.txt")
        assert text.mimetype == "text/plain"
        assert "Order 1042" in text.text


def test_a_code_can_be_read_there(demo: Flask) -> None:
    order_id, _ = ordered(parcels=0)
    with inside(shop_id("fern")), writing():
        plan_code(session.get_one(Order, order_id), "804213", "lift", "a@example.com", clock.now())
    browser = Browser(demo)
    assert "wanted" in browser.get("/demo/outbox").text
    work("send")
    assert "804213" in browser.get(f"/demo/outbox/{messages()[0].id}.txt").text


@pytest.mark.parametrize("name", ["msg_none.html", "msg_none.txt", "x"])
def test_a_message_that_is_not_there_is_not_shown(demo: Flask, name: str) -> None:
    assert Browser(demo).get(f"/demo/outbox/{name}").status_code == 404


def test_an_empty_outbox_says_what_to_do(demo: Flask) -> None:
    assert "Nothing has been sent yet" in Browser(demo).get("/demo/outbox").text


def test_a_house_that_serves_has_no_such_page(app: Flask) -> None:
    assert Browser(app).get("/demo/outbox").status_code == 404
