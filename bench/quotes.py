"""A quote for protection against bare JSON routes that read the same and write as much.

The quote's route reads the plan in force, prices a cart of three lines, signs the quote and says
all that must be read before choosing. It is held against a route of the house that lets in the same
caller and does nothing of that (at least 0.6 of its rate is wanted), and against bare Flask, which
has neither shops nor tokens. All run on gunicorn's threads; compared is the server's CPU.
"""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench.measure import Server, cpu_per_request, in_turns, result, serving
from portal import clock, create_app
from portal.config import read_settings
from portal.db import db, inside, session, writing
from portal.demo.plans import PLANS
from portal.migrations import upgrade
from portal.models import ApiToken, PlanVersion, Shop

A_ROUND: Final = 300
HOST: Final = "track.example.com"
PATH: Final = "/api/v1/protection/quotes"
CART: Final = {
    "currency": "USD",
    "country": "US",
    "lines": [
        {"sku": "TEAPOT", "quantity": 1, "unit_price_minor": 5_800, "category": "Stoneware"},
        {"sku": "MUG", "quantity": 4, "unit_price_minor": 1_900, "category": "Stoneware"},
        {"sku": "OLIVE", "quantity": 1, "unit_price_minor": 4_200, "discount_minor": 420},
    ],
    "shipping_minor": 490,
}
BODY: Final = json.dumps(CART).encode()


def run() -> list[dict[str, Any]]:
    """Two lines: `ratio` is the quote's rate over that of a bare route."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        environ = {
            "SECRET_KEY": "a-secret-for-benchmarks-0123456789abcdef",
            "BASE_URL": f"https://{HOST}",
            "DATABASE_URL": f"sqlite:///{Path(home) / 'porchlight.db'}",
        }
        ask = {
            "Host": HOST,
            "Content-Type": "application/json",
            "Authorization": f"Bearer {_fill(environ)}",
            "Accept-Language": "en-US",
        }
        house = stack.enter_context(serving("wsgi:app", environ))
        size = len(_answer(house, PATH, ask))
        filled = environ | {"BENCH_BYTES": str(size - len('{"filling":""}\n'))}
        empty = stack.enter_context(serving("bench.bare_house:app", filled))
        flask = stack.enter_context(serving("bench.bare:app", {}))
        filling = size - len(_answer(flask, f"{PATH}?filling=0", ask))
        return _measured(
            {
                "quote": (house, PATH),
                "house": (empty, "/api/v1/bare"),
                "flask": (flask, f"{PATH}?filling={max(0, filling)}"),
            },
            ask,
            size,
        )


def _measured(
    cases: dict[str, tuple[Server, str]], ask: dict[str, str], size: int
) -> list[dict[str, Any]]:
    def measure(server: Server, path: str) -> Callable[[], float]:
        return lambda: cpu_per_request(server, [path] * A_ROUND, ask, body=BODY)

    figures = in_turns({name: measure(*case) for name, case in cases.items()})
    # Rates are the inverse of CPU: the slower the quote, the smaller the ratio.
    rates = {name: 1e6 / figure for name, figure in figures.items()}
    told = {
        "house": f"a bare JSON route of the same house, same token, {size} bytes",
        "flask": f"a bare JSON route of Flask without shop or token, {size} bytes",
    }
    return [
        result(f"protection_quote_rate_{name}", rates["quote"], rates[name], "per_cpu_s", text)
        for name, text in told.items()
    ]


def _answer(server: Server, path: str, ask: dict[str, str]) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", path, body=BODY, headers=ask)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {told[:200]!r}")
    return told


def _fill(environ: dict[str, str]) -> str:
    """Make a shop that sells protection; gives a token for it."""
    app = create_app(read_settings(environ))
    with app.app_context():
        upgrade()
        with writing():
            shop = Shop(slug="fern", name="Fern & Fable", theme="fern", is_default=True)
            shop.moves_to(environ["BASE_URL"])
            session.add(shop)
            session.flush()
            shop_id = shop.id
        with inside(shop_id), writing():
            PlanVersion.publish(PLANS["fern"], "bench", clock.now())
            made, secret = ApiToken.make(["protection"], [])
            session.add(made)
        session.remove()
        db.engine.dispose()
    return secret
