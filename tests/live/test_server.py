"""`porchlight live`: streams for many pages in one process, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from flask import Flask

from tests.live.page import OpenPage, Process, opened, until
from tests.pages.orders import change, link_to, placed
from tests.served import Served, running

MANY = 200
EACH = 10  # pages under one link


@pytest.fixture(scope="module")
def live(own_app: Flask, own_url: str) -> Iterator[Served]:
    with running(own_url, "live", "--most", str(MANY)) as served:
        yield served


def test_it_tells_pages_and_serves_nothing_else(live: Served) -> None:
    token = link_to(order_id := placed(number="1"))
    with opened(live.port, [token]) as (page,):
        change(order_id, status="delivered")
        page.hear(2)
        change(order_id, status="returned")
        page.hear(3)
        assert page.told == [2, 3]
    statuses = {
        path: requests.get(live.url + path, timeout=20).status_code
        for path in ("/healthz", f"/t/{token}", "/staff/", "/readyz", "/events/" + "a" * 24)
    }
    assert list(statuses.values()) == [200, 404, 404, 404, 404]


def test_a_crowd_that_vanishes_leaves_nothing_behind(live: Served) -> None:
    order_id = placed(number="2")
    tokens = [link_to(order_id) for _ in range(MANY // EACH)] * EACH
    process = Process(live.pid)
    with opened(live.port, tokens[:50]):
        pass
    until(lambda: process.files() < 50)
    files, threads = process.files(), process.threads()
    with opened(live.port, tokens) as pages:
        assert {page.status for page in pages} == {200}
        with opened(live.port, [link_to(order_id)]) as (late,):
            assert late.status == 204
        change(order_id, status="delivered")
        for page in pages:
            page.hear(2)
    until(lambda: process.files() <= files and process.threads() <= threads)
    with opened(live.port, tokens) as pages:
        assert {page.status for page in pages} == {200}


def test_what_is_no_request_ends_the_connection_alone(live: Served) -> None:
    token = link_to(order_id := placed(number="3"))
    with opened(live.port, [token]) as (page,):
        refused = OpenPage(live.port, "a" * 9000)
        assert refused.status == 414
        refused.vanish()
        change(order_id, status="delivered")
        page.hear(2)


@pytest.mark.long
def test_it_may_be_killed_and_comes_back(own_app: Flask, own_url: str) -> None:
    token = link_to(order_id := placed(number="4"))
    with running(own_url, "live") as live, opened(live.port, [token]) as (page,):
        live.kill()
        assert not page.hear_out().endswith(b"\r\n0\r\n\r\n")
    change(order_id, status="delivered")
    with running(own_url, "live", port=live.port) as again, opened(again.port, [token]) as (page,):
        page.hear(2)
        again.stop()
        assert page.hear_out().endswith(b"\r\n0\r\n\r\n")
        assert again.process.wait(timeout=60) == 0
