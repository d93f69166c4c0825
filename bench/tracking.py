"""The tracking page against a bare Flask page of equal size: kept, asked again, and made anew.

What is compared is the server's CPU per request; both are served by gunicorn's threads. Pages that
are not kept are asked for once in the whole run, and are orders of a shop as `bench.data` makes it.
"""

from __future__ import annotations

import http.client
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.data import fill, token_of
from bench.house import ASK, environ_in
from bench.measure import Server, compared, cpu_per_request, in_turns, serving

ORDERS = 10_000
WARM = 500  # requests a round for a page that is kept
COLD = 200  # and for pages that are not


def run() -> list[dict[str, Any]]:
    """Three lines: the kept page, a 304, and the page that is not kept yet."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        environ = environ_in(Path(home))
        fill(environ["DATABASE_URL"], ORDERS)
        house = stack.enter_context(serving("wsgi:app", environ))
        pages = random.Random(1).sample([f"/t/{token_of(n)}" for n in range(ORDERS)], ORDERS)
        bare = stack.enter_context(bare_like(house, pages[:40]))
        return _measured(house, bare, pages[0], iter(pages[40:]))


def _measured(house: Server, bare: Server, page: str, fresh: Iterator[str]) -> list[dict[str, Any]]:
    kept = [page] * WARM
    known = ASK | {"If-None-Match": read_page(house, page)[1]}
    figures = in_turns(
        {
            "bare": lambda: cpu_per_request(bare, kept, ASK),
            "kept": lambda: cpu_per_request(house, kept, ASK),
            "again": lambda: cpu_per_request(house, kept, known, 304),
            "cold": lambda: cpu_per_request(house, [next(fresh) for _ in range(COLD)], ASK),
        }
    )
    told = "a bare Flask page of equal size on the same server in the same run"
    return [
        compared(
            f"tracking_page_{name}", figures, (name, "bare"), "us_cpu_per_request", told, goal=goal
        )
        for name, goal in (("kept", 1.6), ("again", 1.6), ("cold", 3.0))
    ]


def bare_like(house: Server, pages: list[str]) -> Any:
    """A server whose one page is as large as these are, packed, in the middle."""
    size = statistics.median_low(len(read_page(house, page)[0]) for page in pages)
    return serving("bench.bare:app", {"BENCH_BYTES": str(size)})


def read_page(house: Server, page: str) -> tuple[bytes, str]:
    """The packed page and its ETag."""
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
    connection.request("GET", page, headers=ASK)
    answer = connection.getresponse()
    body, tag = answer.read(), answer.headers["ETag"]
    connection.close()
    return body, tag
