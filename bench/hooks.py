"""The hook under load: fifty events a second for ten seconds, while a worker takes them in.

Every event is sent at its own moment, whether or not the one before was answered, and its time
counts from that moment: a server that falls behind cannot hide it. The reference is a bare Flask
route that reads the same bodies, under the same load in the same run.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from bench.events import HOOK, event, fill, signed
from bench.house import environ_in
from bench.measure import free_port, in_turns, serving

EVENTS_A_SECOND = 50
SECONDS = 10
ROUNDS = 3
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
        environ = environ_in(Path(home))
        fill(environ)
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
    bodies = [event(next(numbers)) for _ in range(EVENTS_A_SECOND * SECONDS)]
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
    connection.request("POST", HOOK, body, signed(body))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"The hook answered {answer.status}, not 200")
    return time.monotonic() - at
