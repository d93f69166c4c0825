"""Serving the stand-in on loopback, with the threads that tell stories and send webhooks."""

import ipaddress
import logging
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from portal.sandbox.account import Account
from portal.sandbox.delivery import Courier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BEAT: Final = 0.05  # seconds between two looks at which scans are due
ABORT: Final = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset
WIRE: Final = "sandbox.wire"  # in the WSGI environment: how this connection must end

log = logging.getLogger(__name__)


class BadWire:
    """Breaks the connection of a request whose view asked for it: a reset, or half an answer."""

    def __init__(self, inner: "WSGIApplication") -> None:
        self._inner = inner

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def keep(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [(status, headers)]
            return lambda data: None

        body = b"".join(self._inner(environ, keep))
        wire = environ.get(WIRE)
        if wire == "reset":
            _abort(environ)
            raise ConnectionResetError("The fault script resets this connection.")
        start_response(*started[0])
        return [body[: len(body) // 2] if wire == "truncated" else body]


def _abort(environ: "WSGIEnvironment") -> None:
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)


class _Handler(WSGIRequestHandler):
    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        self.close_connection = True  # or the client would wait for an answer on an open line

    def log(self, type: str, message: str, *args: Any) -> None:
        log.debug(message, *args)


class _Server(ThreadedWSGIServer):
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Close without the polite goodbye where a reset was asked for."""
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(ABORT))
        if linger == ABORT:
            self.close_request(request)
        else:
            super().shutdown_request(request)


class Teller:
    """Tells live stories in real time, so that webhooks go out though nobody asks."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-teller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopped.wait(BEAT):
            with self._account.lock:
                self._account.beat()


class Box:
    """A served stand-in: `url` (its root) and `stop()`, which ends its threads and forgets.

    `api_base` is EasyPost's address in it, `stripe_base` Stripe's.
    """

    def __init__(self, app: Flask, host: str, port: int) -> None:
        account: Account = app.extensions["account"]
        self._courier: Courier = app.extensions["courier"]
        self._teller = Teller(account)
        self._server = _Server(host, port, app, _Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="sandbox", kwargs={"poll_interval": 0.05}
        )
        self._thread.daemon = True
        self.account = account
        self.host = host
        self.port: int = self._server.server_port
        self.url = f"http://{host}:{self.port}"
        self.api_base = f"{self.url}/v2"
        self.stripe_base = f"{self.url}/stripe"

    def start(self) -> None:
        self._courier.start()
        self._teller.start()
        self._thread.start()

    def wait(self) -> None:
        """Block until stopped."""
        self._thread.join()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()
        self._teller.stop()
        self._courier.stop()


def serve(app: Flask, host: str = "127.0.0.1", port: int = 0) -> Box:
    """Serve on a loopback address in threads of this process; port 0 takes a free one.

    Raises ValueError for an address that other machines could reach, OSError for a taken port.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"The sandbox serves this machine only; {host} is not a loopback address.")
    box = Box(app, host, port)
    box.start()
    return box


@contextmanager
def running(app: Flask, host: str = "127.0.0.1", port: int = 0) -> Iterator[Box]:
    """Serve for the length of a `with` block."""
    box = serve(app, host, port)
    try:
        yield box
    finally:
        box.stop()
