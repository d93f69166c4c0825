"""Open pages: from a commit until they are told, what one costs, and what others feel of them.

A page is a raw connection to the stream of `porchlight live`, all read by one thread of this
process on the same machine. The latencies begin before the commit and end when the event is read.
"""

from __future__ import annotations

import http.client
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from bench import postgres
from bench.house import ASK, HOST, environ_at, environ_in, opened
from bench.measure import Server, compared, free_port, in_turns, result, wait_for
from portal import clock
from portal.db import inside, session, writing
from portal.live.streams import MOST_A_LINK
from portal.models import Link, Order
from portal.sources.document import OrderDocument

PAGES: Final = 100  # of one order, for the latency
CROWD: Final = 1_000  # of a hundred orders, for all else
EVENTS: Final = 40
PAUSE_S: Final = 0.1  # between two commits
ASKED: Final = 200  # ordinary pages a round
GOALS_MS: Final = {"sqlite": 75.0, "postgresql": 35.0}
GOAL_KIB: Final = 64.0


def run() -> list[dict[str, Any]]:
    """Latency on both databases, memory of a page, and ordinary pages beside a thousand open."""
    with tempfile.TemporaryDirectory() as home, postgres.running() as server:
        files = environ_in(Path(home))
        latencies = [
            _latency(files, "sqlite"),
            _latency(environ_at(server.database("live")), "postgresql"),
        ]
        return [*latencies, *_crowded(files)]


def _latency(environ: Mapping[str, str], kind: str) -> dict[str, Any]:
    took: list[float] = []
    with opened(environ) as shop_id, ExitStack() as stack:
        order_id, tokens = _order(shop_id, "latency", PAGES // MOST_A_LINK)
        live = stack.enter_context(_process(environ, "live"))
        pages = stack.enter_context(_open(live.port, tokens * MOST_A_LINK))
        for _ in range(EVENTS):
            with inside(shop_id), writing(synchronous="NORMAL"):
                session.get_one(Order, order_id).touch(clock.now())
                session.flush()
                began = time.perf_counter()
            took += [each - began for each in _told(pages)]
            time.sleep(PAUSE_S)
    p50, p95 = (statistics.quantiles(took, n=20)[at] * 1e3 for at in (9, 18))
    goal = GOALS_MS[kind]
    told = f"the goal of {goal:.0f} ms at the 95th percentile with {PAGES} pages"
    line = result(f"live_commit_to_page_{kind}", p95, goal, "ms", told, p50=round(p50, 1))
    return line | {"runs": EVENTS, "goal": 1.0, "met": p95 <= goal}


def _crowded(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    with opened(environ) as shop_id:
        orders = [_order(shop_id, f"crowd-{n}", 1)[1] for n in range(CROWD // MOST_A_LINK)]
    tokens = [token for order in orders for token in order] * MOST_A_LINK
    with _process(environ, "live") as live, _process(environ, "serve", "--workers", "1") as web:
        with _open(live.port, tokens[:100]):
            empty = _kib(live)
        with _open(live.port, tokens):
            each = (_kib(live) - empty) / (len(tokens) - 100)
        page = f"/t/{tokens[0]}"
        figures = in_turns(
            {
                "alone": lambda: _median_ms(web.port, page),
                "crowd": lambda: _with_open(live.port, tokens, web.port, page),
                "slots": lambda: _with_open(web.port, tokens[:20], web.port, page),
            }
        )
    told = f"the goal of {GOAL_KIB:.0f} KiB a page, {CROWD} of them open"
    alone = "the same page of the same process in the same run, with none open"
    pair = ("page_with_crowd", "crowd"), ("page_with_slots_taken", "slots")
    return [
        result("live_memory_of_a_page", each, GOAL_KIB, "KiB", told)
        | {"runs": 1, "goal": 1.0, "met": each <= GOAL_KIB},
        *(
            compared(f"live_{name}", figures, (case, "alone"), "ms", alone, goal=1.1)
            for name, case in pair
        ),
    ]


def _with_open(port: int, tokens: list[str], web: int, page: str) -> float:
    with _open(port, tokens):
        return _median_ms(web, page)


def _median_ms(port: int, page: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took = []
    for _ in range(ASKED):
        began = time.perf_counter()
        connection.request("GET", page, headers=ASK)
        connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1e3)
    connection.close()
    return statistics.median(took)


# --- processes and pages ------------------------------------------------------------------------


@contextmanager
def _process(environ: Mapping[str, str], *command: str) -> Iterator[Server]:
    port = free_port()
    line = [sys.executable, "-m", "portal.cli", *command, "--port", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(line, env=environ, stdout=quiet, stderr=quiet)
    try:
        wait_for(port, process)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _open(port: int, tokens: list[str]) -> Iterator[selectors.BaseSelector]:
    """So many pages that listen, or were told that there is no place for them."""
    with ExitStack() as stack:
        pages = stack.enter_context(selectors.DefaultSelector())
        for token in tokens:
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            asked = f"GET /events/{token}?since=1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
            line.sendall(asked.encode())
            if line.recv(16).split()[1] not in {b"200", b"204"}:
                raise RuntimeError("A page was refused.")
            pages.register(line, selectors.EVENT_READ)
        time.sleep(0.5)  # the rest of the first words
        for key, _ in pages.select(0):
            key.fileobj.recv(65536)  # type: ignore[union-attr]
        yield pages


def _told(pages: selectors.BaseSelector) -> list[float]:
    """When each page was told of one change. Raises RuntimeError when one is not."""
    at: dict[int, float] = {}
    while len(at) < len(pages.get_map()):
        ready = pages.select(10)
        if not ready:
            raise RuntimeError(f"{len(pages.get_map()) - len(at)} pages were told nothing.")
        for key, _ in ready:
            if b"data:" in key.fileobj.recv(65536):  # type: ignore[union-attr]
                at[key.fd] = time.perf_counter()
    return list(at.values())


def _kib(server: Server) -> float:
    """What the process holds in memory for itself."""
    found = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    return float(found.split("Pss:", 1)[1].split()[0])


def _order(shop_id: int, number: str, links: int) -> tuple[str, list[str]]:
    document = OrderDocument.model_validate(
        {
            "number": number,
            "currency": "EUR",
            "email": f"{number}@mail.example",
            "lines": [{"sku": "POT", "title": "Pot", "quantity": 1, "unit_price_minor": 900}],
            "shipments": [{"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}],
        }
    )
    with inside(shop_id), writing():
        order, _ = Order.upsert(document, clock.now())
        return order.id, [Link.issue(order.id) for _ in range(links)]
