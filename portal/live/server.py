"""A process that serves streams alone: one small coroutine a page instead of a thread.

Nothing is patched. The question whether a page may listen is asked in real threads, as everywhere
else; what waits is gevent's, and the watcher's thread rings its bells.
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from flask import Flask
from gevent import Timeout, get_hub
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from portal.live.streams import streams_of
from portal.logs import log

PATIENCE_S = 15.0  # for a request to come in whole
GRACE_S = 5  # for answers under way, once told to stop
SPARE = 200  # connections and files beside those of open pages
BACKLOG = 2048  # browsers that come back together

Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]


class GreenBell:
    """The bell of a stream that is a coroutine."""

    __slots__ = ("_event", "_loop")

    def __init__(self, loop: Any) -> None:
        self._event = Event()
        self._loop = loop

    def ring(self) -> None:
        """Wake the coroutine, from whatever thread."""
        self._loop.run_callback_threadsafe(self._event.set)

    def wait(self, seconds: float) -> bool:
        """Let others run meanwhile."""
        rang = bool(self._event.wait(seconds))
        self._event.clear()
        return rang


class Connection(WSGIHandler):  # type: ignore[misc]
    """One browser's connection, which must say quickly what it wants."""

    def read_requestline(self) -> str:
        """The first line; '' ends a connection that says nothing."""
        with Timeout(PATIENCE_S, False):
            return str(super().read_requestline())
        return ""

    def read_request(self, raw_requestline: str) -> bool:
        """The headers. Raises ValueError for what is no request, or too slow a one."""
        with Timeout(PATIENCE_S, False):
            return bool(super().read_request(raw_requestline))
        raise ValueError("too slow")

    def get_environ(self) -> dict[str, Any]:
        """The request, with its connection: its end is noticed."""
        environ: dict[str, Any] = super().get_environ()
        environ["gevent.socket"] = self.socket
        return environ

    def log_error(self, msg: str, *args: object) -> None:
        """Say that it was no request. What it held is not written down: links are in it."""
        log.info("not a request")


def serve_streams(app: Flask, host: str, port: int, most: int) -> None:
    """Serve `/events/…` and `/healthz` to at most so many pages, until told to stop."""
    _allow_files(most + SPARE)
    loop = get_hub().loop
    streams = streams_of(app)
    streams.slots, streams.bell = most, lambda: GreenBell(loop)
    server = WSGIServer(
        (host, port),
        only_streams(app),
        backlog=BACKLOG,
        spawn=Pool(most + SPARE),
        handler_class=Connection,
        log=None,
    )

    def stop() -> None:
        streams.stop()
        server.stop(GRACE_S)

    for signum in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(signum, stop)
    server.serve_forever(stop_timeout=GRACE_S)


def only_streams(app: Flask) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The app's streams and sign of life as a WSGI app of coroutines; the rest is not here."""
    threads = get_hub().threadpool

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path != "/healthz" and not path.startswith("/events/"):
            start_response("404 Not Found", [("Content-Length", "0")])
            return []
        found: Answer = threads.apply(_asked, (app, environ))
        start_response(found[0], found[1])
        return found[2]

    return answer


def _asked(app: Flask, environ: dict[str, Any]) -> Answer:
    """The app's answer, whose body is not looked at yet."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def note(status: str, headers: list[tuple[str, str]], *_error: object) -> Callable[..., object]:
        told.append((status, headers))
        return told.append  # WSGI's way to write without a body, which nobody here uses

    body = app(environ, note)
    return (*told[-1], body)


def _allow_files(wanted: int) -> None:
    """Each page takes up a file; take as many as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
