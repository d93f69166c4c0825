"""The way out of the mails: by a press or by the mail program itself, for one address and order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import AuditEntry, Message, Order
from portal.models.outbox import confirm, start, wants
from tests.conftest import shop_id
from tests.mail.stories import READER, hears, kinds, messages, ordered
from tests.pages.browser import Browser

ONE_CLICK = {"data": {"List-Unsubscribe": "One-Click"}}


def told(slug: str = "fern", number: str = "1042") -> tuple[str, str, str]:
    """An order whose reader was told something: its id, its parcel's, and the mail's way out."""
    order_id, [parcel] = ordered(slug, number=number)
    hears(parcel, ("in_transit", clock.now() - timedelta(minutes=5)), slug=slug)
    return order_id, parcel, way_out(order_id, slug)


def way_out(order_id: str, slug: str = "fern", recipient: str = READER) -> str:
    with inside(shop_id(slug)):
        found = session.query(Message).filter_by(order_id=order_id, recipient=recipient).one()
        return f"/u/{found.stop_token}"


def is_told(order_id: str, recipient: str = READER) -> bool:
    with inside(shop_id("fern")):
        return wants(order_id, recipient)


def test_the_mail_programs_own_button_stops_the_mails(any_app: Flask) -> None:
    order_id, parcel, path = told()
    browser = Browser(any_app)  # without cookies, form token or signing in
    answer = browser.open(path, "POST", **ONE_CLICK)
    assert answer.status_code == 200
    assert not is_told(order_id)
    hears(parcel, ("delivered", clock.now()))
    assert kinds() == ["shipped"]
    with inside(shop_id("fern")):
        assert session.query(AuditEntry).filter_by(act="updates.stopped").count() == 1


def test_looking_changes_nothing_and_a_press_does(app: Flask) -> None:
    order_id, _, path = told()
    browser = Browser(app)
    for method in ("GET", "HEAD", "GET"):
        assert browser.open(path, method).status_code == 200
    assert is_told(order_id)
    assert "Stop these mails?" in browser.get(path).text
    pressed = browser.send(path)
    assert pressed.status_code == 200
    assert "You get no more mails about this order" in pressed.text
    assert "You get no more mails about this order" in browser.get(path).text
    assert not is_told(order_id)


def test_it_can_be_taken_back(app: Flask) -> None:
    order_id, parcel, path = told()
    browser = Browser(app)
    browser.send(path)
    assert "Stop these mails?" in browser.send(path, again="1").text
    assert is_told(order_id)
    hears(parcel, ("delivered", clock.now()))
    assert kinds() == ["shipped", "delivered"]


def test_it_is_for_one_address_and_one_order(app: Flask) -> None:
    order_id, _, _ = told()
    other_order, _, _ = told(number="1043")
    with inside(shop_id("fern")), writing():
        start(order_id, "friend@example.com")
        confirm(order_id, "friend@example.com", clock.now())
        [parcel] = [one.id for one in session.get_one(Order, order_id).shipments]
    hears(parcel, ("delivered", clock.now()))
    Browser(app).open(way_out(order_id, recipient="friend@example.com"), "POST", **ONE_CLICK)
    assert not is_told(order_id, "friend@example.com")
    assert is_told(order_id)
    assert is_told(other_order)


def test_pressing_twice_is_pressing_once(app: Flask) -> None:
    order_id, _, path = told()
    for _ in range(2):
        assert Browser(app).open(path, "POST", **ONE_CLICK).status_code == 200
    assert not is_told(order_id)


def test_the_page_shows_no_address_and_hides_from_indexes(app: Flask) -> None:
    _, _, path = told()
    answer = Browser(app).get(path)
    assert READER not in answer.text
    assert "1042" in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_another_shop_neither_shows_nor_stops_anything(any_app: Flask) -> None:
    order_id, _, path = told()
    charlie = Browser(any_app, "volta")
    assert charlie.get(path).status_code == 404
    assert charlie.open(path, "POST", **ONE_CLICK).status_code == 404
    assert is_told(order_id)


def test_a_token_that_is_none_stops_nothing(app: Flask) -> None:
    order_id, _, path = told()
    [message] = messages()
    other = path.replace(message.id, "msg_" + "0" * 26)
    for wrong in (path[:-1], path + "A", other, f"/u/{message.id}", f"/u/{message.id}.", "/u/x"):
        for method in ("GET", "POST"):
            assert Browser(app).open(wrong, method).status_code == 404
    for wrong in ("/u/%00", "/u/" + "a" * 3000, "/u/%f0%9f%8c%b5.%ff", "/u/..%2f.."):
        assert Browser(app).open(wrong, "POST").status_code == 404
    assert is_told(order_id)


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_language_asked_for_is_kept(app: Flask, lang: str) -> None:
    _, _, path = told()
    page = Browser(app).get(f"{path}?lang={lang}").text
    assert f'<html lang="{lang}">' in page
    assert f'action="{path}?lang={lang}"' in page
