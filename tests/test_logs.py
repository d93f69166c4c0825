"""Logs are JSON lines with the request's id; what people typed, and secrets, are not in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from portal.logs import configure, log
from tests.conftest import SECRET, bearer
from tests.pages.browser import Browser
from tests.pages.orders import CANARIES, EMAIL, POSTCODE, link_to, placed

HOSTILE = {
    "e-mail": "ada.lovelace+x@mail.example",
    "odd e-mail": "ada'@mäil",
    "phone": "+49 (0)30 1234 5678",
    "card": "4242 4242 4242 4242",
    "address": "203.0.113.17",
    "key": "EZAKlivekey123456",
    "token": "pl_abcdefghijklmnop",
    "hook secret": "whsec_abcdefghijkl",
    "bearer": "Bearer abcdefghijkl",
    "password": "postgresql://porch:hunter22@db/x",
    "link": "/t/AbCdEfGhIjKlMnOpQrStUvWx",
}
GIVEN_AWAY = ("ada", "1234", "4242", "203.0.113", "EZAKlive", "abcdefgh", "hunter22", "AbCdEf")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is written meanwhile; set up as for a serving process."""
    stream, root = io.StringIO(), logging.getLogger()
    before, level = list(root.handlers), root.level
    configure(stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = before, level


def told(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_id(app: Flask, lines: io.StringIO) -> None:
    answer = Browser(app).get("/track", headers={"X-Request-Id": "proxy-4711-abc"})
    [line] = told(lines)
    assert (line["event"], line["method"], line["route"], line["status"]) == (
        "request",
        "GET",
        "/track",
        200,
    )
    assert line["request_id"] == answer.headers["X-Request-Id"] == "proxy-4711-abc"


@pytest.mark.parametrize("given", ["", "x", "a b c d e f g h", "a" * 65, 'abcdefgh"}\\n{'])
def test_an_id_that_could_be_anything_is_replaced(
    app: Flask, lines: io.StringIO, given: str
) -> None:
    answer = Browser(app).get("/track", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"].startswith("req_")
    assert len(told(lines)) == 1


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_personal_gets_through_in_any_place(lines: io.StringIO, kind: str) -> None:
    value = HOSTILE[kind]
    log.warning(
        f"about {value}", plain=value, within={"deep": [value, {value: 1}]}, thing=Odd(value)
    )
    logging.getLogger("some.library").warning("it said %s", value)
    try:
        raise ValueError(value)
    except ValueError as error:
        log.error("failed", exc_info=error)
        logging.getLogger("some.library").exception("failed")
    assert len(told(lines)) == 4
    for part in GIVEN_AWAY:
        assert part not in lines.getvalue()


class Odd:
    """A value that is no text until somebody prints it."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return self.value


def test_dates_counts_and_our_ids_stay_readable(lines: io.StringIO) -> None:
    log.info("x", day="2026-11-25", subject="shp_01m88e2m7q1vwjkeb64b20a07k", n=12, ms=1.5)
    [line] = told(lines)
    assert (line["day"], line["subject"]) == ("2026-11-25", "shp_01m88e2m7q1vwjkeb64b20a07k")
    assert (line["n"], line["ms"]) == (12, 1.5)


def test_a_fault_is_told_by_place_and_kind(app: Flask, lines: io.StringIO) -> None:
    def fails() -> str:
        raise RuntimeError(EMAIL)

    app.view_functions["lookup.find"] = fails
    Browser(app).get("/")
    fault = next(line for line in told(lines) if line["event"] == "unexpected")
    assert fault["error"] == "RuntimeError"
    assert any(place.startswith("tests.test_logs:") for place in fault["trace"])
    assert EMAIL not in lines.getvalue()


def test_a_visit_leaves_no_trace_of_who_came(app: Flask, lines: io.StringIO) -> None:
    order_id = placed()
    token = link_to(order_id)
    headers = bearer()
    browser = Browser(app)
    browser.get(f"/t/{token}")
    browser.get(f"/t/{token}/live?email={EMAIL}")
    browser.get(f"/nothing/{EMAIL}/{POSTCODE}")
    browser.look_up("1042", EMAIL)
    browser.look_up("1042", "wrong@mail.example")
    browser.get(f"/api/v1/orders/{EMAIL}", headers=headers)
    browser.open("/api/v1/orders", "POST", json={"email": EMAIL, "phone": 1}, headers=headers)
    assert len(told(lines)) >= 7
    secrets = (token, headers["Authorization"][7:], SECRET, browser.address, "wrong@")
    for canary in (*CANARIES.values(), *secrets):
        assert canary not in lines.getvalue()
