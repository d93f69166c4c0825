"""kill -9 at any moment of an instant exchange: one order, one charge, one refund, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.db import db
from portal.sandbox import Box
from tests.jobs.counter import counter_on, environ
from tests.jobs.swap import EACH_MINOR, Swap

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
BOTH_MINOR = 2 * EACH_MINOR


@pytest.fixture
def scene(database_url: str, both: Box) -> Iterator[Scene]:
    with counter_on(database_url, both) as counter:
        yield Scene(Swap(counter), database_url)


class Scene:
    """An instant exchange that is brought to a stage, where a worker takes over and dies."""

    def __init__(self, swap: Swap, url: str) -> None:
        self.swap = swap
        self.url = url

    def bring_to(self, stage: str) -> None:
        swap = self.swap
        if stage == "card":
            swap.save(swap.agree())
            return
        swap.sent()
        swap.day_comes()
        if stage == "refund":
            swap.look()
            swap.counter.received(swap.return_id)
            swap.resolve()

    def die_at(self, point: int) -> bool:
        """Run a worker that dies at that point; False where it ended before."""
        self.swap.counter.later()
        db.engine.dispose()
        counter = self.swap.counter
        more = {"KILLED_QUEUES": "instant settle"}
        given = {**os.environ, **environ(self.url, counter.box), **more}
        command = [sys.executable, "-m", "tests.jobs.killed", str(point)]
        code = subprocess.run(command, cwd=ROOT, env=given, timeout=60, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        return code != 0

    def check(self, stage: str, point: int) -> bool:
        self.bring_to(stage)
        died = self.die_at(point)
        swap = self.swap
        swap.look(6)
        assert swap.numbers() == ["1001", "1001-X1"]
        assert swap.row.status == ("saved" if stage == "card" else "charged")
        is_charged = stage != "card"
        assert swap.paid() == [BOTH_MINOR] * is_charged
        order, back = swap.order_id(), [BOTH_MINOR] * (stage == "refund")
        captured = [BOTH_MINOR] * (is_charged + len(back))  # the card, and what came back
        assert swap.counter.booked(order, "captured") == captured
        assert swap.counter.booked(order) == back
        assert swap.counter.effects("refund.created") == len(back)
        assert swap.counter.due("settle") == []
        return died


@pytest.mark.parametrize(("stage", "point"), [("card", 6), ("charge", 7), ("refund", 6)])
def test_killed_at_some_point_it_happens_once(scene: Scene, stage: str, point: int) -> None:
    assert scene.check(stage, point), "it has to die there"


@pytest.mark.long
@pytest.mark.parametrize("stage", ["card", "charge", "refund"])
@pytest.mark.parametrize("point", range(1, 40))
def test_killed_at_any_point_it_happens_once(scene: Scene, stage: str, point: int) -> None:
    if not scene.check(stage, point):
        assert point > 5, "a worker without enough points proves nothing"
