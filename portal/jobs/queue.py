"""Messages that say "look here": huey on SQLite, Redis or PostgreSQL. Losing all loses nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from portal.logs import log

PAUSE_S = 0.1  # between two nudges of one queue by one process: the first says it all
WAIT_S = 2  # the longest somebody waits for a queue that does not answer …
REST_S = 10.0  # … and then nobody asks it for so long
LOOK_S = 0.2  # between two looks at a queue that cannot be waited at
MOST_WAITING = 20  # messages; more would say the same again


class PlainWords(Serializer):  # type: ignore[misc]
    """Messages as JSON: whoever can write to the queue can nudge, and run nothing else."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(bytes(data)))


class Queue:
    """The queue of one house: `nudge` writes to it, a worker reads from it."""

    def __init__(self, url: str) -> None:
        self.work: Callable[[str], object] | None = None  # set by the worker
        self._url = url
        self._lock = threading.Lock()
        self._huey: Huey | None = None
        self._last: dict[str, float] = {}
        self._rests_until = 0.0

    @property
    def huey(self) -> Huey:
        """The queue behind it, opened at first use. Raises whatever its driver raises."""
        with self._lock:
            if self._huey is None:
                self._huey = _open(self._url)
                self._task = self._huey.task(name="look")(self._look)
            return self._huey

    def nudge(self, queue: str, *, always: bool = False) -> bool:
        """Say that there is work. False where nobody took it: the sweep finds the work anyway."""
        now = time.monotonic()
        if now < self._rests_until:
            return False
        if not always and now - self._last.get(queue, -PAUSE_S) < PAUSE_S:
            return True
        self._last[queue] = now
        try:
            if self.huey.pending_count() < MOST_WAITING:
                self._task(queue)
        except Exception as error:
            self._rests_until = now + REST_S
            log.warning("queue does not answer", queue=queue, kind=type(error).__name__)
            return False
        return True

    def answers(self) -> bool:
        """Whether messages can be read and written."""
        try:
            self.huey.pending_count()
        except Exception:
            return False
        return True

    def listen(self) -> float:
        """Take one message and do what it says; how many seconds to rest before the next look."""
        try:
            task = self.huey.dequeue()
        except Exception as error:
            log.warning("queue cannot be read", kind=type(error).__name__)
            return REST_S
        if task is None:
            return 0.0 if self.huey.storage.blocking else LOOK_S
        self.huey.execute(task)
        return 0.0

    def close(self) -> None:
        """Let go of the connection."""
        if self._huey is not None:
            self._huey.storage.close()

    def _look(self, queue: str) -> None:
        if self.work is not None:
            self.work(queue)


def _open(url: str) -> Huey:
    common: dict[str, Any] = {"results": False, "serializer": PlainWords()}
    if url.startswith("sqlite:///"):
        # huey uses the standard library's SQLite, which may be too old for a write-ahead log.
        file = {"filename": url.removeprefix("sqlite:///"), "journal_mode": "delete"}
        return SqliteHuey("porchlight", timeout=WAIT_S, **file, **common)
    if url.startswith("postgresql://"):
        return PostgresHuey("porchlight", dsn=url, connect_timeout=WAIT_S, **common)
    waits = f"socket_connect_timeout={WAIT_S}&socket_timeout={WAIT_S + 3}"
    return RedisHuey("porchlight", url=f"{url}{'&' if '?' in url else '?'}{waits}", **common)


def queue_of(app: Flask) -> Queue:
    """The app's queue; nothing is opened before its first use."""
    found: Queue = app.extensions.setdefault("queue", Queue(app.extensions["porchlight"].queue_url))
    return found


def nudge(queue: str) -> bool:
    """Have a worker look at a queue now. Call it after the commit; nothing depends on it."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return queue_of(app).nudge(queue)
