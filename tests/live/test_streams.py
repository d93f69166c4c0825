"""Who listens in a process, who is told, and that nothing the database says is lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from portal import clock
from portal.db import db, inside, session, writing
from portal.live import Stream, Streams, streams_of
from portal.live.streams import MOST_A_LINK
from portal.models import Link, Order
from portal.pages.load import Opened, open_link
from tests.conftest import running_app, shop_id
from tests.live.page import until
from tests.pages.browser import Browser
from tests.pages.orders import change, link_to, placed

HANG_UP = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'porchlight watch'
"""


def used(app: Flask) -> Iterator[Streams]:
    """The app's streams, with room; their watcher ends with the test."""
    streams = streams_of(app)
    streams.slots = 40
    yield streams
    streams.stop()
    if streams.watcher is not None:
        streams.watcher.join(timeout=20)
        assert not streams.watcher.is_alive()


@pytest.fixture
def streams(app: Flask) -> Iterator[Streams]:
    yield from used(app)


@pytest.fixture
def any_streams(any_app: Flask) -> Iterator[Streams]:
    yield from used(any_app)


@pytest.fixture
def lost_line(fresh_postgres: str) -> Iterator[Streams]:
    with contextmanager(running_app)(fresh_postgres) as app:
        yield from used(app)


def link_of(token: str) -> Opened:
    with inside(shop_id("fern")):
        link = open_link(token)
    assert link is not None
    return link


def page_of(
    streams: Streams, link: Opened, line: socket.socket | None = None, seconds: float = 60
) -> Stream:
    """A page that shows the order as it is now, open under this link."""
    stream = streams.open((shop_id("fern"), link.order_id), link.id, seconds, line)
    assert stream is not None
    stream.version = link.version
    return stream


def test_a_change_reaches_the_pages_of_its_order(any_streams: Streams) -> None:
    mine, other = (link_of(link_to(placed(number=number))) for number in ("1", "2"))
    pages = [page_of(any_streams, link) for link in (mine, mine, other)]
    change(mine.order_id, status="delivered")
    change(mine.order_id, status="returned")
    until(lambda: [page.version for page in pages] == [3, 3, 1])
    change(other.order_id, status="delivered")
    until(lambda: pages[2].version == 2)


@pytest.mark.db
def test_what_changes_while_nobody_can_listen_is_told_afterwards(lost_line: Streams) -> None:
    link = link_of(link_to(placed()))
    page = page_of(lost_line, link)
    change(link.order_id, status="delivered")
    until(lambda: page.version == 2)
    session.remove()
    for version in (3, 4):
        with db.engine.connect() as connection:
            assert connection.scalar(text(HANG_UP)) == 1
        change(link.order_id, status="returned")
        until(lambda version=version: page.version == version)  # type: ignore[misc]


def test_a_page_ends_with_its_link_and_at_the_latest_when_that_runs_out(streams: Streams) -> None:
    revoked, own = (link_of(link_to(order_id)) for order_id in [placed()] * 2)
    ended, told = page_of(streams, revoked), page_of(streams, own)
    with inside(shop_id("fern")), writing():
        session.get_one(Link, revoked.id).revoked_at = clock.now()
        session.get_one(Order, own.order_id).touch(clock.now())
    until(lambda: ended.is_over and told.version == 2)
    assert ended.version == 1
    assert not told.is_over
    last = page_of(streams, own, seconds=0.05)
    assert [part for part in last.after(2) if b"changed" in part] == []


def test_no_link_and_no_browser_takes_more_than_its_places(streams: Streams) -> None:
    link, other = (link_of(link_to(placed(number=number))) for number in ("1", "2"))
    streams.slots = 12
    pages = [page_of(streams, link) for _ in range(3)]
    key = (shop_id("fern"), link.order_id)
    assert streams.open(key, link.id, 60, None) is None
    streams.slots = 1000
    pages += [page_of(streams, link) for _ in range(MOST_A_LINK - 3)]
    assert streams.open(key, link.id, 60, None) is None
    streams.slots = MOST_A_LINK + 1
    pages.append(page_of(streams, other))
    assert streams.open((key[0], other.order_id), other.id, 60, None) is None
    assert len(streams) == MOST_A_LINK + 1
    for page in pages:
        page.close()
        page.close()
    assert len(streams) == 0
    page_of(streams, link).close()


def test_a_browser_that_hangs_up_is_noticed_without_a_word_said_to_it(streams: Streams) -> None:
    here, there = socket.socketpair()
    with here:
        page = page_of(streams, link_of(link_to(placed())), here)
        there.close()
        parts = list(page.after(1))
        page.close()
    assert len(parts) == 1
    assert parts[0].startswith(b"retry: ")


def test_browsers_are_spread_over_time(streams: Streams) -> None:
    link = link_of(link_to(placed()))
    page = page_of(streams, link)
    heads = {next(page.after(1)) for _ in range(50)}
    assert len(heads) > 40
    ends = [page_of(streams, link, seconds=3600)._ends_at - time.monotonic() for _ in range(5)]
    assert 290 < min(ends) < max(ends) < 601


def test_a_link_that_ended_between_two_looks_tells_nothing(app: Flask) -> None:
    order_id = placed()
    token = link_to(order_id)
    with inside(shop_id("fern")), writing():
        link = session.get_one(Link, link_of(token).id)
        link.expires_at = clock.now() - timedelta(seconds=1)
    assert Browser(app).get(f"/events/{token}").status_code == 410
    assert Browser(app).get(f"/events/{'a' * 24}").status_code == 404
    assert Browser(app, "volta").get(f"/events/{link_to(order_id)}").status_code == 404


def test_where_nothing_is_said_about_places_there_are_none(app: Flask) -> None:
    answer = Browser(app).get(f"/events/{link_to(placed())}")
    assert (answer.status_code, answer.data) == (204, b"")
