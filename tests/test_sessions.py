"""Sessions live on the server: the cookie is only a name, and one that can be taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from flask import Flask, session
from sqlalchemy import func, select

from portal import clock
from portal.db import session as rows
from portal.models import WebSession
from portal.pages.entry import browser as browser_session
from portal.sessions import LIFE
from tests.conftest import running_app
from tests.pages.browser import Browser

PLANTED = "p" * 43


def remember() -> str:
    session["seen"] = session.get("seen", 0) + 1
    return str(session["seen"])


def recall() -> str:
    return str(session.get("seen", 0))


def promote() -> str:
    browser_session().rotate()
    session["right"] = True
    return "now more may be done"


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    """The site with three routes that use the session as a page does."""
    with with_routes(app):
        yield app


@contextmanager
def with_routes(app: Flask) -> Iterator[None]:
    for view in (remember, recall, promote):
        app.add_url_rule(f"/{view.__name__}", view_func=view)
    yield


def cookie(browser: Browser) -> str:
    found = browser.client.get_cookie("session", browser.host.split(":")[0])
    return found.value if found else ""


def plant(browser: Browser, sid: str) -> None:
    browser.client.set_cookie("session", sid, domain=browser.host.split(":")[0])


def stored() -> int:
    rows.rollback()
    return rows.scalar(select(func.count()).select_from(WebSession)) or 0


def test_who_only_looks_gets_no_cookie_and_no_row(app: Flask) -> None:
    browser = Browser(app)
    for path in ("/healthz", "/recall", "/robots.txt", "/static/live.js", "/nothing"):
        with browser.get(path) as answer:
            assert "Set-Cookie" not in answer.headers
    assert browser.get("/track").headers["Set-Cookie"]  # a form needs to know its browser
    assert stored() == 0


def test_what_is_remembered_comes_back_in_this_browser_alone(app: Flask) -> None:
    ada, eve = Browser(app), Browser(app)
    assert [ada.get("/remember").text for _ in range(3)] == ["1", "2", "3"]
    assert ada.get("/recall").text == "3"
    assert eve.get("/recall").text == "0"
    assert stored() == 1


def test_the_cookie_is_a_random_name_and_nothing_else(app: Flask) -> None:
    names = set()
    for _ in range(20):
        browser = Browser(app)
        browser.get("/remember")
        names.add(cookie(browser))
    assert len(names) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", name) for name in names)
    digests = set(rows.scalars(select(WebSession.digest)))
    assert not digests & names


@pytest.mark.parametrize("sid", ["", "x", PLANTED[:-1], PLANTED + "p", "../" + PLANTED, "é" * 43])
def test_a_name_that_cannot_be_ours_is_replaced(app: Flask, sid: str) -> None:
    browser = Browser(app)
    plant(browser, sid)
    assert browser.get("/remember").text == "1"
    assert cookie(browser) not in (sid, "")


def test_a_planted_name_is_given_up_before_it_carries_a_right(app: Flask) -> None:
    ada, eve = Browser(app), Browser(app)
    plant(ada, PLANTED)
    plant(eve, PLANTED)
    ada.get("/remember")
    ada.get("/promote")
    assert cookie(ada) != PLANTED
    assert ada.get("/recall").text == "1"  # what was remembered moves along
    assert eve.get("/recall").text == "0"
    assert stored() == 1


def test_an_old_name_is_worthless_after_a_change_of_rights(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/remember")
    before = cookie(browser)
    browser.get("/promote")
    thief = Browser(app)
    plant(thief, before)
    assert thief.get("/recall").text == "0"


def test_at_another_shop_the_same_name_is_a_stranger(app: Flask) -> None:
    fern, volta = Browser(app), Browser(app, "volta")
    fern.get("/remember")
    plant(volta, cookie(fern))
    assert volta.get("/recall").text == "0"
    assert volta.get("/remember").text == "1"
    assert fern.get("/remember").text == "2"


def test_a_session_ends_a_day_after_its_last_use(app: Flask) -> None:
    browser = Browser(app)
    began = clock.now().replace(microsecond=0)
    with time_machine.travel(began, tick=False) as time:
        browser.get("/remember")
        time.move_to(began + LIFE - timedelta(seconds=1))
        assert browser.get("/remember").text == "2"
        time.move_to(began + 2 * LIFE - timedelta(seconds=2))
        assert browser.get("/recall").text == "2"
        time.move_to(began + 2 * LIFE)
        assert browser.get("/recall").text == "0"


@pytest.mark.parametrize(
    ("base", "name", "flags"),
    [
        ("http://127.0.0.1:8000", "session", {"HttpOnly", "Path=/", "SameSite=Lax"}),
        (
            "https://track.example.com",
            "__Host-session",
            {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"},
        ),
    ],
)
def test_the_cookie_is_pinned_as_far_as_the_scheme_allows(
    sqlite_url: str, base: str, name: str, flags: set[str]
) -> None:
    for app in running_app(sqlite_url, BASE_URL=base):
        said = Browser(app).get("/track").headers["Set-Cookie"]
        first, *rest = said.split("; ")
        assert first.startswith(f"{name}=")
        assert set(rest) == flags  # no Domain, so that no sister host sees it; no Max-Age


def test_over_https_the_plain_name_is_not_listened_to(sqlite_url: str) -> None:
    for app in running_app(sqlite_url, BASE_URL="https://track.example.com"):
        with with_routes(app):
            browser = Browser(app)
            plant(browser, PLANTED)
            browser.get("/remember")
            assert cookie(browser) == PLANTED
            named = browser.client.get_cookie("__Host-session", "fern.localhost")
            assert named is None or named.value != PLANTED
