"""The large shop that benchmarks look at: rows that the product takes for its own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest

from bench import house
from bench.data import NotEmpty, fill, token_of
from carriers.contract import Scan, Status
from portal import clock, create_app
from portal.config import read_settings
from portal.db import db, inside, session, writing
from portal.keys import digest
from portal.models import Link, Order, Shipment, StoredScan
from portal.models.scan import COLUMNS
from tests.conftest import shop_id

ORDERS = 60


@pytest.fixture(scope="module")
def filled(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("large") / house.FILE
    path.write_bytes(migrated_sqlite.read_bytes())
    fill(f"sqlite:///{path}", ORDERS)
    return f"sqlite:///{path}"


def test_every_order_opens_as_a_page_and_they_stand_at_different_places(filled: str) -> None:
    app = create_app(read_settings(house.environ_at(filled)))
    client = app.test_client()
    for n in range(ORDERS):
        answer = client.get(f"/t/{token_of(n)}", base_url=f"https://{house.HOST}")
        assert answer.status_code == 200, n
        assert str(1_000_000 + n) in answer.text
    with app.app_context(), inside(shop_id("fern")):
        statuses = Counter(session.scalars(db.select(Order.status)))
        assert statuses["delivered"] > ORDERS / 2
        assert len(statuses) > 1
        assert Link.of(session.scalars(db.select(Order.id).limit(1)).one())  # can be shown again


def test_an_answer_that_is_known_adds_nothing(filled: str) -> None:
    app = create_app(read_settings(house.environ_at(filled)))
    with app.app_context(), inside(shop_id("fern")), writing():
        for scan in session.scalars(db.select(StoredScan)):
            said = {name: getattr(scan, name) for name in COLUMNS}
            assert Scan(**{**said, "status": Status(scan.status)}).key() == scan.key
        for shipment in session.scalars(db.select(Shipment)):
            assert not shipment.problem
            assert shipment.reread(clock.now()) is False


def test_everything_refers_to_what_is_there(filled: str) -> None:
    raw = sqlite.connect(filled.removeprefix("sqlite:///"))
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    digests = {row[0] for row in raw.execute("SELECT token_digest FROM link")}
    assert digests == {digest(token_of(n)) for n in range(ORDERS)}
    for text in raw.execute("SELECT facts FROM message"):
        assert json.loads(text[0])["number"].startswith("100")
    words = raw.execute("SELECT count(*) FROM audit_entry WHERE after LIKE '%700000000007%'")
    assert words.fetchone() == (0,)
    raw.close()


def test_a_shop_that_has_orders_is_left_alone(filled: str) -> None:
    with pytest.raises(NotEmpty):
        fill(filled, 1)


@pytest.mark.db
@pytest.mark.long
def test_postgresql_gets_the_same_rows(fresh_postgres: str) -> None:
    fill(fresh_postgres, ORDERS)
    app = create_app(read_settings(house.environ_at(fresh_postgres)))
    client = app.test_client()
    for n in range(0, ORDERS, 7):
        answer = client.get(f"/t/{token_of(n)}", base_url=f"https://{house.HOST}")
        assert answer.status_code == 200
    with app.app_context(), inside(shop_id("fern")):
        with writing():  # the next id is free
            Link.renew(session.scalars(db.select(Order.id).limit(1)).one(), clock.now())
        session.remove()
        db.engine.dispose()
