"""Against karrio, an open shipping server from PyPI in an environment of its own.

Its SDK normalises the same tracker; its server reads one tracker, and takes in one event of it, on
the same PostgreSQL as the house in the same run. Both servers are measured by the CPU of their
process trees, without the database's. karrio does more in a call (rights, telemetry, webhooks of
its own): the ratio says what the job costs, not how well it was written.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

from bench import events, postgres
from bench.data import fill, token_of
from bench.house import ASK, environ_at
from bench.measure import (
    PATIENCE_S,
    Server,
    compared,
    cpu_per_request,
    free_port,
    in_turns,
    serving,
    wait_for,
)
from carriers.contract import Tracking
from carriers.easypost import normalise
from carriers.reading import read_object
from carriers.timeline import State, read
from portal import clock

PYTHON: Final = Path(os.environ.get("BENCH_KARRIO", ".venv/karrio")).resolve() / "bin" / "python"
ORDERS: Final = 5_000
ASKED: Final = 100  # requests a round
SECONDS: Final = 0.5  # of CPU the merge gets in a round
PAUSE: Final = "1000000/min"  # of its limits for callers
numbers = count(1)


def run() -> list[dict[str, Any]]:
    """Merging a tracker, reading one, taking in an event."""
    return [_merge(), *_servers()]


# --- its SDK ------------------------------------------------------------------------------------


def _merge() -> dict[str, Any]:
    body = json.dumps(events.tracker(1))
    with _sdk(body) as sdk:
        figures = in_turns({"house": lambda: _merged_us(body.encode()), "karrio": sdk})
    told = f"karrio's SDK on the same tracker of {events.SCANS} events: {figures['karrio']:.0f} us"
    pair, unit = ("house", "karrio"), "us_cpu"
    return compared("merge_of_16_events", figures, pair, unit, told, goal=round(1 / 15, 4))


def _merged_us(body: bytes) -> float:
    """Microseconds of CPU from a body to one state and one history."""
    done, began = 0, time.process_time()
    while (spent := time.process_time() - began) < SECONDS:
        tracking, state = _merged(body)
        done += 1
    if len(tracking.scans) != events.SCANS or len(state.shown) != events.SCANS:
        raise RuntimeError("The tracker was not read whole.")
    return spent / done * 1e6


def _merged(body: bytes) -> tuple[Tracking, State]:
    tracking = normalise(read_object(body, at_most=len(body), sender="EasyPost"))
    return tracking, read(tracking.scans, now=clock.now())


@contextmanager
def _sdk(body: str) -> Iterator[Any]:
    """Microseconds of CPU of karrio's SDK for this tracker, each time it is called."""
    command = [str(PYTHON), "-m", "bench.karrio_sdk"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        talk, hear = process.stdin, process.stdout
        if talk is None or hear is None:
            raise RuntimeError("karrio's SDK cannot be talked to.")
        talk.write(body + "\n")

        def ask() -> float:
            talk.write("again\n")
            talk.flush()
            return float(hear.readline())

        yield ask
        talk.close()


# --- its server ---------------------------------------------------------------------------------


def _servers() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        running = stack.enter_context(postgres.running())
        theirs = _karrio_environ(running, home)
        known = _prepared(theirs)
        url = running.database("bench_house")
        fill(url, ORDERS)
        house = stack.enter_context(serving("wsgi:app", environ_at(url), workers=2))
        karrio = stack.enter_context(_karrio(theirs))
        return _measured(house, karrio, known)


def _measured(house: Server, karrio: Server, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    let_in = {"Authorization": f"Token {known['token']}", "Content-Type": "application/json"}
    ids, pages = cycle(known["ids"]), iter(f"/t/{token_of(n)}" for n in range(ORDERS))
    figures = in_turns(
        {
            "page": lambda: cpu_per_request(house, [next(pages) for _ in range(ASKED)], ASK),
            "tracker": lambda: cpu_per_request(karrio, _trackers(ids), let_in),
            "hook": lambda: _pushed_us(house),
            "inject": lambda: _injected_us(karrio, ids, let_in),
        }
    )
    told = {
        "tracker": f"karrio's tracker of {events.SCANS} events: {figures['tracker']:.0f} us",
        "inject": f"karrio's intake of {events.SCANS} events: {figures['inject']:.0f} us",
    }
    unit, sixth = "us_cpu_per_request", round(1 / 6, 3)
    page, hook = ("page", "tracker"), ("hook", "inject")
    return [
        compared("page_and_karrio", figures, page, unit, told["tracker"], goal=0.1),
        compared("hook_and_karrio", figures, hook, unit, told["inject"], goal=sixth),
    ]


def _trackers(ids: Iterator[str]) -> list[str]:
    return [f"/v1/trackers/{next(ids)}" for _ in range(ASKED)]


def _pushed_us(house: Server) -> float:
    bodies = [events.event(next(numbers)) for _ in range(ASKED)]
    return _posted_us(house, [(events.HOOK, body, events.signed(body)) for body in bodies])


def _injected_us(karrio: Server, ids: Iterator[str], let_in: Mapping[str, str]) -> float:
    told = []
    for _ in range(ASKED):
        details = events.tracker(next(numbers))["tracking_details"]
        body = {"events": [_karrio_event(each) for each in details], "status": "in_transit"}
        path = f"/v1/trackers/{next(ids)}/inject-events"
        told.append((path, json.dumps(body).encode(), dict(let_in)))
    return _posted_us(karrio, told)


def _karrio_event(told: Mapping[str, Any]) -> dict[str, Any]:
    at = told["datetime"]
    return {
        "date": at[:10],
        "time": at[11:16],
        "timestamp": at,
        "code": told["status"],
        "description": told["message"],
        "location": "TOWN, TX, US",
    }


def _posted_us(server: Server, told: Sequence[tuple[str, bytes, dict[str, str]]]) -> float:
    """Server CPU in microseconds for each of these bodies, sent one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    before = server.cpu_seconds()
    for path, body, headers in told:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {said[:200]!r}")
    connection.close()
    return (server.cpu_seconds() - before) / len(told) * 1e6


# --- karrio's house -----------------------------------------------------------------------------


def _karrio_environ(running: postgres.Postgres, home: str) -> dict[str, str]:
    running.database("bench_karrio")
    folder = running.url.partition("?host=")[2]
    if not folder:
        raise RuntimeError(
            "karrio is measured on the server from the wheel: unset TEST_DATABASE_URL."
        )
    return {
        "DATABASE_ENGINE": "postgresql",
        "DATABASE_HOST": folder,
        "DATABASE_NAME": "bench_karrio",
        "DATABASE_USERNAME": "postgres",
        "DATABASE_PASSWORD": "",
        "SECRET_KEY": "a-secret-for-benchmarks-0123456789",
        "DEBUG_MODE": "False",
        "USE_HTTPS": "False",
        "ALLOWED_HOSTS": "*",
        "DETACHED_WORKER": "True",
        "LOG_LEVEL": "WARNING",
        "WORK_DIR": home,
        "LOG_DIR": home,
        "HOME": home,
        "ANON_REQUEST_RATE_LIMIT": PAUSE,
        "USER_REQUEST_RATE_LIMIT": PAUSE,
        "CARRIER_REQUEST_RATE_LIMIT": PAUSE,
    }


def _prepared(environ: Mapping[str, str]) -> dict[str, Any]:
    """Migrate karrio's database and fill it; its token and the ids of its trackers."""
    together = {**os.environ, **environ}
    karrio = str(PYTHON.with_name("karrio"))
    subprocess.run([karrio, "migrate"], env=together, check=True, capture_output=True)
    made = subprocess.run(
        [str(PYTHON), "-m", "bench.karrio_seed"],
        input=json.dumps(events.tracker(1)),
        env=together,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return found


@contextmanager
def _karrio(environ: Mapping[str, str]) -> Iterator[Server]:
    """karrio's server as its own documentation starts it, with as many workers as the house."""
    port = free_port()
    command = [
        *(str(PYTHON), "-m", "gunicorn", "karrio.server.asgi:application"),
        *("-k", "karrio.server.workers.UvicornWorker", "-w", "2", "-b", f"127.0.0.1:{port}"),
        *("--no-control-socket", "--log-level", "error", "--timeout", "120"),
    ]
    process = subprocess.Popen(
        command,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(40)
