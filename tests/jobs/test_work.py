"""Leases and fences, work that fails, chores, and nudges on every kind of queue."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal import clock
from portal.api.once import KEPT
from portal.db import every_shop, inside, session, writing
from portal.jobs import poll, sweep
from portal.jobs.queue import PAUSE_S, Queue
from portal.jobs.work import ATTEMPTS, work
from portal.models import HookEvent, IdempotencyKey, WebSession
from portal.models.due import Due, Lease, claim, finish, holds, plan, read_gauge
from tests.channels.conftest import free_port
from tests.conftest import shop_id
from tests.hooks.test_easypost import tracker
from tests.jobs.house import NUMBER, House
from tests.sandbox.conftest import Door, wait_until


def plan_many(count: int, queue: str = "poll") -> None:
    with writing():
        for n in range(count):
            plan(queue, f"row {n}", 1, clock.now())


def claimed(limit: int = 10, queue: str = "poll", lease: timedelta | None = None) -> list[Lease]:
    more = {"lease": lease} if lease is not None else {}
    with every_shop(), writing():
        return claim(queue, limit, clock.now(), **more)


def test_what_is_leased_is_not_given_to_another_until_the_lease_runs_out(any_app: Flask) -> None:
    plan_many(1)
    [first] = claimed(lease=timedelta(0))
    [second] = claimed()
    assert (first.id, second.fence, second.attempts) == (second.id, first.fence + 1, 2)
    assert claimed() == []


def test_a_worker_that_lost_its_lease_can_end_nothing(any_app: Flask) -> None:
    plan_many(1)
    [lost] = claimed(lease=timedelta(0))
    [held] = claimed()
    with every_shop(), writing():
        assert not holds(lost)
        assert not finish(lost)
        assert not finish(lost, again_at=clock.now())
        assert holds(held)
        assert finish(held)


def test_an_ended_lease_cannot_be_ended_again(any_app: Flask) -> None:
    plan_many(1)
    [lease] = claimed()
    later = clock.now() + timedelta(hours=3)
    with every_shop(), writing():
        assert finish(lease, again_at=later)
        assert not holds(lease)
        assert not finish(lease, again_at=clock.now())
    with every_shop():
        assert session.scalars(select(Due.at)).one() == later


def test_work_asked_for_while_it_is_done_is_done_once_more(any_app: Flask) -> None:
    plan_many(1)
    [lease] = claimed()
    with writing():
        plan("poll", "row 0", 1, clock.now())
        plan("poll", "row 0", 1, clock.now() + timedelta(hours=1))
    assert claimed() == []
    with every_shop(), writing():
        assert finish(lease, again_at=clock.now() + timedelta(days=1))
    assert [again.id for again in claimed()] == [lease.id]


def test_four_workers_at_once_claim_nothing_twice(any_app: Flask) -> None:
    plan_many(60)
    seen: list[int] = []
    sizes: list[int] = []

    def claim_all() -> None:
        with any_app.app_context():
            while leases := claimed(7):
                seen.extend(lease.id for lease in leases)
                sizes.append(len(leases))

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(seen) == 60
    assert set(Counter(seen).values()) == {1}
    assert max(sizes) <= 7


def test_an_answer_that_comes_after_the_lease_was_lost_is_left_out(
    any_house: House, door: Door
) -> None:
    door.parcel(NUMBER)
    order = any_house.order()
    [lost] = claimed(lease=timedelta(0))
    [held] = claimed()
    poll.perform(lost)
    assert any_house.parcel(order).scans == ()
    poll.perform(held)
    assert any_house.parcel(order).status == "delivered"


def test_two_workers_on_one_parcel_make_one_history(any_house: House, door: Door) -> None:
    door.parcel(NUMBER)
    order = any_house.order()
    leases = [claimed(lease=timedelta(0))[0], claimed()[0]]

    def ask(lease: Lease) -> None:
        with any_house.app.app_context():
            poll.perform(lease)

    threads = [threading.Thread(target=ask, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    told = door.get(f"parcels/{NUMBER}")["told"]
    assert len(any_house.parcel(order).scans) == len(told)
    assert door.get("counts")["effects"]["tracker.created"] == 1


def test_one_event_that_cannot_be_taken_in_stops_no_other(house: House) -> None:
    order = house.order()
    with every_shop(), writing():
        # A row that names no event: whatever is done with it goes wrong.
        plan("apply", "no number", shop_id("fern"), clock.now() - timedelta(days=1))
    house.push(tracker())
    house.work("apply")
    assert house.parcel(order).status == "in_transit"
    [poison] = house.due("apply")
    assert (poison.subject, poison.leased) == ("no number", False)
    assert poison.at > clock.now()


def test_work_that_fails_too_often_is_given_up_and_said(house: House, door: Door) -> None:
    order = house.order()
    with every_shop(), writing():
        row = session.scalars(select(Due).where(Due.queue == "poll")).one()
        row.attempts = ATTEMPTS
    house.work("poll")
    code, fix = house.parcel(order).problem
    assert code == "stuck"
    assert "doctor" in fix
    assert house.due() == []


def test_an_event_that_fails_too_often_stays_in_the_ledger_as_failed(house: House) -> None:
    house.push(tracker())
    with every_shop(), writing():
        session.scalars(select(Due).where(Due.queue == "apply")).one().attempts = ATTEMPTS
    house.work("apply")
    assert [state for state, _ in house.events()] == ["failed"]


def test_an_unknown_queue_is_left_alone(app: Flask) -> None:
    with writing():
        plan("marmalade", "x", 1, clock.now())
    assert work("marmalade") == 0


# --- chores -------------------------------------------------------------------------------------


def test_chores_are_done_once_by_whoever_comes_first(any_app: Flask) -> None:
    now = clock.now()
    with writing():
        session.add(WebSession(digest="d" * 64, shop_id=1, expires_at=now - timedelta(days=1)))
    with inside(shop_id("fern")), writing():
        kept = {"key": "k" * 64, "body_digest": "", "status": 200, "body": ""}
        session.add(IdempotencyKey(**kept, created_at=now - KEPT - timedelta(days=1)))
    sweep.do_chores(now)
    with every_shop():
        assert session.scalars(select(WebSession)).all() == []
        assert session.scalars(select(IdempotencyKey)).all() == []
        done = read_gauge("chore:forget_ended")
    sweep.do_chores(now + timedelta(minutes=10))
    with every_shop():
        assert read_gauge("chore:forget_ended") == done
    sweep.do_chores(now + timedelta(hours=2))
    with every_shop():
        assert read_gauge("chore:forget_ended") != done


# --- nudges -------------------------------------------------------------------------------------


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis of this test's own, where this machine has one."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    keeps = ["--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen([program, *keeps], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    wait_until(lambda: Queue(url).answers(), 20)
    yield url
    server.terminate()
    server.wait(20)


QUEUES = {"sqlite": "file_url", "postgresql": "fresh_postgres", "redis": "redis_url"}


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/queue.db"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.db), "redis"])
def queue(request: pytest.FixtureRequest) -> Iterator[Queue]:
    """A queue of each kind in turn."""
    queue = Queue(request.getfixturevalue(QUEUES[request.param]))
    yield queue
    queue.close()


def test_a_nudge_reaches_whoever_listens(queue: Queue) -> None:
    heard: list[str] = []
    queue.work = heard.append
    assert queue.answers()
    assert queue.nudge("poll")
    assert queue.nudge("apply")
    while len(heard) < 2:
        queue.listen()
    assert heard == ["poll", "apply"]
    assert not queue.huey.pending_count()


def test_many_nudges_at_once_are_one_message(queue: Queue) -> None:
    for _ in range(50):
        assert queue.nudge("poll")
    assert queue.huey.pending_count() < 50 * PAUSE_S


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"not json",
        b"[]",
        b'["x"]',
        json.dumps(["id", "os.system", None]).encode(),
        b"\x80\x04K.",
    ],
)
def test_a_message_nobody_of_us_wrote_does_nothing(queue: Queue, message: bytes) -> None:
    heard: list[str] = []
    queue.work = heard.append
    queue.huey.storage.enqueue(message)
    queue.listen()
    queue.nudge("poll")
    while not heard:
        queue.listen()
    assert heard == ["poll"]


@pytest.mark.parametrize("scheme", ["redis://127.0.0.1:{}/0", "postgresql://x:y@127.0.0.1:{}/q"])
def test_a_queue_that_is_down_costs_a_nudge_and_nothing_else(scheme: str) -> None:
    queue = Queue(scheme.format(free_port()))
    assert not queue.nudge("poll")
    assert not queue.answers()
    assert queue.listen() > 1, "it is asked again after a rest"


def test_a_hook_is_taken_while_the_queue_is_broken(house: House, tmp_path: Path) -> None:
    house.app.extensions["queue"] = Queue(f"sqlite:///{tmp_path}")
    order = house.order()
    assert house.push(tracker()).status_code == 200
    house.work("apply")
    assert house.parcel(order).status == "in_transit"


def test_the_queue_keeps_a_journal_that_any_sqlite_can_read(tmp_path: Path) -> None:
    queue = Queue(f"sqlite:///{tmp_path}/queue.db")
    queue.nudge("poll")
    with sqlite3.connect(tmp_path / "queue.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    queue.close()


def test_events_stay_in_the_ledger(house: House) -> None:
    house.push(tracker())
    house.work("apply")
    with every_shop():
        assert session.scalars(select(HookEvent.body)).one()
