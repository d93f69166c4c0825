"""The hook under load: fifty events a second for ten seconds, while a worker takes them in.

Every event is sent at its own moment, whether or not the one before was answered, and its time
counts from that moment: a server that falls behind cannot hide it. The reference is a bare Flask
route that reads the same bodies, under the same load in the same run.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from bench.measure import free_port, in_turns, serving
from carriers.easypost import sign
from portal import clock, create_app
from portal.config import read_settings
from portal.db import db, inside, session, writing
from portal.migrations import upgrade
from portal.models import Order, Shop
from portal.sources.document import OrderDocument

EVENTS_A_SECOND = 50
SECONDS = 10
ROUNDS = 3
PARCELS = 200
SECRET = "hooks-are-signed-with-this"
HOOK = "/hooks/easypost/fern"
BEGAN = clock.now()
numbers = count(1)

bare = Flask(__name__)


@bare.post("/<path:_path>")
def read(_path: str) -> Response:
    """Read the body and answer."""
    request.get_data(cache=False)
    return Response('{"status":"received"}', mimetype="application/json")


def run() -> list[dict[str, Any]]:
    """One line: the 99th percentile of the answers, against the bare route's."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        port = free_port()
        environ = {
            "SECRET_KEY": "a-secret-for-benchmarks-0123456789abcdef",
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATABASE_URL": f"sqlite:///{Path(home) / 'porchlight.db'}",
            "EASYPOST_WEBHOOK_SECRET": SECRET,
        }
        _fill(environ)
        stack.enter_context(_command(environ, "serve", "--port", str(port)))
        stack.enter_context(_command(environ, "worker"))
        reference = stack.enter_context(serving("bench.hooks:bare", {}, workers=2))
        _until_ready(port)
        figures = in_turns(
            {"bare": lambda: _p99_ms(reference.port), "house": lambda: _p99_ms(port)}, ROUNDS
        )
    return [
        {
            "bench": "hook_p99_50_a_second",
            "ratio": round(figures["house"] / figures["bare"], 3),
            "reference": "a bare Flask route that reads the same bodies under the same load",
            "value": round(figures["house"], 1),
            "unit": "ms_p99",
            "runs": ROUNDS,
        }
    ]


@contextmanager
def _command(environ: Mapping[str, str], *words: str) -> Iterator[None]:
    """`porchlight …` as a process of its own."""
    command = [sys.executable, "-m", "portal.cli", *words]
    process = subprocess.Popen(command, env={**os.environ, **environ}, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(40)


def _until_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("The server under measurement did not start.")


def _p99_ms(port: int) -> float:
    """The 99th percentile in milliseconds, from the moment an event was to be sent."""
    bodies = [_event(next(numbers)) for _ in range(EVENTS_A_SECOND * SECONDS)]
    begin = time.monotonic() + 0.2
    with ThreadPoolExecutor(max_workers=64) as pool:
        sent = [
            pool.submit(_send, port, body, begin + n / EVENTS_A_SECOND)
            for n, body in enumerate(bodies)
        ]
        took = sorted(each.result() for each in sent)
    return took[len(took) * 99 // 100 - 1] * 1000


def _send(port: int, body: bytes, at: float) -> float:
    time.sleep(max(0.0, at - time.monotonic()))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", HOOK, body, {"X-Hmac-Signature": sign(body, SECRET)})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"The hook answered {answer.status}, not 200")
    return time.monotonic() - at


# --- what it is about ---------------------------------------------------------------------------


def _number(n: int) -> str:
    return f"9400110898825{n % PARCELS:09}"


def _event(n: int) -> bytes:
    """An event of the usual size: a parcel with twelve scans, the newest one new."""
    now = BEGAN
    scans = [
        {
            "object": "TrackingDetail",
            "message": f"Processed at facility {place}",
            "status": "in_transit",
            "status_detail": "arrived_at_facility",
            "datetime": (now - timedelta(hours=12 - place, seconds=n * (place == 11))).isoformat(),
            "source": "USPS",
            "tracking_location": {"city": f"TOWN {place}", "state": "TX", "country": "US"},
        }
        for place in range(12)
    ]
    tracker = {
        "id": f"trk_{n % PARCELS:032x}",
        "object": "Tracker",
        "tracking_code": _number(n),
        "carrier": "USPS",
        "status": "in_transit",
        "updated_at": clock.now().isoformat(),
        "tracking_details": scans,
    }
    event = {"id": f"evt_{n:032x}", "object": "Event", "description": "tracker.updated"}
    return json.dumps(event | {"result": tracker}).encode()


def _fill(environ: dict[str, str]) -> None:
    """A shop whose orders the events are about."""
    with create_app(read_settings(environ)).app_context():
        upgrade()
        with writing():
            shop = Shop(slug="fern", name="Fern & Fable", theme="fern", is_default=True)
            shop.moves_to(environ["BASE_URL"])
            session.add(shop)
            session.flush()
            shop_id = shop.id
        with inside(shop_id), writing():
            for n in range(PARCELS):
                parcel = {"carrier": "USPS", "tracking_number": _number(n)}
                posted = {"number": str(n), "currency": "USD", "shipments": [parcel]}
                Order.upsert(OrderDocument.model_validate(posted), clock.now())
        session.remove()
        db.engine.dispose()
