"""The queue's page with a hundred open items and with ten thousand, on the same server.

What is compared is the server's CPU per request, of the list that opens first and of the list of
everything, each with its fifty oldest rows and the counts of all lists.
"""

from __future__ import annotations

import http.client
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert

from bench.house import HOST, environ_in, opened
from bench.measure import Server, cpu_per_request, in_turns, result, serving
from portal import clock
from portal.db import inside, new_id, session, writing
from portal.keys import digest, new_token
from portal.models import Order, OrderLine, Return, ReturnLine
from portal.models.staff import Staff

FEW, MANY = 100, 10_000
REQUESTS = 12
PASSWORD = "seven green umbrellas"
LISTS = {"first": "/staff/queue", "everything": "/staff/queue?view=all"}
FORM = "application/x-www-form-urlencoded"


def run() -> list[dict[str, Any]]:
    """Two lines: the list that opens first, and the one of everything."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        cases: dict[str, Callable[[], float]] = {}
        for size, count in (("few", FEW), ("many", MANY)):
            folder = Path(home) / size
            folder.mkdir()
            server, asked = stack.enter_context(_desk(folder, count))
            for which, path in LISTS.items():
                cases[which + size] = partial(cpu_per_request, server, [path] * REQUESTS, asked)
        figures = in_turns(cases)
        told = f"the same page with {FEW} open items in the same run"
        unit = "us_cpu_per_request"
        return [
            result(f"queue_{which}", figures[f"{which}many"], figures[f"{which}few"], unit, told)
            for which in LISTS
        ]


@contextmanager
def _desk(home: Path, count: int) -> Iterator[tuple[Server, dict[str, str]]]:
    """A house with so many open returns, and the headers of somebody who is signed in to it."""
    environ = environ_in(home)
    with opened(environ) as shop_id, inside(shop_id), writing():
        _fill(shop_id, count)
        _, token = Staff.invite("dana@example.com", "agent", clock.now())
    with serving("wsgi:app", environ) as server:
        yield server, {"Host": HOST, "Cookie": _signed_in(server, f"/staff/invitation/{token}")}


def _fill(shop_id: int, count: int) -> None:
    now = clock.now()
    ids = [(new_id("ord", now), new_id("ret", now)) for _ in range(count)]
    _insert(Order, shop_id, [_order(n, order, now) for n, (order, _) in enumerate(ids)])
    _insert(OrderLine, shop_id, [_line(n, order) for n, (order, _) in enumerate(ids)])
    asked = [_return(n, order, rma, now) for n, (order, rma) in enumerate(ids)]
    _insert(Return, shop_id, asked)
    _insert(ReturnLine, shop_id, [_return_line(n, rma, now) for n, (_, rma) in enumerate(ids)])


def _insert(model: Any, shop_id: int, rows: list[dict[str, Any]]) -> None:
    # Past the session, which would look at each row.
    session.connection().execute(
        insert(model.__table__), [{"shop_id": shop_id, **row} for row in rows]
    )


def _order(n: int, order_id: str, now: datetime) -> dict[str, Any]:
    email = f"customer{n}@mail.example"
    return {
        "id": order_id,
        "number": str(10_000 + n),
        "number_key": str(10_000 + n),
        "email": email,
        "email_key": email,
        "placed_at": now - timedelta(days=5),
        "currency": "USD",
        "status": "delivered",
        "address": {"name": f"Customer {n}", "city": "Austin", "country": "US"},
    }


def _line(n: int, order_id: str) -> dict[str, Any]:
    return {
        "id": n + 1,
        "order_id": order_id,
        "position": 0,
        "sku": f"SKU-{n % 50}",
        "title": "Olive tree in a clay pot",
        "quantity": 1,
        "unit_price_minor": 4900,
    }


def _return(n: int, order_id: str, rma_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": rma_id,
        "number": f"{10_000 + n}-R1",
        "order_id": order_id,
        "currency": "USD",
        "status": "requested",
        "outcome": "review",
        "quoted": {"refund": {"total_minor": 4_900}},
        "worth_minor": 4_900,
        "token_digest": digest(new_token()),
        "token_sealed": "",
        "requested_at": now - timedelta(seconds=n),
    }


def _return_line(n: int, rma_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": f"{rma_id}-1",
        "rma_id": rma_id,
        "line_id": n + 1,
        "position": 0,
        "sku": f"SKU-{n % 50}",
        "title": "Olive tree in a clay pot",
        "quantity": 1,
        "reason": "other",
        "resolution": "refund",
        "outcome": "review",
        "decision": {},
        "facts": {},
        "decided_at": now,
    }


def _signed_in(server: Server, path: str) -> str:
    """The cookie of whoever accepts an invitation."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers={"Host": HOST})
    page = connection.getresponse()
    cookie = (page.headers["Set-Cookie"] or "").partition(";")[0]
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    if token is None:
        raise RuntimeError("The invitation shows no form.")
    typed = urlencode({"csrf_token": token[1], "name": "Dana", "password": PASSWORD})
    headers = {"Host": HOST, "Cookie": cookie, "Content-Type": FORM}
    connection.request("POST", path, typed, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 303:
        raise RuntimeError(f"Signing in answered {answer.status}.")
    return (answer.headers["Set-Cookie"] or cookie).partition(";")[0]
