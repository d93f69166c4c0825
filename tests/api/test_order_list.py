"""Listing orders: by number, by when they changed, page after page."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from portal import clock
from tests.api.client import Api, fields_of


def numbers(reply: dict[str, Any]) -> list[str]:
    return [each["number"] for each in reply["orders"]]


def pages(api: Api, **query: Any) -> list[list[str]]:
    """The numbers on each page to the end."""
    found: list[list[str]] = []
    cursor = ""
    while True:
        asked = query | ({"cursor": cursor} if cursor else {})
        reply = api.get("/orders", query_string=asked).json
        found.append(numbers(reply))
        cursor = reply["next_cursor"]
        if cursor is None:
            return found


def test_pages_give_every_order_once_even_at_the_same_moment(api: Api) -> None:
    with time_machine.travel(clock.now(), tick=False):
        for n in range(7):
            api.order(number=str(n))
    got = pages(api, limit=3)
    assert [len(page) for page in got] == [3, 3, 1]
    assert sorted(number for page in got for number in page) == [str(n) for n in range(7)]
    assert [len(page) for page in pages(api, limit=7)] == [7]


def test_a_follower_sees_what_changed_since_and_nothing_else(api: Api) -> None:
    start = clock.now().replace(microsecond=0)
    for n in range(4):
        with time_machine.travel(start + timedelta(minutes=n), tick=False):
            api.order(number=str(n))
    with time_machine.travel(start + timedelta(minutes=10), tick=False):
        api.order(number="1", phone="changed")
        api.order(number="2")  # says nothing new
    since = (start + timedelta(minutes=2)).isoformat()
    assert numbers(api.get("/orders", query_string={"updated_since": since}).json) == [
        *("2", "3", "1")
    ]
    later = (start + timedelta(minutes=11)).isoformat()
    assert numbers(api.get("/orders", query_string={"updated_since": later}).json) == []


@pytest.mark.parametrize(
    "since", ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00%2B02:00", "2020-01-01T00:00:00+02:00"]
)
def test_a_moment_may_be_written_with_its_plus_as_it_is(quick: Api, since: str) -> None:
    quick.order(number="1")
    assert numbers(quick.get(f"/orders?updated_since={since}").json) == ["1"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=1e1", "limit"),
        ("updated_since=2020-01-01T00:00:00", "updated_since"),
        ("updated_since=yesterday", "updated_since"),
        ("number=" + "9" * 81, "number"),
        ("cursor=x", "cursor"),
        ("cursor=%ff%00", "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b"now\nord_1").decode(), "cursor"),
        (
            "cursor=" + base64.urlsafe_b64encode(b"0001-01-01T00:00:00+23:59\nord_1").decode(),
            "cursor",
        ),
        ("page=2", "page"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(quick: Api, query: str, field: str) -> None:
    response = quick.get(f"/orders?{query}")
    assert response.status_code == 422, response.text
    assert fields_of(response) == {field}


def test_a_hundred_may_be_asked_for_at_once(quick: Api) -> None:
    assert quick.get("/orders?limit=100").json == {"orders": [], "next_cursor": None}
