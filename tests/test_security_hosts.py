"""A shop is found from the Host header and from nothing else; strangers learn nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextvars import Context
from itertools import product
from pathlib import Path

import pytest
from flask import Flask, request
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from portal.security import HOST
from tests.conftest import running_app
from tests.pages.browser import Browser
from tests.pages.orders import link_to, placed
from tests.routes import routes
from tests.served import say, serving

FOREIGN = [
    "evil.example",
    "fern.localhost.evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "fern",
    "nobody.localhost:8000",
    "10.0.0.1",
]
MALFORMED = [
    "",
    " ",
    "user@fern.localhost",
    "user:pass@fern.localhost:8000",
    "fern.localhost/path",
    "fern.localhost?x",
    "fern.localhost#x",
    "fern.localhost:8000:9",
    "fern.localhost:port",
    "fern.localhost:123456",
    "fern.localhost,evil.example",
    "fern.localhost evil.example",
    "fern.localhost.",
    ".fern.localhost",
    "http://fern.localhost",
    "fern.localhost\\@evil.example",
    "[::1",
    "[fern.localhost]",
    "fern%2elocalhost",
    "férn.localhost",
    "ｆｅｒｎ.localhost",
    "fern.localhost\x00",
    "<script>",
    "a" * 5000,
]


def asked(
    app: Flask, host: str | None, path: str = "/", method: str = "GET", **headers: str
) -> Response:
    """One request with exactly this Host, as a server hands it over."""
    environ = EnvironBuilder(path=path, method=method, headers=headers).get_environ()
    environ.pop("HTTP_HOST")
    if host is not None:
        environ["HTTP_HOST"] = host
    body, status, said = Context().run(run_wsgi_app, app, environ, buffered=True)
    return Response(body, status, said)


def test_a_host_that_is_no_shop_is_answered_421_and_told_nothing(app: Flask) -> None:
    token = link_to(placed())
    paths = ("/", f"/t/{token}", "/track", "/static/live.js", "/api/v1/orders", "/nothing")
    for host, path in product(FOREIGN + MALFORMED, paths):
        answer = asked(app, host, path)
        assert answer.status_code == 421, (host, path)
        for told in ("Fern", "Olive", "localhost", "evil", token):
            assert told not in answer.get_data(as_text=True), (host, path)
        assert "Set-Cookie" not in answer.headers


def test_a_request_without_a_host_is_misdirected(app: Flask) -> None:
    assert asked(app, None).status_code == 421


def test_no_route_but_the_watchers_is_open_to_a_stranger(app: Flask) -> None:
    open_to_all = {"health.alive", "health.ready", "health.metrics"}
    for route in routes(app):
        answer = asked(app, "evil.example", route.path, route.method)
        if route.endpoint not in open_to_all:
            assert answer.status_code == 421, route


@pytest.mark.parametrize(
    ("host", "shop"),
    [
        ("fern.localhost:8000", "Fern &amp; Fable"),
        ("FERN.LOCALHOST:8000", "Fern &amp; Fable"),
        ("volta.localhost", "Volta Nine"),
        ("127.0.0.1:8000", "Fern &amp; Fable"),
        ("localhost", "Fern &amp; Fable"),
        ("[::1]:8000", "Fern &amp; Fable"),
    ],
)
def test_each_shop_lives_at_its_host_and_the_first_at_the_bare_one(
    app: Flask, host: str, shop: str
) -> None:
    answer = asked(app, host)
    assert answer.status_code == 200
    assert shop in answer.get_data(as_text=True)


def test_behind_tls_the_house_is_only_its_own_name(sqlite_url: str) -> None:
    for app in running_app(sqlite_url, BASE_URL="https://track.example.com"):
        assert asked(app, "track.example.com").status_code == 200
        for host in ("localhost", "127.0.0.1", "[::1]", "example.com"):
            assert asked(app, host).status_code == 421


@pytest.mark.parametrize("proxies", ["0", "2"])
def test_no_other_header_names_the_shop(sqlite_url: str, proxies: str) -> None:
    names = ("X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded", "X-HTTP-Host-Override")
    values = ("volta.localhost:8000", "host=volta.localhost:8000")
    for app in running_app(sqlite_url, TRUSTED_PROXIES=proxies):
        for name, value in product(names, values):
            answer = asked(app, "fern.localhost:8000", **{name: value})
            assert "Fern &amp; Fable" in answer.get_data(as_text=True)
            assert "volta" not in answer.get_data(as_text=True).lower()


@given(st.text(max_size=40))
@example("[::1]:80")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_host_is_a_page_or_421(app: Flask, host: str) -> None:
    raw = host.encode().decode("latin-1")
    assert asked(app, raw).status_code in {200, 421}
    assert not HOST.fullmatch(raw) or "@" not in raw


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        ("0", "198.51.100.1", "203.0.113.7"),
        ("1", "198.51.100.1", "198.51.100.1"),
        ("1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("2", "6.6.6.6, 198.51.100.1, 192.0.2.9", "198.51.100.1"),
        ("2", "198.51.100.1", "203.0.113.7"),
    ],
)
def test_the_address_is_what_the_configured_proxies_say(
    sqlite_url: str, proxies: str, forwarded: str, seen: str
) -> None:
    told: list[str] = []
    for app in running_app(sqlite_url, TRUSTED_PROXIES=proxies):
        app.view_functions["health.alive"] = lambda: told.append(_remote()) or ""
        Browser(app).get("/healthz", headers={"X-Forwarded-For": forwarded})
    assert told == [seen]


def _remote() -> str:
    return str(request.remote_addr)


@pytest.fixture(scope="module")
def port(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    path = tmp_path_factory.mktemp("served") / "porchlight.db"
    shutil.copy(migrated_sqlite, path)
    url = f"sqlite:///{path}"
    for _ in running_app(url):
        pass
    with serving(url) as port:
        yield port


@pytest.mark.parametrize(
    "lines",
    [
        b"Host: evil.example",
        b"Host: fern.localhost\r\nHost: evil.example",
        b"Host: user@fern.localhost",
        b"Host:",
        b"X-None: 1",
        b"Host: fern.localhost\xff",
    ],
)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_the_server_lets_no_such_request_through(port: int, lines: bytes, version: bytes) -> None:
    said = say(port, b"GET /track HTTP/%s\r\n%s\r\nConnection: close\r\n\r\n" % (version, lines))
    assert said.split(b" ")[1] in {b"400", b"421"}, said[:200]
    assert b"Fern" not in said


def test_an_absolute_address_does_not_stand_in_for_the_host(port: int) -> None:
    sent = (
        b"GET http://fern.localhost/track HTTP/1.1\r\nHost: evil.example\r\n"
        b"Connection: close\r\n\r\n"
    )
    assert b" 421 " in say(port, sent).split(b"\r\n")[0]
