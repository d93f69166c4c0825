"""The open pages of one process, each a stream of server-sent events that says: look again.

A stream says nothing of the order itself, so what a page may see is decided in one place, where
its live part is made. Each ends within minutes and its browser comes back, at a moment of its own;
one whose browser has gone, whose link has ended or whose process stops is ended at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from flask import Flask

from portal.live.watch import Watcher
from portal.models.order_change import Changed

HEARTBEAT_S = 20.0  # between two words on a quiet line; proxies cut one after a minute
LIFE_S = (300.0, 600.0)  # a stream ends after so long, so that others come to its place
RETRY_MS = (3_000, 30_000)  # a browser comes back after so long: a thousand do not come at once
MOST_A_LINK = 10  # pages open under one link in one process; at most a quarter of all, or two
BEAT = b"event: beat\ndata: 1\n\n"  # a page that hears none knows that its line is held up

Order = tuple[int, str]  # the shop's id and the order's


class Bell(Protocol):
    """Wakes one stream. Any thread may ring it."""

    def ring(self) -> None:
        """Wake the stream, now or when it waits next."""

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings or the time is over; True if somebody rang."""


class ThreadBell:
    """The bell of a stream that has a thread to itself."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Wake the thread."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Hold the thread meanwhile."""
        rang = self._event.wait(seconds)
        self._event.clear()
        return rang


class Stream:
    """One open page. Iterating it gives the events as bytes, and waits between them."""

    __slots__ = ("_bell", "_close", "_ends_at", "is_over", "line", "link_id", "order", "version")

    def __init__(
        self,
        order: Order,
        link_id: int,
        seconds: float,
        bell: Bell,
        close: Callable[[Stream], None],
    ) -> None:
        self.order = order
        self.link_id = link_id
        self.version = 0  # the newest that was told
        self.is_over = False
        self.line: Any = None  # where known, its end is noticed
        self._ends_at = time.monotonic() + min(seconds, random.uniform(*LIFE_S))  # noqa: S311
        self._bell = bell
        self._close = close

    def tell(self, version: int) -> None:
        """The order's pages show this version now."""
        if version > self.version:
            self.version = version
            self._bell.ring()

    def end(self) -> None:
        """Nothing more is said."""
        self.is_over = True
        self._bell.ring()

    def close(self) -> None:
        """Leave the place to others. WSGI servers call it, however the answer ended."""
        self._close(self)

    def after(self, seen: int) -> Iterator[bytes]:
        """What is said to a page that shows the version `seen`."""
        retry = random.randint(*RETRY_MS)  # noqa: S311
        # The number is remembered by the browser and told when it comes back.
        yield b"retry: %d\nid: %d\n%b" % (retry, seen, BEAT)
        while not self.is_over and (left := self._ends_at - time.monotonic()) > 0:
            if self.version > seen:
                seen = self.version
                yield b"id: %d\ndata: changed\n\n" % seen
            elif not self._bell.wait(min(left, HEARTBEAT_S)):
                yield BEAT


class Streams:
    """The open pages of this process: at most `slots`, told by one watcher."""

    def __init__(self, app: Flask, bell: Callable[[], Bell] = ThreadBell) -> None:
        self.slots = 0  # whoever serves says how many; nobody is starved by default
        self.bell = bell
        self._open: defaultdict[Order, set[Stream]] = defaultdict(set)
        self._of_link: Counter[int] = Counter()
        self._lock = threading.Lock()
        self.watcher: Watcher | None = None
        self._app = app
        self._has_stopped = False

    def __len__(self) -> int:
        return self._of_link.total()

    def open(self, order: Order, link_id: int, seconds: float, line: Any) -> Stream | None:
        """A place for a page of this order for at most so long; None where none is free.

        `line` is the browser's connection, if the server shows it. Close the stream in the end.
        """
        with self._lock:
            most = max(2, min(MOST_A_LINK, self.slots // 4))
            is_free = len(self) < self.slots and self._of_link[link_id] < most
            if not is_free or self._has_stopped:
                return None
            if self.watcher is None:  # not before: a process forks before it serves
                self.watcher = Watcher(self._app, self)
                self.watcher.start()
            stream = Stream(order, link_id, seconds, self.bell(), self._leave)
            if line is not None:
                stream.line = line
                self.watcher.follow(line, stream.end)
            self._open[order].add(stream)
            self._of_link[link_id] += 1
            return stream

    def waiting_for(self, changes: Iterable[Changed]) -> dict[Stream, int]:
        """The streams that these changes are for, each with its order's newest version."""
        with self._lock:
            return {
                stream: change.version
                for change in changes
                for stream in self._open.get((change.shop_id, change.order_id), ())
            }

    def stop(self) -> None:
        """End all streams and the watcher, and open no more."""
        self._has_stopped = True
        if self.watcher is not None:
            self.watcher.stop()
        for streams in list(self._open.values()):
            for stream in list(streams):
                stream.end()

    def _leave(self, stream: Stream) -> None:
        with self._lock:
            mine = self._open.get(stream.order, set())
            if stream not in mine:
                return
            mine.remove(stream)
            if not mine:
                del self._open[stream.order]
            self._of_link[stream.link_id] -= 1
            if not self._of_link[stream.link_id]:
                del self._of_link[stream.link_id]
            if stream.line is not None and self.watcher is not None:
                self.watcher.forget(stream.line)


def init_live(app: Flask) -> None:
    """Give the app its streams. It has no place for any until its server says how many."""
    app.extensions["streams"] = Streams(app)


def streams_of(app: Flask) -> Streams:
    """The streams of this process."""
    found: Streams = app.extensions["streams"]
    return found
