"""kill -9 at any moment loses nothing, and what was done outside is not done in a new way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from portal import clock
from portal.db import db, every_shop, session, writing
from portal.models import Message
from portal.models.due import Due
from portal.sandbox import Box
from tests.channels.conftest import MailServer, mail_server
from tests.conftest import SECRET as SECRET_KEY
from tests.hooks.test_easypost import tracker
from tests.jobs.house import KEY, NUMBER, SECRET, House, Parcel, house_on
from tests.sandbox.conftest import Door, wait_until

__all__ = ["mail_server"]

ROOT = Path(__file__).resolve().parents[2]
OTHER = "1Z999AA10123456000"
TRACKER = "trk_" + "a" * 32
SAMPLE = [5, 27]
WORKED = ("apply", "send")  # whose work is over; parcels are looked at again later


@dataclass
class Scene:
    """A house with two parcels to be asked about, one event to be taken in, and mails to send."""

    house: House
    environ: dict[str, str]
    door: Door
    mails: MailServer
    order: dict

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        given = {**os.environ, **self.environ}
        return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=given)

    def leases_run_out(self) -> None:
        """Time passes: what a dead worker held is free again."""
        with every_shop(), writing():
            session.execute(update(Due).where(Due.leased).values(at=clock.now()))

    def finish(self) -> None:
        """Another worker, not killed."""
        self.leases_run_out()
        while self.house.work("apply", "poll", "send"):
            pass

    @property
    def parcels(self) -> list[tuple[object, ...]]:
        parcels = [self.house.parcel(self.order, place) for place in (0, 1)]
        return [_without_ids(parcel) for parcel in parcels]

    def told(self) -> list[tuple[str, str]]:
        with every_shop():
            rows = session.execute(
                select(Message.kind, Message.state).order_by(Message.kind, Message.state)
            )
            return [(kind, state) for kind, state in rows]

    def outside(self) -> tuple[int, int, int]:
        """Trackers opened, different mails, and how often the most frequent one was sent."""
        sent = Counter(mail["Message-ID"] for mail in self.mails.mails)
        opened = self.door.get("counts")["effects"].get("tracker.created", 0)
        return opened, len(sent), max(sent.values(), default=0)


def _without_ids(parcel: Parcel) -> tuple[object, ...]:
    """What does not hold the moment at which the stand-in's story began."""
    scans = sorted((status, message) for _, status, message, _ in parcel.scans)
    return (parcel.status, parcel.detail, scans, parcel.problem, parcel.failures)


@contextmanager
def a_scene(url: str, box: Box, mails: MailServer) -> Iterator[Scene]:
    more = {"SMTP_URL": mails.url, "MAIL_FROM": "Fern <orders@fern.example>"}
    door = Door(box.url)
    door.parcel(NUMBER, shown=4, tracker_id=TRACKER)
    door.parcel(OTHER, days=2)
    with house_on(url, box.api_base, **more) as house:
        settings = {
            **more,
            "SECRET_KEY": SECRET_KEY,
            "BASE_URL": "http://127.0.0.1:8000",
            "DATABASE_URL": url,
            "EASYPOST_API_KEY": KEY,
            "EASYPOST_WEBHOOK_SECRET": SECRET,
            "EASYPOST_API_BASE": box.api_base,
        }
        order = house.order(
            "1001", *({"carrier": "UPS", "tracking_number": each} for each in (NUMBER, OTHER))
        )
        house.push(tracker(NUMBER, "out_for_delivery", id=TRACKER), event_id="evt_1")
        yield Scene(house, settings, door, mails, order)
        db.engine.dispose()


@pytest.fixture
def scene(database_url: str, box: Box, mail_server: MailServer) -> Iterator[Scene]:
    with a_scene(database_url, box, mail_server) as scene:
        yield scene


def die_at(scene: Scene, point: int) -> bool:
    """Run a worker that dies at that point; False where it ended before."""
    db.engine.dispose()
    code = scene.run("-m", "tests.jobs.killed", str(point)).wait(60)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def check(scene: Scene, point: int) -> bool:
    died = die_at(scene, point)
    scene.finish()
    first, second = scene.parcels
    assert first[0] == "out_for_delivery"
    assert second[0] == "delivered"
    assert [row for row in scene.house.due() if row.leased] == []
    assert [state for state, _ in scene.house.events()] == ["applied"]
    assert all(state in ("sent", "superseded") for _, state in scene.told()), scene.told()
    assert ("delivered", "sent") in scene.told()
    opened, different, most = scene.outside()
    assert opened == 2
    sent = sum(state == "sent" for _, state in scene.told())
    assert different == sent, "each message has one Message-ID, however often it was sent"
    assert most <= 2, "only the mail under way at the moment of death is sent again"
    with every_shop():
        assert (
            session.scalar(select(func.count()).select_from(Due).where(Due.queue.in_(WORKED))) == 0
        )
    return died


@pytest.mark.parametrize("point", SAMPLE)
def test_killed_at_some_point_nothing_is_lost_or_done_twice(scene: Scene, point: int) -> None:
    check(scene, point)


@pytest.mark.long
@pytest.mark.parametrize("point", range(1, 80))
def test_killed_at_any_point_nothing_is_lost_or_done_twice(scene: Scene, point: int) -> None:
    if not check(scene, point):
        assert point > 20, "a worker without enough points proves nothing"


def test_a_worker_killed_while_it_asks_is_followed_by_another(scene: Scene) -> None:
    """Two real workers; the first dies with a question on the wire."""
    scene.door.fault("slow", seconds=10)
    first = scene.run("-m", "portal.cli", "worker")
    try:
        wait_until(lambda: scene.door.get("faults")["waiting"] == [], 60)
    finally:
        first.kill()
        first.wait(20)
    scene.leases_run_out()
    db.engine.dispose()
    second = scene.run("-m", "portal.cli", "worker")
    try:
        wait_until(lambda: scene.parcels[1][0] == "delivered", 60)
        wait_until(lambda: ("delivered", "sent") in scene.told(), 60)
    finally:
        second.send_signal(signal.SIGTERM)
    assert second.wait(40) == 0, "told to stop, it ends by itself"
    assert scene.outside()[0] == 2
