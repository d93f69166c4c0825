"""Forms: only our own pages, in the browser they were made for, for as long as they are fresh."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from portal import clock, create_app
from portal.db import db, session
from portal.security import FORM_HOURS
from tests.conftest import SECRET, settings_for, two_shops
from tests.pages.browser import TOKEN, Browser
from tests.pages.orders import EMAIL, placed
from tests.routes import unsafe_routes

NEXT = "the-next-secret-0123456789abcdefghijkl"


def token_of(browser: Browser, path: str = "/track") -> str:
    found = TOKEN.search(browser.get(path).text)
    assert found
    return found[1]


def send(browser: Browser, token: str, **headers: str) -> int:
    """The status of a lookup that finds nothing: 404 where it was let in."""
    fields = {"csrf_token": token, "number": "1", "proof": "a@b.example"}
    return browser.open("/track", "POST", data=fields, headers=headers).status_code


def test_no_unsafe_route_takes_what_carries_no_token_of_ours(app: Flask) -> None:
    walked = unsafe_routes(app)
    assert len(walked) > 5
    browser = Browser(app)
    real = token_of(browser)
    stamp, _, signature = real.partition(".")
    forged = [
        "",
        "x",
        f"{stamp}.",
        f".{signature}",
        f"{stamp}.{signature[::-1]}",
        "ffffffff.x",
        "é",
    ]
    for route in walked:
        for token in forged:
            answer = browser.open(route.path, route.method, data={"csrf_token": token})
            assert answer.status_code == 400, (route, token)
        assert browser.open(route.path, route.method, json={"csrf_token": real}).status_code == 400
        assert browser.open(f"{route.path}?csrf_token={real}", route.method).status_code == 400
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "http://volta.localhost:8000"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            given = {"csrf_token": real}
            answer = browser.open(route.path, route.method, data=given, headers=headers)
            assert answer.status_code == 403, (route, headers)


def test_exempt_are_only_those_that_prove_themselves_otherwise(app: Flask) -> None:
    """What a browser sends by itself, its cookie, opens nothing there."""
    assert app.config["CSRF_EXEMPT"] <= {"api", "hooks", "unsubscribe"}
    browser = Browser(app)
    browser.get("/track")
    assert browser.open("/api/v1/orders", "POST", json={}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://fern.localhost:8000"},
        {"Origin": "http://FERN.localhost:8000", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},  # what browsers send without referrer
        {"Origin": "null"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_of_ours_is_taken(app: Flask, headers: dict[str, str]) -> None:
    browser = Browser(app)
    assert send(browser, token_of(browser), **headers) == 404


def test_a_token_is_of_one_browser_and_one_shop(app: Flask) -> None:
    ada, eve = Browser(app), Browser(app)
    token = token_of(ada)
    token_of(eve)
    assert send(ada, token) == 404
    assert send(eve, token) == 400
    assert send(Browser(app), token) == 400
    volta = Browser(app, "volta")
    token_of(volta)
    assert send(volta, token) == 400


def test_a_form_ages(app: Flask) -> None:
    began = clock.now().replace(microsecond=0)
    browser = Browser(app)
    with time_machine.travel(began, tick=False) as time:
        token = token_of(browser)
        time.move_to(began + timedelta(hours=FORM_HOURS))
        assert send(browser, token) == 404
        time.move_to(began + timedelta(hours=FORM_HOURS, seconds=1))
        assert send(browser, token) == 400
        time.move_to(began - timedelta(minutes=2))
        assert send(browser, token) == 400


def test_an_open_form_survives_a_new_key_and_ends_with_the_old_one(sqlite_url: str) -> None:
    keys = [
        ({"SECRET_KEY": SECRET}, 404),
        ({"SECRET_KEY": NEXT, "SECRET_KEY_FALLBACKS": SECRET}, 404),
        ({"SECRET_KEY": NEXT}, 400),
    ]
    kept, token = None, ""
    for given, expected in keys:
        app = create_app(settings_for(sqlite_url, **given))
        with app.app_context():
            browser = Browser(app)
            if kept is None:
                two_shops()
                kept, token = browser.client, token_of(browser)
            kept.application = app
            browser.client = kept
            assert send(browser, token) == expected
            session.remove()
            db.engine.dispose()


def test_what_a_refused_form_would_have_done_is_not_done(app: Flask) -> None:
    placed()
    browser = Browser(app)
    fields = {"number": "1042", "proof": EMAIL, "csrf_token": "x"}
    answer = browser.open("/track", "POST", data=fields)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert browser.look_up("1042", EMAIL).status_code == 303
