"""The schema: up and down, empty and with data, and never other than the models say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, select

from portal import create_app
from portal.db import Base, db, inside, session, writing
from portal.migrations import downgrade, schema_is_current, upgrade
from portal.models import Order, Shop
from portal.sources.document import OrderDocument
from tests.cli.conftest import Run
from tests.conftest import settings_for

ORDER = {
    "number": "1001",
    "email": "ann@example.com",
    "placed_at": "2026-05-04T09:30:00+02:00",
    "currency": "EUR",
    "lines": [{"sku": "A", "title": "Lamp", "quantity": 2, "unit_price_minor": 1050}],
    "shipments": [{"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}],
}


@pytest.fixture
def house(database_url: str) -> Iterator[Flask]:
    app = create_app(settings_for(database_url))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


def tables() -> set[str]:
    session.remove()
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_end_in_what_the_models_say(house: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_an_empty_house_goes_down_to_nothing_and_up_again(house: Flask) -> None:
    everything = tables()
    downgrade("base")
    assert tables() == set()
    assert not schema_is_current()
    upgrade()
    assert tables() == everything == set(Base.metadata.tables)
    assert schema_is_current()


def test_a_house_with_orders_goes_down_and_up_without_an_error(house: Flask) -> None:
    with writing():
        shop = Shop(slug="fern", name="Fern", origin="http://fern.localhost", host="fern.localhost")
        session.add(shop)
        session.flush()
        shop_id = shop.id
    with inside(shop_id), writing():
        document = OrderDocument.model_validate(ORDER)
        Order.upsert(document, document.placed_at)
    downgrade("base")
    assert tables() == set()
    upgrade()
    assert session.scalars(select(Shop)).all() == []


def test_migrate_makes_a_house_out_of_nothing_and_may_run_again(
    run: Run, house: Flask, environ: dict[str, str]
) -> None:
    downgrade("base")
    for _ in range(2):
        done = run("migrate")
        assert done.exit_code == 0
        assert done.output == "The schema is up to date.\n"
    assert tables() == set(Base.metadata.tables)
