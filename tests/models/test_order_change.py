"""What open pages are told from: a row for each new version, whoever raised it."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import select, update

from portal import clock
from portal.db import db, every_shop, inside, migrating, session, writing
from portal.migrations import note_changes
from portal.models import Change, Order
from portal.models.order_change import Changed, changes_after, forget_changes, newest_change
from portal.models.rma_request import order_to_change
from tests.conftest import shop_id
from tests.pages.orders import placed


def told(last: int = 0) -> list[Changed]:
    with every_shop():
        return changes_after(last)


def test_every_way_to_raise_a_version_is_noted_with_its_transaction(any_app: Flask) -> None:
    order_id = placed()
    mine = shop_id("fern")
    with every_shop():
        before = newest_change()
    with inside(mine), writing():
        order = session.get_one(Order, order_id)
        order.touch(clock.now())
        version = order.version
    with inside(mine), writing():
        order_to_change(order_id, clock.now())
        session.execute(update(Order).values(version=Order.version + 1))
    with inside(mine), writing():
        order_to_change(order_id, clock.now())
        session.rollback()
    with inside(mine), writing():
        session.get_one(Order, order_id).email = "ann@example.com"  # no page shows it
    assert [each[1:] for each in told(before)] == [
        (mine, order_id, version + more) for more in range(3)
    ]


def test_what_is_long_told_is_forgotten_and_its_ids_are_not_used_again(any_app: Flask) -> None:
    order_id = placed()
    with inside(shop_id("fern")), writing():
        order_to_change(order_id, clock.now())
    with every_shop():
        last = newest_change()
        assert last > 0
        with writing():
            forget_changes(clock.now())
        assert newest_change() == last
        with writing():
            forget_changes(clock.now() + timedelta(hours=2))
        assert newest_change() == 0
    with inside(shop_id("fern")), writing():
        order_to_change(order_id, clock.now())
        assert session.scalars(select(Change.order_id)).all() == [order_id]
    assert [each.order_id for each in told(last)] == [order_id]


def test_a_table_that_was_made_anew_is_watched_again(app: Flask) -> None:
    order_id = placed()
    with migrating() as connection:
        connection.exec_driver_sql("DROP TRIGGER note_change")
        note_changes(connection)
    with every_shop():
        before = newest_change()
    with inside(shop_id("fern")), writing():
        order_to_change(order_id, clock.now())
    assert len(told(before)) == 1
    assert db.engine.dialect.name == "sqlite"
