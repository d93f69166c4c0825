"""Every response carries the strict set of headers, whatever it is an answer to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal import create_app
from portal.db import db, session
from tests.conftest import bearer, running_app, settings_for, two_shops
from tests.pages.browser import Browser
from tests.pages.orders import link_to, placed
from tests.routes import routes

STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FOR_OTHERS = {"/protection.js"}  # other shops' checkouts load it
OPEN = {"Cross-Origin-Resource-Policy": "cross-origin"}
CLOSED = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "object-src": ["'none'"],
}
HASH = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")


def policy(answer: TestResponse) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


def check(answer: TestResponse, told: object = None) -> None:
    """The whole set; raises AssertionError naming what is missing."""
    for_others = answer.status_code == 200 and answer.request.path in FOR_OTHERS
    expected = STRICT | (OPEN if for_others and answer.request.method != "OPTIONS" else {})
    for name, value in expected.items():
        assert answer.headers.get(name) == value, (told, name)
    found = policy(answer)
    assert {name: found[name] for name in CLOSED} == CLOSED, told
    first, *hashes = found["style-src"]
    assert first == "'self'"
    assert all(HASH.fullmatch(source) for source in hashes), told
    assert found["form-action"][:2] == ["'self'", "https://checkout.stripe.com"]
    for name in ("Permissions-Policy", "Cache-Control", "X-Request-Id"):
        assert answer.headers.get(name), (told, name)
    answer.close()


@pytest.fixture
def rehearsal(sqlite_url: str) -> Iterator[Flask]:
    base = "http://127.0.0.1:8765/v2"
    app = create_app(settings_for(sqlite_url, EASYPOST_API_BASE=base), as_demo=True)
    with app.app_context():
        two_shops()
        yield app
        session.remove()
        db.engine.dispose()


def test_every_route_answers_with_them(rehearsal: Flask) -> None:
    browser = Browser(rehearsal)
    walked = routes(rehearsal)
    assert len(walked) > 40
    for route in walked:
        check(browser.open(route.path, route.method), route)


def test_every_kind_of_answer_has_them(app: Flask) -> None:
    browser = Browser(app)
    page = f"/t/{link_to(placed())}"
    kept = browser.get(page)
    script = browser.get("/static/live.js")
    for status, answer in [
        (200, kept),
        (304, browser.get(page, headers={"If-None-Match": kept.headers["ETag"]})),
        (200, script),
        (304, browser.get("/static/live.js", headers={"If-None-Match": script.headers["ETag"]})),
        (206, browser.get("/static/live.js", headers={"Range": "bytes=0-9"})),
        (200, browser.get("/icon.svg")),
        (404, browser.get("/nothing/here")),
        (404, browser.get("/static/none.js")),
        (404, browser.get(f"/t/{'b' * 24}")),
        (405, browser.open("/robots.txt", "DELETE")),
        (405, browser.open("/", "TRACE")),
        (400, browser.open("/track", "POST", data={"number": "1"})),
        (403, browser.open("/track", "POST", headers={"Origin": "https://evil.example"})),
        (413, browser.open("/track", "POST", data={"number": "x" * 300_000})),
        (421, browser.get("/", headers={"Host": "evil.example"})),
        (401, browser.get("/api/v1/orders")),
        (200, browser.get("/api/v1/orders", headers=bearer())),
        (404, browser.get("/api/v1/nothing", headers=bearer())),
        (503, browser.open("/hooks/easypost/fern", "POST", data=b"{}")),
        (404, browser.open("/hooks/easypost/nobody", "POST", data=b"{}")),
        (200, browser.get("/healthz")),
        (404, browser.get("/metrics")),
    ]:
        assert answer.status_code == status, (status, answer.text[:200])
        check(answer, status)


def test_a_fault_of_ours_has_them_and_tells_nothing(app: Flask) -> None:
    def fails() -> str:
        raise RuntimeError("ada@mail.example")

    app.view_functions["lookup.find"] = app.view_functions["health.alive"] = fails
    for path in ("/", "/healthz"):
        answer = Browser(app).get(path)
        assert answer.status_code == 500
        assert "ada@" not in answer.text
        assert "RuntimeError" not in answer.text
        check(answer, path)


def test_nothing_is_kept_by_anybody_unless_it_is_said(app: Flask) -> None:
    browser = Browser(app)
    for path, said in (("/", "no-store"), ("/nothing", "no-store"), ("/static/live.js", "public")):
        with browser.get(path) as answer:
            assert said in answer.headers["Cache-Control"]


def test_the_inline_style_of_a_page_is_the_one_its_policy_names(app: Flask) -> None:
    answer = Browser(app).get("/")
    assert len(policy(answer)["style-src"]) == 2
    assert "style-src 'self';" in Browser(app).get("/icon.svg").headers["Content-Security-Policy"]


def test_forms_may_lead_to_the_checkout_of_the_stand_in_only_in_a_rehearsal(
    rehearsal: Flask,
) -> None:
    sandbox = "http://127.0.0.1:8765"
    assert policy(Browser(rehearsal).get("/"))["form-action"][2:] == [sandbox]
    settings = rehearsal.extensions["porchlight"]
    serving = create_app(settings)
    with serving.app_context():
        assert policy(Browser(serving).get("/"))["form-action"][2:] == []
        session.remove()
        db.engine.dispose()


@pytest.mark.parametrize(
    ("base", "lasting"), [("http://127.0.0.1:8000", None), ("https://track.example.com", True)]
)
def test_https_is_asked_for_where_we_stand_behind_it(
    sqlite_url: str, base: str, lasting: bool | None
) -> None:
    for app in running_app(sqlite_url, BASE_URL=base):
        for path in ("/", "/healthz", "/nothing"):
            answer = Browser(app).get(path)
            told = answer.headers.get("Strict-Transport-Security", "")
            assert bool(lasting) == told.startswith("max-age=63072000")
