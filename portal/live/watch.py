"""The one thread of a process that learns what changed, and which browsers have gone.

SQLite tells by a number of each connection that somebody else has committed: it is read many times
a second, and the table of changes once when it moved. PostgreSQL notifies the connection that
listens. After a lost connection the table is read from where it was left, so nothing is lost.
"""

from __future__ import annotations

import selectors
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from flask import Flask

from portal import clock
from portal.db import db, every_shop
from portal.keys import settings
from portal.logs import log
from portal.migrations.order_change import CHANNEL
from portal.models.access import links_in_force
from portal.models.order_change import Changed, changes_after, newest_change

if TYPE_CHECKING:
    from portal.live.streams import Streams

TICK_S = 0.025  # between two looks at a file
REST_S = 1.0  # between two looks at a server's connection where nothing comes in
PROBE_S = 10.0  # between two questions to a server, to know that it is still there
AGAIN_S = 1.0  # after a failure
# Ids are given before the commit: what has a smaller one than the last seen may have come later.
OVERLAP = 5_000


class Source(Protocol):
    """Where news comes from."""

    rest_s: float  # the longest to wait before the next look
    handle: Any  # what becomes readable when there is news; None where nothing does

    def news(self) -> Sequence[Changed]:
        """What changed since the last time. Raises what its driver raises."""


class Watcher(threading.Thread):
    """Tells the streams of a process what happened, until it is told to stop."""

    def __init__(self, app: Flask, streams: Streams) -> None:
        super().__init__(name="watch", daemon=True)
        self._app = app
        self._streams = streams
        self._last: int | None = None
        self._has_stopped = self._is_lost = False
        # Browsers are added by other threads while this one waits: epoll and kqueue allow that.
        self._selector = selectors.DefaultSelector()

    def follow(self, line: Any, has_gone: Callable[[], None]) -> None:
        """Call `has_gone` once when the browser at this line hangs up, or says anything more."""
        self._selector.register(line, selectors.EVENT_READ, has_gone)

    def forget(self, line: Any) -> None:
        """The line is about to be closed."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(line)

    def stop(self) -> None:
        """End within a second."""
        self._has_stopped = True

    def run(self) -> None:
        """Watch; a database that is away is looked for again every second."""
        while not self._has_stopped:
            try:
                with self._app.app_context(), self._source() as source:
                    self._pass_on(self._missed())
                    self._is_lost = False
                    while not self._has_stopped:
                        self._listen(source.rest_s)
                        self._pass_on(source.news())
            except Exception as error:
                if not self._is_lost:
                    log.warning("open pages are told nothing for a while", exc_info=error)
                self._is_lost = True
                self._listen(AGAIN_S)

    @contextmanager
    def _source(self) -> Iterator[Source]:
        source: File | Server = File() if settings().is_sqlite else Server(settings().database_url)
        try:
            if source.handle is not None:
                self._selector.register(source.handle, selectors.EVENT_READ)
            yield source
        finally:
            if source.handle is not None:
                self.forget(source.handle)
            source.close()

    def _listen(self, rest_s: float) -> None:
        """Wait for news or for the next look, and let go of browsers that have gone."""
        for key, _ in self._selector.select(rest_s):
            if key.data is not None:
                self.forget(key.fileobj)
                key.data()

    def _missed(self) -> list[Changed]:
        with every_shop():
            last = newest_change() if self._last is None else self._last
            self._last = last
            return changes_after(last - OVERLAP)

    def _pass_on(self, changes: Sequence[Changed]) -> None:
        if not changes:
            return
        self._last = max([self._last or 0, *(change.id for change in changes)])
        waiting = self._streams.waiting_for(changes)
        if not waiting:
            return
        with every_shop():
            holds = links_in_force({stream.link_id for stream in waiting}, clock.now())
        for stream, version in waiting.items():
            if stream.link_id in holds:
                stream.tell(version)
            else:
                stream.end()


class File:
    """A SQLite database on this machine."""

    rest_s = TICK_S
    handle = None

    def __init__(self) -> None:
        self._held = db.engine.raw_connection()
        self._seen = self._number()
        with every_shop():
            self._last = newest_change()

    def news(self) -> list[Changed]:
        """The changes since the last time; the table is read only after a commit."""
        number = self._number()
        if number == self._seen:
            return []
        self._seen = number
        with every_shop():
            changes = changes_after(self._last)
        if changes:
            self._last = changes[-1].id
        return changes

    def close(self) -> None:
        """Give the connection back."""
        self._held.close()

    def _number(self) -> int:
        raw: Any = self._held.dbapi_connection
        number: int = raw.execute("PRAGMA data_version").fetchone()[0]
        return number


class Server:
    """A PostgreSQL server, on a connection that does nothing but listen."""

    rest_s = REST_S

    def __init__(self, url: str) -> None:
        self.handle = psycopg.connect(
            url, autocommit=True, connect_timeout=5, application_name="porchlight watch"
        )
        self.handle.execute(f"LISTEN {CHANNEL}".encode())
        self._probed_at = time.monotonic()

    def news(self) -> list[Changed]:
        """What was notified. Raises psycopg.OperationalError when the connection is lost."""
        if time.monotonic() - self._probed_at >= PROBE_S:
            self._probed_at = time.monotonic()
            self.handle.execute("SELECT 1")
        return [Changed.told(said.payload) for said in self.handle.notifies(timeout=0)]

    def close(self) -> None:
        """Hang up."""
        self.handle.close()
