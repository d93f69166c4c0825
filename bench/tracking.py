"""The tracking page against a bare Flask page of equal size: kept, asked again, and made anew.

The database is SQLite with five thousand orders of twenty scans, the server is gunicorn's threads
for both, and what is compared is the server's CPU per request.
"""

from __future__ import annotations

import http.client
import tempfile
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.measure import Server, cpu_per_request, in_turns, result, serving
from portal import clock, create_app
from portal.config import read_settings
from portal.db import db, inside, new_id, session, writing
from portal.keys import digest, new_token
from portal.migrations import upgrade
from portal.models import Link, Order, OrderLine, Shipment, ShipmentLine, Shop, StoredScan

ORDERS = 5_000
SCANS = 20
WARM = 500  # requests a round for a page that is kept
COLD = 200  # and for pages that are not: each is asked for once in the whole run
HOST = "track.example.com"
ASK = {"Host": HOST, "Accept-Encoding": "gzip", "Accept-Language": "en-US"}
STORY = ("pre_transit", "in_transit", "in_transit", "in_transit", "out_for_delivery")


def run() -> list[dict[str, Any]]:
    """Three lines: the kept page, a 304, and the page that is not kept yet."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        environ = environ_in(Path(home))
        pages = [f"/t/{token}" for token in fill(environ)]
        house = stack.enter_context(serving("wsgi:app", environ))
        size, tag = _first(house, pages[0])
        bare = stack.enter_context(serving("bench.bare:app", {"BENCH_BYTES": str(size)}))
        return _measured(house, bare, pages, size, tag)


def _measured(
    house: Server, bare: Server, pages: list[str], size: int, tag: str
) -> list[dict[str, Any]]:
    kept = [pages[0]] * WARM
    fresh = iter(pages[1:])
    known = ASK | {"If-None-Match": tag}
    figures = in_turns(
        {
            "bare": lambda: cpu_per_request(bare, kept, ASK),
            "kept": lambda: cpu_per_request(house, kept, ASK),
            "again": lambda: cpu_per_request(house, kept, known, 304),
            "cold": lambda: cpu_per_request(house, [next(fresh) for _ in range(COLD)], ASK),
        }
    )
    told = f"a bare Flask page of {size} bytes on the same server in the same run"
    return [
        result(f"tracking_page_{name}", figures[name], figures["bare"], "us_cpu_per_request", told)
        for name in ("kept", "again", "cold")
    ]


def _first(house: Server, page: str) -> tuple[int, str]:
    """The packed size of the page, and its ETag."""
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
    connection.request("GET", page, headers=ASK)
    answer = connection.getresponse()
    size, tag = len(answer.read()), answer.headers["ETag"]
    connection.close()
    return size, tag


# --- the database -------------------------------------------------------------------------------


def environ_in(home: Path) -> dict[str, str]:
    """Settings of a house with its database in this folder."""
    return {
        "SECRET_KEY": "a-secret-for-benchmarks-0123456789abcdef",
        "BASE_URL": f"https://{HOST}",
        "DATABASE_URL": f"sqlite:///{home / 'porchlight.db'}",
    }


def fill(environ: dict[str, str], orders: int = ORDERS, scans: int = SCANS) -> list[str]:
    """Make a shop with its orders of so many scans each; gives the tokens of their links."""
    app = create_app(read_settings(environ))
    with app.app_context():
        upgrade()
        with writing():
            shop = Shop(slug="fern", name="Fern & Fable", theme="fern", is_default=True)
            shop.moves_to(environ["BASE_URL"])
            session.add(shop)
            session.flush()
            shop_id = shop.id
        tokens = [new_token() for _ in range(orders)]
        for start in range(0, orders, ORDERS):
            with inside(shop_id), writing():
                _orders(shop_id, tokens[start : start + ORDERS], start, scans)
        session.remove()
        db.engine.dispose()
    return tokens


def _orders(shop_id: int, tokens: list[str], start: int, scans: int) -> None:
    now = clock.now()
    ids = [(new_id("ord", now), new_id("shp", now)) for _ in tokens]
    counted = list(enumerate(ids, start))
    _insert(Order, shop_id, [_order(n, order, now) for n, (order, _) in counted])
    _insert(OrderLine, shop_id, [_line(n, order) for n, (order, _) in counted])
    _insert(Shipment, shop_id, [_shipment(n, *pair, now) for n, pair in counted])
    held = [{"shipment_id": s, "line_id": n + 1, "quantity": 1} for n, (_, s) in counted]
    _insert(ShipmentLine, shop_id, held)
    told = [_scan(n, scans, now) for n in range(scans)]
    _insert(StoredScan, shop_id, [{"shipment_id": s} | scan for _, s in ids for scan in told])
    links = [
        {"token_digest": digest(token), "order_id": order}
        for token, (order, _) in zip(tokens, ids, strict=True)
    ]
    _insert(Link, shop_id, links)


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
        "status": "shipped",
        "timezone": "America/Chicago",
        "address": {"city": "Austin", "region": "TX", "country": "US", "postcode": "78701"},
    }


def _line(n: int, order_id: str) -> dict[str, Any]:
    return {
        "id": n + 1,
        "order_id": order_id,
        "position": 0,
        "sku": f"SKU-{n % 50}",
        "title": "Olive tree in a clay pot",
        "variant": "small",
        "quantity": 1,
        "unit_price_minor": 4900,
    }


def _shipment(n: int, order_id: str, shipment_id: str, now: datetime) -> dict[str, Any]:
    number = f"9400110898825{n:09}"
    eta = (now + timedelta(days=1)).date()
    return {
        "id": shipment_id,
        "order_id": order_id,
        "carrier": "USPS",
        "carrier_code": "USPS",
        "tracking_number": number,
        "number_key": number,
        "shipped_at": now - timedelta(days=4),
        "status": "out_for_delivery",
        "eta_date": eta,
        "first_eta_date": eta,
        "last_scan_at": now - timedelta(hours=3),
        "checked_at": now - timedelta(minutes=10),
    }


def _scan(n: int, scans: int, now: datetime) -> dict[str, Any]:
    return {
        "key": f"scan-{n}",
        "at": now - timedelta(hours=3 + 4 * (scans - 1 - n)),
        "offset_minutes": -360,
        "status": STORY[n * len(STORY) // scans],
        "message": f"Processed at facility {n}",
        "city": f"Town {n}",
        "region": "TX",
        "country": "US",
        "raw": {"datetime": str(n)},
    }
