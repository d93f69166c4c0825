"""A mailed code lifts a link: once, in its browser, in its time, and never by looking."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from portal.db import inside, session
from portal.keys import unseal
from portal.models import AuditEntry, Due, Link, LinkCode, Message
from portal.models.access import CODE_TRIES
from tests.conftest import shop_id
from tests.pages.browser import TOKEN, Browser
from tests.pages.orders import EMAIL, link_to, placed


@pytest.fixture
def time():
    with time_machine.travel("2026-11-25T16:00:00+00:00", tick=False) as travelled:
        yield travelled


def looked_up(app: Flask, **more: object) -> tuple[Browser, str]:
    """A browser that found its order by look-up, and the path of the page."""
    if not more.pop("is_there", False):
        placed(**more)  # type: ignore[arg-type]
    browser = Browser(app)
    return browser, browser.look_up("1042", EMAIL).location


def asked(browser: Browser, path: str) -> str:
    """Ask for a code; gives the digits that were planned to be mailed."""
    assert browser.send(f"{path}/code").status_code == 303
    with inside(shop_id("fern")):
        newest = session.query(Message).order_by(Message.id.desc()).first()
        assert newest is not None
        return unseal(newest.sealed)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def grade_of(browser: Browser, path: str) -> str:
    """What the code page shows tells the grade: an act-grade reader has no business there."""
    return "act" if browser.get(f"{path}/code").status_code == 303 else "view"


def test_the_right_code_lifts_the_link(any_app: Flask, time) -> None:
    browser, path = looked_up(any_app)
    code = asked(browser, path)
    assert re.fullmatch(r"\d{6}", code)
    assert grade_of(browser, path) == "view"
    answer = browser.send(f"{path}/code", code=code)
    assert (answer.status_code, answer.location) == (303, path)
    assert grade_of(browser, path) == "act"
    with inside(shop_id("fern")):
        assert session.query(AuditEntry).filter_by(act="link.lifted").count() == 1


def test_the_code_goes_to_the_orders_own_address_and_is_kept_sealed(app: Flask, time) -> None:
    browser, path = looked_up(app)
    code = asked(browser, path)
    with inside(shop_id("fern")):
        [message] = session.query(Message).all()
        [kept] = session.query(LinkCode).all()
        assert (message.recipient, message.kind) == (EMAIL, "code")
        assert code not in message.sealed + str(message.facts) + kept.code_digest
        assert session.query(Due).filter_by(queue="send", subject=message.id).count() == 1


def test_looking_sends_and_uses_nothing(app: Flask, time) -> None:
    browser, path = looked_up(app)
    for method in ("GET", "HEAD"):
        assert browser.open(f"{path}/code", method).status_code == 200
    with inside(shop_id("fern")):
        assert session.query(Message).count() == 0
    code = asked(browser, path)
    for method in ("GET", "HEAD", "GET"):
        assert browser.open(f"{path}/code?code={code}", method).status_code == 200
    assert grade_of(browser, path) == "view"
    browser.send(f"{path}/code", code=code)
    assert grade_of(browser, path) == "act"


def test_a_code_typed_with_blanks_is_right(app: Flask, time) -> None:
    browser, path = looked_up(app)
    code = asked(browser, path)
    browser.send(f"{path}/code", code=f" {code[:3]} {code[3:]}\t")
    assert grade_of(browser, path) == "act"


def test_a_wrong_code_says_so_and_lifts_nothing(any_app: Flask, time) -> None:
    browser, path = looked_up(any_app)
    code = asked(browser, path)
    answer = browser.send(f"{path}/code", code=other_than(code))
    assert answer.status_code == 422
    assert "This code is not right, or its time is over." in answer.text
    assert grade_of(browser, path) == "view"
    browser.send(f"{path}/code", code=code)
    assert grade_of(browser, path) == "act"


def test_after_so_many_wrong_tries_the_right_code_is_worth_nothing(any_app: Flask, time) -> None:
    browser, path = looked_up(any_app)
    code = asked(browser, path)
    token = TOKEN.search(browser.get(f"{path}/code").text)
    assert token
    for _ in range(CODE_TRIES):
        wrong = {"csrf_token": token[1], "code": other_than(code)}
        assert browser.open(f"{path}/code", "POST", data=wrong).status_code == 422
    right = {"csrf_token": token[1], "code": code}
    assert browser.open(f"{path}/code", "POST", data=right).status_code == 422
    assert grade_of(browser, path) == "view"


def test_a_code_runs_out_after_ten_minutes(app: Flask, time) -> None:
    browser, path = looked_up(app)
    code = asked(browser, path)
    token = TOKEN.search(browser.get(f"{path}/code").text)
    assert token
    time.shift(timedelta(minutes=10))
    late = browser.open(f"{path}/code", "POST", data={"csrf_token": token[1], "code": code})
    assert late.status_code == 422
    assert grade_of(browser, path) == "view"


def test_a_code_works_once(app: Flask, time) -> None:
    browser, path = looked_up(app)
    code = asked(browser, path)
    browser.send(f"{path}/code", code=code)
    second = browser.look_up("1042", EMAIL).location
    assert grade_of(browser, second) == "view"
    page = browser.get(f"{second}/code").text
    token = TOKEN.search(page)
    assert token
    used = browser.open(f"{second}/code", "POST", data={"csrf_token": token[1], "code": code})
    assert used.status_code == 422
    assert grade_of(browser, second) == "view"


def test_a_newer_code_takes_the_place_of_an_older_one(app: Flask, time) -> None:
    browser, path = looked_up(app)
    first = asked(browser, path)
    time.shift(timedelta(minutes=2))
    second = asked(browser, path)
    assert browser.send(f"{path}/code", code=first).status_code == (422 if first != second else 303)
    browser.send(f"{path}/code", code=second)
    assert grade_of(browser, path) == "act"
    with inside(shop_id("fern")):
        states = [one.state for one in session.query(Message).order_by(Message.id)]
    assert states == ["superseded", "wanted"]


def test_a_code_is_worth_nothing_in_another_browser(any_app: Flask, time) -> None:
    mine, path = looked_up(any_app)
    code = asked(mine, path)
    thief, theirs = looked_up(any_app, is_there=True)
    token = TOKEN.search(thief.get(f"{theirs}/code").text)
    assert token
    stolen = {"csrf_token": token[1], "code": code}
    assert thief.open(f"{theirs}/code", "POST", data=stolen).status_code == 422
    assert thief.open(f"{path}/code", "POST", data=stolen).status_code == 404
    assert grade_of(thief, theirs) == "view"


def test_the_lift_gives_the_browser_a_new_session_and_ends_the_old_one(app: Flask, time) -> None:
    browser, path = looked_up(app)
    code = asked(browser, path)
    cookie = browser.client.get_cookie("session", domain=browser.host.split(":")[0])
    assert cookie
    old = cookie.value
    browser.send(f"{path}/code", code=code)
    fresh = browser.client.get_cookie("session", domain=browser.host.split(":")[0])
    assert fresh
    assert fresh.value != old
    thief = Browser(app)
    thief.client.set_cookie("session", old, domain=thief.host.split(":")[0])
    assert thief.get(path).status_code == 404
    assert browser.get(path).status_code == 200


def test_another_shop_neither_sends_nor_takes_codes_of_ours(any_app: Flask, time) -> None:
    browser, path = looked_up(any_app)
    code = asked(browser, path)
    charlie = Browser(any_app, "volta")
    token = TOKEN.search(charlie.get("/track").text)
    assert token
    for data in ({}, {"code": code}):
        sent = charlie.open(f"{path}/code", "POST", data={"csrf_token": token[1], **data})
        assert sent.status_code == 404
    with inside(shop_id("volta")):
        assert session.query(Message).count() == 0


def test_asking_is_answered_alike_whether_or_not_there_is_an_address(app: Flask, time) -> None:
    placed(email="")
    browser = Browser(app)
    path = browser.look_up("1042", "90210-CAN").location
    answer = browser.send(f"{path}/code")
    assert (answer.status_code, answer.location) == (303, f"{path}/code")
    assert "We sent six digits to the address of this order." in browser.get(answer.location).text
    with inside(shop_id("fern")):
        assert session.query(Message).count() == 0


def test_codes_are_mailed_once_a_minute_and_five_times_a_day(app: Flask, time) -> None:
    browser, path = looked_up(app)
    for _ in range(3):
        browser.send(f"{path}/code")
    with inside(shop_id("fern")):
        assert session.query(Message).count() == 1
    for _ in range(8):
        time.shift(timedelta(minutes=61))
        seen = browser.send(f"{path}/code")
    assert seen.status_code == 429
    assert "Too many tries" in seen.text
    with inside(shop_id("fern")):
        assert session.query(Message).count() == 5
    time.shift(timedelta(hours=24))
    path = browser.look_up("1042", EMAIL).location
    assert browser.send(f"{path}/code").status_code == 303


def test_another_browser_within_the_minute_is_told_to_wait(app: Flask, time) -> None:
    mine, path = looked_up(app)
    asked(mine, path)
    other, theirs = looked_up(app, is_there=True)
    answer = other.send(f"{theirs}/code")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "Try again in a minute." in answer.text
    time.shift(timedelta(minutes=1))
    assert other.send(f"{theirs}/code").status_code == 303


def test_the_orders_own_link_needs_no_code(app: Flask, time) -> None:
    path = f"/t/{link_to(placed())}"
    assert Browser(app).get(f"{path}/code").location == path


def test_hostile_strings_as_a_code_break_nothing(app: Flask, shared_data: Path, time) -> None:
    browser, path = looked_up(app)
    asked(browser, path)
    token = TOKEN.search(browser.get(f"{path}/code").text)
    assert token
    strings = json.loads((shared_data / "security/strings/blns.json").read_text())
    for text in strings[::4]:
        sent = {"csrf_token": token[1], "code": text}
        answer = browser.open(f"{path}/code", "POST", data=sent)
        assert answer.status_code == 422, ascii(text)
        assert "<" not in text or text not in answer.text


def test_a_lifted_link_still_ends_after_a_day(app: Flask, time) -> None:
    browser, path = looked_up(app)
    browser.send(f"{path}/code", code=asked(browser, path))
    with inside(shop_id("fern")):
        assert session.query(Link).filter_by(grade="act").one().expires_at is not None
    time.shift(timedelta(hours=24))
    assert browser.get(path).status_code in (404, 410)
