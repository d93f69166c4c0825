"""kill -9 at any moment: one label, one refund, one order of an exchange, and nothing lost."""

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
from tests.jobs.counter import Counter, counter_on, environ

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = [3, 13]


@pytest.fixture
def scene(database_url: str, both: Box) -> Iterator[Scene]:
    with counter_on(database_url, both) as counter:
        yield Scene(counter, database_url)


class Scene:
    """A label to buy, and a refund to send."""

    def __init__(self, counter: Counter, url: str) -> None:
        self.counter = counter
        self.url = url
        self.labelled = counter.returned(number="1001")
        self.paid = counter.back(number="1002", method="own_label")

    def die_at(self, point: int) -> bool:
        """Run a worker that dies at that point; False where it ended before."""
        db.engine.dispose()
        given = {
            **os.environ,
            **environ(self.url, self.counter.box),
            "KILLED_QUEUES": "label settle",
        }
        command = [sys.executable, "-m", "tests.jobs.killed", str(point)]
        code = subprocess.run(command, cwd=ROOT, env=given, timeout=60, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        return code != 0

    def check(self, point: int) -> bool:
        died = self.die_at(point)
        self.counter.until_quiet()
        (label,) = self.counter.labels(self.labelled)
        assert (label.status, self.counter.effects("label.bought")) == ("done", 1)
        (row,) = self.counter.rows(self.paid)
        assert (row.status, self.counter.effects("refund.created")) == ("done", 1)
        assert self.counter.booked(row.order_id) == [row.amount_minor]
        assert self.counter.rma(self.paid).status == "settled"
        assert self.counter.due() == []
        return died


@pytest.mark.parametrize("point", SAMPLE)
def test_killed_at_some_point_money_moves_once(scene: Scene, point: int) -> None:
    assert scene.check(point), "it has to die there"


@pytest.mark.long
@pytest.mark.parametrize("point", range(1, 70))
def test_killed_at_any_point_money_moves_once(scene: Scene, point: int) -> None:
    if not scene.check(point):
        assert point > 20, "a worker without enough points proves nothing"
