"""The queue of writers in front of a SQLite file: first among threads, then among processes.

SQLite's own busy handler is unfair: who has waited longest is not next.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

WAIT_SECONDS: Final = 5.0  # how long a writer queues before the visitor is told to try again
_queue = threading.Lock()


class Busy(Exception):
    """The database is being written to by somebody else for longer than we wait."""


@contextmanager
def turn_at(path: str) -> Iterator[None]:
    """Write to this file alone, until the end. Raises Busy after `WAIT_SECONDS`."""
    deadline = time.monotonic() + WAIT_SECONDS
    if not _queue.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        # Who holds the turn is next, so that a busy process cannot come before it again.
        with _locked(f"{path}.turn", deadline) as turn, _locked(f"{path}.lock", deadline):
            os.close(turn.pop())
            yield
    finally:
        _queue.release()


@contextmanager
def _locked(path: str, deadline: float) -> Iterator[list[int]]:
    """Hold a lock file until the end, or until its handle is taken out and closed."""
    handles = [os.open(path, os.O_RDWR | os.O_CREAT, 0o600)]
    try:
        _flock(handles[0], deadline)
        yield handles
    finally:
        for handle in handles:
            os.close(handle)


def _flock(handle: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy from None
            time.sleep(0.001)
