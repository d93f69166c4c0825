"""What taking in one push costs: the server's CPU, its statements, and how 16 writers fare.

The reference for the CPU is a bare Flask route that reads the same bodies. The writers are two
processes of eight threads, all busy, and SQLite's 99th percentile is compared with PostgreSQL's.
"""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Final

from bench import postgres
from bench.events import HOOK, event, fill, signed
from bench.house import environ_at, environ_in
from bench.measure import Medians, Server, compared, in_turns, serving
from portal import create_app
from portal.config import read_settings
from tests.statements import statements

ASKED: Final = 200  # events a round
WRITERS: Final = 16
STATEMENTS: Final = 6  # at most
CONTROL: Final = ("BEGIN", "PRAGMA", "COMMIT", "SAVEPOINT", "RELEASE")
numbers = count(1)


def run() -> list[dict[str, Any]]:
    """CPU and statements of an event, and the slowest of a hundred with sixteen writers."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        sqlite = environ_in(Path(home))
        running = stack.enter_context(postgres.running())
        other = environ_at(running.database("bench_intake"))
        for environ in (sqlite, other):
            fill(environ)
        counted = _statements(sqlite)
        alone = stack.enter_context(serving("wsgi:app", sqlite))
        bare = stack.enter_context(serving("bench.hooks:bare", {}))
        cost = in_turns({"bare": lambda: _cpu(bare), "house": lambda: _cpu(alone)})
        busy = {
            "sqlite": stack.enter_context(serving("wsgi:app", sqlite, 2, WRITERS // 2)),
            "postgresql": stack.enter_context(serving("wsgi:app", other, 2, WRITERS // 2)),
        }
        slow = in_turns({name: lambda s=server: _p99_ms(s) for name, server in busy.items()}, 5)
    return [_cost(cost), _count(counted), _slow(slow)]


def _cost(figures: Medians) -> dict[str, Any]:
    told = "a bare Flask route that reads the same bodies in the same run"
    pair, unit = ("house", "bare"), "us_cpu_per_request"
    return compared("hook_intake_cpu", figures, pair, unit, told, goal=12.0)


def _count(counted: int) -> dict[str, Any]:
    return {
        "bench": "hook_intake_statements",
        "ratio": round(counted / STATEMENTS, 3),
        "reference": f"at most {STATEMENTS} statements an event",
        "value": counted,
        "unit": "statements",
        "runs": 1,
        "goal": 1.0,
        "met": counted <= STATEMENTS,
    }


def _slow(figures: Medians) -> dict[str, Any]:
    told = f"PostgreSQL's under the same {WRITERS} writers in the same run"
    pair, name = ("sqlite", "postgresql"), f"write_p99_{WRITERS}_writers"
    return compared(name, figures, pair, "ms_p99", told, goal=1.2, runs=5)


def _statements(environ: dict[str, str]) -> int:
    """How many statements a server of this house sends for one new event."""
    app = create_app(read_settings(environ))
    client = app.test_client()
    with app.app_context():
        for _ in range(2):  # the second is as all that follow
            body = event(next(numbers))
            with statements() as seen:
                answer = client.post(HOOK, data=body, headers=signed(body))
            if answer.status_code != 200:
                raise RuntimeError(f"The hook answered {answer.status_code}")
    return sum(not each.startswith(CONTROL) for each in seen)


def _cpu(server: Server) -> float:
    """Server CPU in microseconds an event, sent one after the other."""
    bodies = [event(next(numbers)) for _ in range(ASKED)]
    before = server.cpu_seconds()
    for _ in _sent(server, bodies):
        pass
    return (server.cpu_seconds() - before) / ASKED * 1e6


def _p99_ms(server: Server) -> float:
    """The 99th percentile of answers in milliseconds, every writer being busy all the time."""
    shares = [[event(next(numbers)) for _ in range(3 * ASKED // WRITERS)] for _ in range(WRITERS)]
    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        took = sorted(
            each
            for one in pool.map(lambda share: list(_sent(server, share)), shares)
            for each in one
        )
    return took[len(took) * 99 // 100 - 1] * 1000


def _sent(server: Server, bodies: list[bytes]) -> Iterator[float]:
    """Send the events on one connection; how many seconds each took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for body in bodies:
        headers = signed(body)
        began = time.perf_counter()
        connection.request("POST", HOOK, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"The hook answered {answer.status}, not 200")
        yield time.perf_counter() - began
    connection.close()
