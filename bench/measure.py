"""How figures are taken: server processes of their own, CPU from /proc, rounds in turns."""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 7
PATIENCE_S = 180  # the first answer waits for the workers to start
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running server process tree and where it listens."""

    pid: int
    port: int
    database_pid: int | None = None  # of a database server whose work counts as well

    def cpu_seconds(self) -> float:
        """User and system time of the whole tree so far, ended children included."""
        roots = [self.pid, *([self.database_pid] if self.database_pid else [])]
        return sum(_cpu(pid) for root in roots for pid in _tree(root))


@contextmanager
def serving(
    target: str,
    environ: Mapping[str, str],
    workers: int = 1,
    threads: int = 4,
    database_pid: int | None = None,
    port: int | None = None,
) -> Iterator[Server]:
    """Serve a WSGI app (`module:app`) with gunicorn's threads, as the product does."""
    port = port or free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", target, "-b", f"127.0.0.1:{port}"),
        *("-k", "gthread", "-w", str(workers), "--threads", str(threads), "--no-control-socket"),
        *("--log-level", "error"),
    ]
    told = {**os.environ, **environ}
    process = subprocess.Popen(command, env=told, stdout=subprocess.DEVNULL)  # its log
    try:
        wait_for(port, process)
        yield Server(process.pid, port, database_pid)
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_per_request(
    server: Server,
    paths: Sequence[str],
    headers: Mapping[str, str],
    wanted: int = 200,
    body: bytes | None = None,
) -> float:
    """Server CPU in microseconds per request, over all `paths` on one kept connection.

    A `body` is posted; without one the paths are read.
    """
    method = "GET" if body is None else "POST"
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    before = server.cpu_seconds()
    for path in paths:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        answer.read()
        if answer.status != wanted:
            raise RuntimeError(f"{path} answered {answer.status}, not {wanted}")
    connection.close()
    return (server.cpu_seconds() - before) / len(paths) * 1e6


class Medians(dict[str, float]):
    """The median of each case, and how far its rounds lay apart."""

    spread: dict[str, tuple[float, float]]  # least and most


def in_turns(cases: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> Medians:
    """The median of each case over rounds that are run in turns; one round warms up."""
    seen: dict[str, list[float]] = {name: [] for name in cases}
    for n in range(rounds + 1):
        for name, measure in cases.items():
            figure = measure()
            if n:
                seen[name].append(figure)
    medians = Medians({name: statistics.median(figures) for name, figures in seen.items()})
    medians.spread = {name: (min(figures), max(figures)) for name, figures in seen.items()}
    return medians


def result(
    name: str, value: float, reference: float, unit: str, told: str, **more: Any
) -> dict[str, Any]:
    """One benchmark's line: `ratio` is the value over the reference, both of this run."""
    return {
        "bench": name,
        "ratio": round(value / reference, 3),
        "reference": told,
        "value": round(value, 1),
        "unit": unit,
        "runs": ROUNDS,
        **more,
    }


def compared(
    name: str,
    medians: Medians,
    pair: tuple[str, str],
    unit: str,
    told: str,
    *,
    goal: float,
    **more: Any,
) -> dict[str, Any]:
    """The line of one case against another of the same rounds. The goal: a ratio of at most that.

    `spread` holds the least and the most of the case, then of its reference.
    """
    case, reference = pair
    spread = [round(each, 1) for one in pair for each in medians.spread[one]]
    line = result(name, medians[case], medians[reference], unit, told, spread=spread, **more)
    return line | {"goal": goal, "met": line["ratio"] <= goal}


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / TICK


def _tree(pid: int) -> list[int]:
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children += [int(child) for child in task.read_text().split()]
    return [pid, *(grand for child in children for grand in _tree(child))]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server listens. Raises RuntimeError where it does not within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server under measurement did not start.")
