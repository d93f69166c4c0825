"""What the reader of an order's page may wish to be told: less at any grade, more only at act."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from portal import limits
from portal.db import inside, session
from portal.keys import unseal
from portal.models import Message, Preference
from portal.models.news import KINDS
from portal.models.outbox import chosen
from tests.conftest import shop_id
from tests.pages.browser import TOKEN, Browser
from tests.pages.orders import EMAIL, link_to, placed

FRIEND = "friend.canary@mail.example"


@pytest.fixture
def time():
    with time_machine.travel("2026-11-25T16:00:00+00:00", tick=False) as travelled:
        yield travelled


def at_act(app: Flask, **more: object) -> tuple[Browser, str, str]:
    order_id = placed(**more)  # type: ignore[arg-type]
    return Browser(app), order_id, f"/t/{link_to(order_id)}/updates"


def at_view(app: Flask) -> tuple[Browser, str, str]:
    order_id = placed()
    browser = Browser(app)
    return browser, order_id, f"{browser.look_up('1042', EMAIL).location}/updates"


def wished(order_id: str, address: str = EMAIL) -> frozenset[str]:
    with inside(shop_id("fern")):
        return chosen(order_id, address)


def mailed_code() -> str:
    with inside(shop_id("fern")):
        newest = session.query(Message).filter_by(kind="code").order_by(Message.id.desc()).first()
        assert newest is not None
        assert newest.recipient == FRIEND
        return unseal(newest.sealed)


def test_the_kinds_that_were_ticked_are_kept(any_app: Flask) -> None:
    browser, order_id, path = at_act(any_app)
    answer = browser.send(path, kind=["delivered", "late"])
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    assert "Saved." in page
    assert page.count(" checked") == 2
    assert wished(order_id) == {"delivered", "late"}


def test_everything_is_ticked_until_somebody_chose(app: Flask) -> None:
    browser, _, path = at_act(app)
    assert browser.get(path).text.count(" checked") == len(KINDS)


@pytest.mark.parametrize("fields", [{"stop": "1", "kind": ["late"]}, {}])
def test_stop_or_no_tick_means_nothing_any_more(app: Flask, fields: dict) -> None:
    browser, order_id, path = at_act(app)
    browser.send(path, **fields)
    assert wished(order_id) == frozenset()


def test_a_view_grade_reader_may_ask_for_less_and_not_for_more(any_app: Flask) -> None:
    browser, order_id, path = at_view(any_app)
    assert "saved=1" in browser.send(path, kind=["delivered"]).location
    assert wished(order_id) == {"delivered"}
    answer = browser.send(path, kind=["delivered", "late"])
    assert answer.location.endswith("/code")
    assert wished(order_id) == {"delivered"}


def test_a_view_grade_reader_cannot_name_another_address(app: Flask) -> None:
    browser, _, path = at_view(app)
    assert "Another address" not in browser.get(path).text
    assert browser.send(path, email=FRIEND).location.endswith("/code")
    with inside(shop_id("fern")):
        assert session.query(Message).count() == session.query(Preference).count() == 0


def test_another_address_is_told_once_it_gave_its_code_back(any_app: Flask, time) -> None:
    browser, order_id, path = at_act(any_app)
    answer = browser.send(path, email=f" {FRIEND} ")
    assert answer.location.endswith("/updates/code")
    assert wished(order_id, FRIEND) == frozenset()
    page = browser.get(answer.location)
    assert FRIEND not in page.text
    wrong = browser.send(answer.location, code="000000" if mailed_code() != "000000" else "1")
    assert wrong.status_code == 422
    assert wished(order_id, FRIEND) == frozenset()
    right = browser.send(answer.location, code=mailed_code())
    assert "saved=1" in right.location
    assert wished(order_id, FRIEND) == KINDS
    assert wished(order_id) == KINDS


def test_the_code_of_an_address_lifts_no_link(app: Flask, time) -> None:
    browser, order_id, path = at_act(app)
    browser.send(path, email=FRIEND)
    code = mailed_code()
    viewer = Browser(app)
    page = viewer.look_up("1042", EMAIL).location
    token = TOKEN.search(viewer.get(f"{page}/code").text)
    assert token
    sent = {"csrf_token": token[1], "code": code}
    assert viewer.open(f"{page}/code", "POST", data=sent).status_code == 422
    assert wished(order_id, FRIEND) == frozenset()


@pytest.mark.parametrize(
    "typed",
    ["", "x", "a@b", "a@@b.example", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.e"],
)
def test_what_is_no_address_is_said_to_be_none(app: Flask, typed: str) -> None:
    browser, _, path = at_act(app)
    answer = browser.send(path, email=typed)
    assert answer.status_code == 422
    assert "Please enter an e-mail address" in answer.text
    with inside(shop_id("fern")):
        assert session.query(Message).count() == 0


def test_a_strangers_mailbox_is_not_filled(app: Flask, time) -> None:
    """Codes to one address: so many a day over all orders, whoever asks."""
    seen = []
    for n in range(limits.CODES_ADDRESS.free + 2):
        browser, _, path = at_act(app, number=f"20{n}")
        seen.append(browser.send(path, email=FRIEND).status_code)
    assert seen == [303] * limits.CODES_ADDRESS.free + [429] * 2
    time.shift(timedelta(days=1))
    assert browser.send(path, email=FRIEND).status_code == 303


def test_the_page_names_no_address_at_any_grade(app: Flask) -> None:
    for browser, _, path in (at_act(app, number="7"), at_view(app)):
        page = browser.get(path).text
        assert EMAIL not in page
        assert "ada.canary" not in page
        assert "the address of this order" in page


def test_another_shop_sees_and_changes_nothing(any_app: Flask) -> None:
    _, order_id, path = at_act(any_app)
    charlie = Browser(any_app, "volta")
    assert charlie.get(path).status_code == 404
    token = TOKEN.search(charlie.get("/track").text)
    assert token
    for fields in ({"stop": "1"}, {"email": FRIEND}):
        sent = {"csrf_token": token[1], **fields}
        assert charlie.open(path, "POST", data=sent).status_code == 404
    assert wished(order_id) == KINDS


def test_hostile_strings_as_an_address_break_nothing(app: Flask, shared_data: Path) -> None:
    browser, _, path = at_act(app)
    token = TOKEN.search(browser.get(path).text)
    assert token
    strings = json.loads((shared_data / "security/strings/blns.json").read_text())
    strings += json.loads((shared_data / "security/forms/log_and_header.json").read_text())
    for text in strings[::4]:
        for field in ("email", "kind"):
            sent = {"csrf_token": token[1], field: text}
            answer = browser.open(path, "POST", data=sent)
            assert answer.status_code in (303, 422, 429), ascii(text)
            assert "<" not in text or text not in answer.text
