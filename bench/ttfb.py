"""Until the first byte of a tracking page in a house of fifty thousand orders, most of them new.

Every page is asked for once, so that none is kept; the reference is a page of the same server
that looks at nothing.
"""

from __future__ import annotations

import http.client
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.data import fill, token_of
from bench.house import ASK, environ_in
from bench.measure import ROUNDS, Server, serving

ORDERS = 50_000
ASKED = 200  # pages a round
BARE = "/healthz"


def run() -> list[dict[str, Any]]:
    """One line: the 95th percentile, in milliseconds, and how many bare ones go into it."""
    with tempfile.TemporaryDirectory() as home:
        environ = environ_in(Path(home))
        fill(environ["DATABASE_URL"], ORDERS)
        pages = iter([f"/t/{token_of(n)}" for n in random.Random(3).sample(range(ORDERS), ORDERS)])
        with serving("wsgi:app", environ) as house:
            rounds = [
                (_p95(house, [next(pages) for _ in range(ASKED)]), _p95(house, [BARE] * ASKED))
                for _ in range(ROUNDS + 1)
            ][1:]
    value = statistics.median(page for page, _ in rounds)
    reference = statistics.median(bare for _, bare in rounds)
    return [
        {
            "bench": "tracking_first_byte_p95",
            "ratio": round(value / reference, 3),
            "reference": f"{BARE} of the same server in the same run, {reference:.1f} ms",
            "value": round(value, 1),
            "unit": "ms",
            "runs": ROUNDS,
        }
    ]


def _p95(server: Server, paths: list[str]) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    took = []
    for path in paths:
        began = time.perf_counter()
        connection.request("GET", path, headers=ASK)
        answer = connection.getresponse()  # its head is here, and with it the first byte
        took.append((time.perf_counter() - began) * 1e3)
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
    connection.close()
    return statistics.quantiles(took, n=20)[18]
