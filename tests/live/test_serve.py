"""Open pages at `porchlight serve`: told within moments, on half of the threads at most."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import requests
from flask import Flask

from portal import clock
from portal.db import inside, writing
from portal.models.erasure import erase
from tests.conftest import shop_id
from tests.live.page import OpenPage, Process, opened, until
from tests.pages.orders import change, link_to, placed
from tests.served import Served, running

THREADS = 8
SLOTS = THREADS // 2
SERVE = ("serve", "--workers", "1", "--threads", str(THREADS))
numbers = count(2001)


@pytest.fixture(scope="module")
def house(own_app: Flask, own_url: str) -> Iterator[Served]:
    with running(own_url, *SERVE) as served:
        yield served


@pytest.fixture
def order_id(house: Served) -> str:
    """An order that no other test looks at."""
    return placed(number=str(next(numbers)))


def finds_a_place(house: Served, token: str) -> bool:
    page = OpenPage(house.port, token)
    page.vanish()
    return page.status == 200


def test_an_open_page_is_told_of_each_change_and_of_no_other_order(
    house: Served, order_id: str
) -> None:
    other = placed(number="1043")
    tokens = [link_to(order_id), link_to(order_id), link_to(other)]
    with opened(house.port, tokens) as pages:
        change(order_id, status="delivered")
        for page in pages[:2]:
            page.hear(2)
        change(other, status="delivered")
        pages[2].hear(2)
        change(order_id, status="returned")
        pages[0].hear(3)
    assert [page.told for page in pages] == [[2, 3], [2], [2]]


def test_what_changed_before_the_stream_was_open_is_told_at_once(
    house: Served, order_id: str
) -> None:
    change(order_id, status="delivered")
    for since in (1, 99):  # or it was made by a house whose backup has been put back since
        page = OpenPage(house.port, link_to(order_id), since)
        page.hear(2)
        page.vanish()
        assert page.told == [2]


def test_the_stream_carries_the_strict_headers_and_is_kept_by_nobody(
    house: Served, order_id: str
) -> None:
    with opened(house.port, [link_to(order_id)]) as (page,):
        head = page.said.partition(b"\r\n\r\n")[0].decode()
    for line in (
        "Content-Type: text/event-stream; charset=utf-8",
        "Cache-Control: no-store",
        "X-Accel-Buffering: no",
        "X-Robots-Tag: noindex",
        "Referrer-Policy: no-referrer",
    ):
        assert f"\r\n{line}\r\n" in f"{head}\r\n"
    assert "connect-src 'self'" in head
    assert "Content-Encoding" not in head


def test_half_of_the_threads_stay_free_and_the_others_ask_as_before(
    house: Served, order_id: str
) -> None:
    tokens = [link_to(order_id) for _ in range(SLOTS + 2)]
    with opened(house.port, tokens) as pages:
        assert [page.status for page in pages] == [200] * SLOTS + [204, 204]
        assert b"Retry-After: " in pages[-1].said
        with ThreadPoolExecutor(SLOTS) as pool:
            asked = [pool.submit(requests.get, f"{house.url}/t/{each}/live") for each in tokens]
        assert [each.result().status_code for each in asked] == [200] * len(tokens)


def test_browsers_that_vanish_leave_nothing_behind(house: Served, order_id: str) -> None:
    tokens = [link_to(order_id) for _ in range(THREADS)]
    process = Process(house.pid)
    with opened(house.port, tokens):
        pass
    until(lambda: finds_a_place(house, tokens[0]))
    files = process.files()
    for _ in range(25):
        with opened(house.port, tokens):
            pass
    # gunicorn's two, the watcher, and the threads that answer.
    until(lambda: process.files() <= files and process.threads() <= THREADS + 3)
    with opened(house.port, tokens[:SLOTS]) as pages:
        assert [page.status for page in pages] == [200] * SLOTS


def test_the_stream_ends_when_its_order_is_erased(house: Served) -> None:
    order_id = placed(number="1044", email="gone@mail.example")
    with opened(house.port, [link_to(order_id)]) as (page,):
        with inside(shop_id("fern")), writing():
            assert not erase("gone@mail.example", clock.now()).is_nothing
        page.hear_out()
    assert page.told == []
    assert page.said.endswith(b"\r\n0\r\n\r\n")


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_house_that_stops_does_not_wait_for_open_pages(
    own_app: Flask, own_url: str, how: signal.Signals
) -> None:
    token = link_to(placed(number=how.name))
    with running(own_url, *SERVE) as house, opened(house.port, [token]) as (page,):
        house.process.send_signal(how)
        assert page.hear_out().endswith(b"\r\n0\r\n\r\n")
        assert house.process.wait(timeout=60) == 0
