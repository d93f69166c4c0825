"""The worker: hands for every queue, woken by nudges and, without any message, by a sweep."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from portal import clock
from portal.api.once import forget_old
from portal.db import every_shop, session, writing
from portal.jobs.books import plan_books
from portal.jobs.habit import plan_habits
from portal.jobs.herald import plan_heralds
from portal.jobs.lanes import plan_lanes
from portal.jobs.photo_files import tidy_photos
from portal.jobs.queue import PAUSE_S, Queue, queue_of
from portal.jobs.reconcile import plan_reconciling
from portal.jobs.seal import plan_seals
from portal.jobs.work import AT_ONCE, told_to_stop, work
from portal.logs import log
from portal.models.access import forget_ended
from portal.models.checkout import forget_unpaid
from portal.models.cover_end import end_covers
from portal.models.due import QUEUES, Due, read_gauge, set_gauge
from portal.models.order_change import forget_changes
from portal.models.webhook import forget_told

SWEEP_S = 2.0  # how long work can wait that nobody nudged for
REST_S = 10.0  # a hand looks by itself this often; the sweep rings for it sooner
BEAT = timedelta(seconds=15)  # between two signs of life
GRACE_S = 30.0  # the longest a stopping worker waits for the call it is in
HEARTBEAT = "worker"  # the gauge that says when a worker was last alive

CHORES: tuple[tuple[str, timedelta, Callable[[datetime], object]], ...] = (
    ("forget_ended", timedelta(hours=1), forget_ended),
    ("forget_answers", timedelta(days=1), forget_old),
    ("plan_seals", timedelta(minutes=1), plan_seals),
    ("plan_reconciling", timedelta(days=1), plan_reconciling),
    ("forget_unpaid", timedelta(days=1), forget_unpaid),
    ("tidy_photos", timedelta(hours=6), tidy_photos),
    ("end_covers", timedelta(hours=6), end_covers),
    ("plan_books", timedelta(hours=1), plan_books),
    ("plan_lanes", timedelta(days=1), plan_lanes),
    ("plan_habits", timedelta(days=1), plan_habits),
    ("forget_changes", timedelta(hours=1), forget_changes),
    ("plan_heralds", timedelta(seconds=2), plan_heralds),
    ("forget_told", timedelta(days=1), forget_told),
)


class Worker:
    """The threads of one worker process. Any number of processes may run beside each other."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._queue: Queue = queue_of(app)
        self._queue.work = self._wake
        self._bells = {queue: threading.Event() for queue in ("sweep", *QUEUES)}
        self._beat_at: datetime | None = None
        self._threads = [
            _thread("listen", self._listen),
            _thread("sweep", lambda: self._repeat(self._sweep, self._bells["sweep"], SWEEP_S)),
            *(self._hand(queue) for queue in QUEUES for _ in range(AT_ONCE.get(queue, 1))),
        ]

    def run(self) -> None:
        """Work until `stop` is called; what is begun is finished, what is leased is given back."""
        for thread in self._threads:
            thread.start()
        told_to_stop.wait()
        deadline = time.monotonic() + GRACE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Have every thread end at its next pause."""
        told_to_stop.set()
        for bell in self._bells.values():
            bell.set()

    def _hand(self, queue: str) -> threading.Thread:
        return _thread(queue, lambda: self._repeat(lambda: work(queue), self._bells[queue], REST_S))

    def _repeat(self, act: Callable[[], int], bell: threading.Event, rest_s: float) -> None:
        """Do `act` when the bell rings, and after every rest, whatever goes wrong.

        Where there was work the rest is short: who follows closely upon a nudge sends none.
        """
        while not told_to_stop.is_set():
            done = 0
            try:
                with self._app.app_context():
                    done = act()
            except Exception as error:  # the database may be away: the next look finds it again
                log.error("worker looks again later", exc_info=error)
            bell.wait(2 * PAUSE_S if done else rest_s)
            bell.clear()

    def _wake(self, queue: str) -> None:
        if queue in QUEUES:
            self._bells[queue].set()

    def _listen(self) -> None:
        """Take messages; a queue that is down is asked again, and the sweep works meanwhile."""
        while not told_to_stop.is_set():
            rest = self._queue.listen()
            if rest:
                told_to_stop.wait(rest)
        self._queue.close()

    def _sweep(self) -> int:
        """Ring for every queue that has due work, give a sign of life, do the chores."""
        now = clock.now()
        with every_shop():
            for queue in QUEUES:
                due = select(Due.id).where(Due.queue == queue, Due.at <= now).limit(1)
                if session.scalar(due) is not None:
                    self._wake(queue)
        if self._beat_at is None or now - self._beat_at >= BEAT:
            self._beat_at = now
            with every_shop(), writing():
                set_gauge(HEARTBEAT, float(os.getpid()), now)
            do_chores(now)
        return 0


def _thread(name: str, target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=target, name=name, daemon=True)


def do_chores(now: datetime) -> None:
    """Do the chores whose time has come; of several workers the first one does each."""
    for name, every, act in CHORES:
        gauge = f"chore:{name}"
        with every_shop():
            done = read_gauge(gauge)
            if done is not None and now - done[1] < every:
                continue
            with writing():
                done = read_gauge(gauge, alone=True)
                if done is None or now - done[1] >= every:
                    set_gauge(gauge, 0.0, now)
                    act(now)
