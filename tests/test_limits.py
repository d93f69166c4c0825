"""Limits that protect: counted in the database, waiting ever longer, and never for good."""

from __future__ import annotations

import threading
from contextvars import copy_context
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, g
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import limits
from portal.db import session, writing
from portal.limits import DAY, GROWING, Limit, TooMany, client, give_back, is_free, take
from portal.models import Tally
from portal.models.access import forget_ended
from tests.conftest import shop_id

NOW = datetime(2026, 11, 25, 16, tzinfo=UTC)
PLAIN = Limit("test plain", 3, timedelta(minutes=2))
GROWS = Limit("test grows", 3, DAY, GROWING)


@pytest.fixture
def shop(app: Flask) -> None:
    g.shop_id = shop_id("fern")


def is_let_through(limit: Limit, subject: str, now: datetime) -> bool:
    try:
        with writing():
            take(limit, subject, now)
    except TooMany:
        return False
    return True


def test_so_many_are_free_until_the_window_ends(any_app: Flask) -> None:
    g.shop_id = shop_id("fern")
    assert [is_let_through(PLAIN, "a", NOW) for _ in range(5)] == [True] * 3 + [False] * 2
    assert not is_let_through(PLAIN, "a", NOW + timedelta(seconds=119))
    assert is_let_through(PLAIN, "a", NOW + timedelta(seconds=120))
    assert is_let_through(PLAIN, "b", NOW)


def test_waits_grow_and_the_last_one_repeats(any_app: Flask) -> None:
    g.shop_id = shop_id("fern")
    now = NOW
    for _ in range(3):
        assert is_let_through(GROWS, "a", now)
    for wait in (*GROWING, GROWING[-1], GROWING[-1]):
        assert not is_let_through(GROWS, "a", now + wait - timedelta(seconds=1))
        now += wait
        assert is_let_through(GROWS, "a", now)
    assert is_let_through(GROWS, "a", now + DAY), "after a quiet day all is forgotten"
    assert is_let_through(GROWS, "a", now + DAY)


def test_a_refusal_names_the_moment_that_lets_through(shop: None) -> None:
    now = NOW
    for _ in range(12):
        try:
            with writing():
                take(GROWS, "a", now)
        except TooMany as refused:
            now += timedelta(seconds=refused.retry_after)  # type: ignore[arg-type]
            assert is_let_through(GROWS, "a", now)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(gaps=st.lists(st.integers(0, 100_000), max_size=25), subject=st.text(max_size=20))
def test_no_timing_gets_more_than_nine_wrong_tries_into_a_day(
    shop: None, gaps: list[int], subject: str
) -> None:
    now, let_through = NOW, []
    subject = f"{subject}{gaps}"
    for gap in gaps:
        now += timedelta(seconds=gap)
        if is_let_through(limits.LOOKUP_ORDER, subject, now):
            let_through.append(now)
    for start in let_through:
        assert sum(start <= at < start + DAY for at in let_through) <= 9


def test_what_was_right_is_given_back(shop: None) -> None:
    for _ in range(20):
        assert is_let_through(GROWS, "a", NOW)
        with writing():
            give_back(GROWS, "a")
    assert is_free(PLAIN, "never tried", NOW)


def test_tries_sent_together_do_not_slip_through_together(any_app: Flask) -> None:
    g.shop_id = shop = shop_id("fern")
    passed = []

    def attempt() -> None:
        with any_app.app_context():
            g.shop_id = shop
            if is_let_through(PLAIN, "together", NOW):
                passed.append(1)
            session.remove()

    threads = [threading.Thread(target=lambda: copy_context().run(attempt)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(passed) == PLAIN.free


def test_nothing_that_was_typed_can_be_read_from_the_table(shop: None) -> None:
    is_let_through(PLAIN, "mira@example.com", NOW)
    [tally] = session.query(Tally).all()
    assert "mira" not in tally.key
    assert len(tally.key) == 43


def test_ended_limits_are_forgotten(shop: None) -> None:
    is_let_through(PLAIN, "a", NOW)
    with writing():
        forget_ended(NOW + timedelta(minutes=3))
    assert session.query(Tally).count() == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_client_is_an_address_or_a_network(app: Flask, address: str, expected: str) -> None:
    with app.test_request_context("/", environ_overrides={"REMOTE_ADDR": address}):
        assert client() == expected
