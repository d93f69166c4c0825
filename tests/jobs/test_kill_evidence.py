"""kill -9 at any moment: one claim with the insurer, one answer to the bank, and nothing lost."""

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
from tests.jobs.test_carrier import insured, later, row_of, wanted
from tests.jobs.test_dispute import answered, dispute_of, disputed, push_all

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def scene(sqlite_url: str, both: Box) -> Iterator[Scene]:
    with counter_on(sqlite_url, both) as counter:
        yield Scene(counter, sqlite_url)


class Scene:
    """A claim to file, and evidence to send."""

    def __init__(self, counter: Counter, url: str) -> None:
        self.counter = counter
        self.url = url
        insured(counter)
        self.claim = wanted(counter, "1001")
        self.order = counter.paid("1002")
        self.dispute = disputed(counter, "1002")
        push_all(counter)
        answered(self.order)

    def die_at(self, point: int) -> bool:
        """Run a worker that dies at that point; False where it ended before."""
        db.engine.dispose()
        given = {
            **os.environ,
            **environ(self.url, self.counter.box),
            "KILLED_QUEUES": "carrier dispute",
        }
        command = [sys.executable, "-m", "tests.jobs.killed", str(point)]
        code = subprocess.run(command, cwd=ROOT, env=given, timeout=60, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        return code != 0

    def check(self, point: int) -> bool:
        died = self.die_at(point)
        for _ in range(4):
            later()
            self.counter.work("carrier", "dispute")
        assert (row_of(self.claim).status, self.counter.effects("claim.created")) == ("filed", 1)
        there = self.counter.till().v1.disputes.retrieve(self.dispute["id"])
        assert there.evidence_details.submission_count == 1
        assert dispute_of(self.order).evidence == "sent"
        return died


@pytest.mark.long
@pytest.mark.parametrize("point", range(1, 45))
def test_killed_at_any_point_each_is_sent_once(scene: Scene, point: int) -> None:
    if not scene.check(point):
        assert point > 12, "a worker without enough points proves nothing"
