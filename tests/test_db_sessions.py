"""Reading cannot write, writers queue, and who waits too long is told to come back."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from portal import create_app, turns
from portal import db as house
from portal.db import db, inside, session, writing
from portal.models import Customer, Shop
from portal.turns import Busy
from tests.conftest import bearer, running_app, settings_for, shop_id
from tests.pages.browser import Browser
from tests.pages.orders import EMAIL, placed

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def locked(app: Flask) -> Iterator[None]:
    """Somebody else writes and does not end."""
    path = app.extensions["porchlight"].sqlite_path
    with open(f"{path}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_no_kind_of_statement_writes_while_reading(any_app: Flask) -> None:
    fern = shop_id("fern")
    for statement in (
        update(Shop).values(name="x"),
        text("DELETE FROM shop"),
        text("CREATE TABLE x (y INTEGER)"),
    ):
        with inside(fern), pytest.raises(DBAPIError):
            session.execute(statement)
        session.rollback()
    with inside(fern):
        session.add(Customer(email="x", email_key="x"))
        with pytest.raises(DBAPIError):
            session.flush()
        session.rollback()


def test_a_reader_is_not_made_a_writer_on_the_way(any_app: Flask) -> None:
    shop = session.get(Shop, shop_id("fern"))
    assert shop is not None
    with writing():
        # What was read before is read again under the lock: somebody may have been faster.
        assert inspect(shop).expired
        shop = session.get_one(Shop, shop_id("fern"))
        shop.name = "Changed"
    with pytest.raises(RuntimeError, match="outer"), writing(), writing():
        pass
    assert session.get_one(Shop, shop_id("fern")).name == "Changed"


def test_what_fails_is_undone_and_the_queue_moves_on(any_app: Flask) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), writing():
            session.execute(update(Shop).values(name=str(1 / 0)))
    with writing():
        session.execute(update(Shop).values(name="x"))
    assert {shop.name for shop in session.query(Shop)} == {"x"}


def test_who_waits_too_long_is_told_to_come_back(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed()
    headers = bearer()
    browser = Browser(app)
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.1)
    page = browser.get("/track")
    assert page.status_code == 200
    with locked(app):
        with pytest.raises(Busy), writing():
            pass
        for answer in (
            browser.look_up("1042", EMAIL),
            browser.open("/api/v1/orders", "POST", json={"number": "1"}, headers=headers),
        ):
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert "Traceback" not in answer.text
        assert browser.get("/track").status_code == 200  # readers are not held up
    assert browser.look_up("1042", EMAIL).status_code == 303


WRITER = """
import sys, time, json
from sqlalchemy import text
from tests.conftest import settings_for
from portal import create_app, turns
from portal.db import session, writing
app = create_app(settings_for(sys.argv[1]))
with app.app_context():
    sys.stdin.readline()
    ends, count = time.monotonic() + 1.5, 0
    while time.monotonic() < ends:
        with writing():
            session.execute(text("UPDATE shop SET name = name"))
        count += 1
    print(json.dumps(count))
"""


def test_no_process_is_starved_by_another(sqlite_url: str) -> None:
    for _ in running_app(sqlite_url):
        pass
    command = [sys.executable, "-W", "ignore", "-c", WRITER, sqlite_url]
    crew = [
        subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in crew:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    counts = [json.loads(process.communicate(timeout=60)[0]) for process in crew]
    assert min(counts) >= sum(counts) / 50, counts


def test_an_older_sqlite_keeps_a_rollback_journal(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for expected, first_safe in (("wal", (3, 0, 0)), ("delete", (99, 0, 0))):
        monkeypatch.setattr(house, "FIRST_SAFE_WAL", first_safe)
        for _ in running_app(sqlite_url) if expected == "wal" else again(sqlite_url):
            assert session.scalar(text("PRAGMA journal_mode")) == expected
            assert session.scalar(text("PRAGMA foreign_keys")) == 1
            assert house.sqlite_is_safe() is (expected == "wal")
            with writing():
                session.execute(update(Shop).values(name="x"))


def again(url: str) -> Iterator[Flask]:
    app = create_app(settings_for(url))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


@pytest.mark.db
def test_postgresql_gives_up_on_what_hangs(fresh_postgres: str) -> None:
    for _ in running_app(fresh_postgres):
        for name, most in (
            ("statement_timeout", "30s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "1min"),
        ):
            assert session.scalar(text(f"SHOW {name}")) == most
        # The bound is the server's: nobody on our side has to notice.
        nap = text("SELECT pg_sleep(30)")
        with writing():
            session.execute(text("SET LOCAL statement_timeout = '50ms'"))
            with pytest.raises(OperationalError):
                session.execute(nap)
            session.rollback()
