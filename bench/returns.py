"""A return asked for, decided and approved: its statements, and its CPU against plain rows.

The reference does the least that any such call must, through SQLAlchemy Core on the same SQLite
file: it reads the order with its lines and units, and writes a return with its decision, its line,
its units and two audit rows, in one transaction. Both take the same orders in turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, event, insert, select

from bench.measure import ROUNDS, in_turns, result
from portal import clock, create_app
from portal.config import read_settings
from portal.db import db, inside, new_id, session, writing
from portal.migrations import upgrade
from portal.models import Order, OrderLine, Shipment, Shop
from portal.models.line import Unit
from portal.models.rma_facts import Asked
from portal.models.rma_request import order_to_change, request_return
from portal.sources.document import OrderDocument

A_ROUND: Final = 60
ORDERS: Final = A_ROUND * (ROUNDS + 1) + 2
MOST_STATEMENTS: Final = 10
QUIET: Final = ("PRAGMA", "BEGIN")
LINE: Final = {
    "sku": "TEE-M",
    "title": "Shirt",
    "category": "Shirts",
    "quantity": 3,
    "unit_price_minor": 2_000,
    "tax_minor": 958,
    "tax_included": True,
}

DECISION: Final = {
    "outcome": "approve",
    "verdicts": [{"rule": f"rule-{n}", "verdict": "passes", "values": {}} for n in range(10)],
}
UNIT_ID = Unit.id.label("wanted_unit")

BARE = MetaData()
RETURNS = Table(
    "bench_return",
    BARE,
    Column("id", String, primary_key=True),
    Column("order_id", String, index=True),
    Column("status", String),
    Column("decision", JSON),
)
LINES = Table(
    "bench_line",
    BARE,
    Column("id", String, primary_key=True),
    Column("return_id", String, index=True),
    Column("sku", String),
    Column("quantity", Integer),
)
UNITS = Table(
    "bench_unit", BARE, Column("unit_id", Integer, primary_key=True), Column("line_id", String)
)
AUDIT = Table(
    "bench_audit",
    BARE,
    Column("id", Integer, primary_key=True),
    Column("subject", String),
    Column("told", JSON),
)


def run() -> list[dict[str, Any]]:
    """Two lines: CPU per return as a ratio to plain rows, statements as one to the most allowed."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(
            read_settings(
                {
                    "SECRET_KEY": "a-secret-for-benchmarks-0123456789abcdef",
                    "BASE_URL": "https://returns.example.com",
                    "DATABASE_URL": f"sqlite:///{Path(home) / 'porchlight.db'}",
                }
            )
        )
        with app.app_context():
            upgrade()
            with writing():
                BARE.create_all(session.connection())
            shop_id, orders = _fill()
            with inside(shop_id):
                lines = _measured(orders)
            session.remove()
            db.engine.dispose()
    return lines


def _measured(orders: list[str]) -> list[dict[str, Any]]:
    mine, plain = iter(orders), iter(orders)
    _ask(next(mine))  # reads the policy's document, once in a process
    statements = _statements(lambda: _ask(next(mine)))
    figures = in_turns({"house": lambda: _cpu(_ask, mine), "plain": lambda: _cpu(_plain, plain)})
    told = (
        f"plain rows read and written on the same file in the same run: {figures['plain']:.0f} us"
    )
    return [
        result("return_approved", figures["house"], figures["plain"], "us_cpu_per_return", told),
        result(
            "return_approved_statements",
            statements,
            MOST_STATEMENTS,
            "statements",
            f"at most {MOST_STATEMENTS} SQL statements",
        ),
    ]


def _cpu(act: Callable[[str], None], orders: Iterator[str]) -> float:
    """Microseconds of CPU per return, over a round's orders."""
    began = time.process_time()
    for _ in range(A_ROUND):
        act(next(orders))
    return (time.process_time() - began) / A_ROUND * 1e6


def _statements(act: Callable[[], None]) -> int:
    """How many statements an act sends; the rows of one INSERT count once."""
    seen: list[str] = []

    def see(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith(QUIET) and statement not in seen[-1:]:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", see)
    act()
    event.remove(db.engine, "before_cursor_execute", see)
    return len(seen)


def _ask(order_id: str) -> None:
    with writing():
        now = clock.now()
        order = order_to_change(order_id, now)
        if order is None:
            raise RuntimeError(f"Order {order_id} is not there.")
        asked = [Asked.of("TEE-M", 2, "too_small")]
        rma = request_return(order, asked, "api", "token:bench", now)
        if rma.status != "approved":
            raise RuntimeError(f"The return is {rma.status}, not approved.")


def _plain(order_id: str) -> None:
    with writing():
        connection = session.connection()
        rows = connection.execute(
            select(Order.__table__, OrderLine.__table__, Unit.__table__, UNIT_ID)
            .join_from(Order.__table__, OrderLine.__table__, OrderLine.order_id == Order.id)
            .join(Unit.__table__, Unit.line_id == OrderLine.id)
            .where(Order.id == order_id)
        ).all()
        return_id, line_id = new_id("ret", clock.now()), new_id("rln", clock.now())
        told = {"id": return_id, "order_id": order_id, "status": "approved"}
        connection.execute(insert(RETURNS), [{**told, "decision": DECISION}])
        line = {"id": line_id, "return_id": return_id, "sku": "TEE-M", "quantity": 2}
        connection.execute(insert(LINES), [line])
        units = [{"unit_id": row.wanted_unit, "line_id": line_id} for row in rows[:2]]
        connection.execute(insert(UNITS), units)
        connection.execute(insert(AUDIT), [{"subject": return_id, "told": told}] * 2)


def _fill() -> tuple[int, list[str]]:
    """A shop with its delivered orders; gives the shop's id and the orders'."""
    now = clock.now()
    with writing():
        shop = Shop(slug="fern", name="Fern & Fable", theme="fern", is_default=True)
        shop.moves_to("https://returns.example.com")
        session.add(shop)
        session.flush()
        shop_id = shop.id
    with inside(shop_id), writing():
        return shop_id, [_order(n, now) for n in range(ORDERS)]


def _order(n: int, now: datetime) -> str:
    posted = {
        "number": str(10_000 + n),
        "email": f"customer{n}@mail.example",
        "placed_at": (now - timedelta(days=6)).isoformat(),
        "currency": "USD",
        "shipping_address": {"name": "Ada", "city": "Austin", "region": "TX", "country": "US"},
        "lines": [LINE],
        "payment": {"provider": "stripe", "reference": f"pi_{n}", "captured_minor": 6_000},
        "shipments": [{"carrier": "UPS", "tracking_number": f"1Z5R89W3031{n:07}"}],
    }
    order, _ = Order.upsert(OrderDocument.model_validate(posted), now - timedelta(days=6))
    session.flush()
    for parcel in session.query(Shipment).where(Shipment.order_id == order.id):
        parcel.status, parcel.delivered_at = "delivered", now - timedelta(days=3)
        parcel.shipped_at = now - timedelta(days=5)
    order.settle_status(now)
    return order.id
