"""One shop at a time, closed by default: every table of a shop, in every kind of statement."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import (
    Column,
    DateTime,
    Select,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import aliased, selectinload
from sqlalchemy.types import JSON, Date, LargeBinary, TypeDecorator

from portal.db import Base, every_shop, insert_into, insert_new, inside, migrating, session, writing
from portal.models import Customer, Order, OrderLine, Shop
from portal.standing import Standing
from portal.tenancy import OfShop, WrongShop, scoped, shop_in_scope
from tests.conftest import DATABASES, running_app, shop_id

MODELS = sorted(
    (m.class_ for m in Base.registry.mappers if issubclass(m.class_, OfShop)),
    key=lambda model: model.__name__,
)
TABLES = [model.__table__ for model in MODELS]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


# --- a row of every table in both shops ---------------------------------------------------------


def stocked(_app: Flask) -> tuple[int, int]:
    """One row of each table for fern and for volta; gives the ids of the shops.

    They are looked at, not followed: what their foreign keys name need not exist.
    """
    fern, volta = shop_id("fern"), shop_id("volta")
    session.rollback()
    with migrating() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))  # no foreign keys
        for table in TABLES:
            connection.execute(delete(table))
            for shop in (fern, volta):
                values = {column.name: _value(column, shop) for column in table.columns}
                connection.execute(insert(table).values(values))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = DEFAULT"))
        connection.commit()
    return fern, volta


def _value(column: Column[Any], shop: int) -> Any:
    if column.name == "shop_id":
        return shop
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, JSON):
        return {}
    if isinstance(kind, LargeBinary):
        return b"x"
    if isinstance(kind, DateTime):
        return NOW
    if isinstance(kind, Date):
        return date(2026, 11, 22)
    word = f"s{shop}"[-(getattr(kind, "length", None) or 99) :]
    made = {int: shop, bool: False, str: word, float: 1.0}
    return made[kind.python_type]


# --- the statements -----------------------------------------------------------------------------

Asks = Callable[[Any], Select[Any]]


def _selects(model: Any) -> Iterator[tuple[str, Select[Any]]]:
    """Statements that give one shop id a row they see."""
    other = aliased(model)
    mine = select(model.shop_id)
    subquery, cte = mine.subquery(), mine.cte()
    yield "column", mine
    yield "expression", select(model.shop_id + 0)
    yield "aliased", select(other.shop_id)
    yield "aliased by name", select(aliased(model, name="x").shop_id)
    yield "subquery", select(subquery.c.shop_id)
    yield "cte", select(cte.c.shop_id)
    yield "nested", select(select(subquery).subquery().c.shop_id)
    yield "scalar subquery", select(select(func.max(model.shop_id)).scalar_subquery())
    yield "union", union_all(mine, select(other.shop_id))
    yield "union within", select(union_all(mine, mine).subquery().c.shop_id)
    yield "alias of a subquery", select(aliased(model, subquery).shop_id)
    above, below = other.shop_id >= model.shop_id, other.shop_id <= model.shop_id
    yield "self join", select(other.shop_id).join(model, above)
    yield "self join, the other", select(model.shop_id).join(other, below)
    newest = select(func.max(other.shop_id)).where(above).correlate(model).scalar_subquery()
    yield "correlated", select(newest).select_from(model)
    yield "join from the shop", select(model.shop_id).join_from(Shop, model)
    yield "outer join", select(model.shop_id).select_from(Shop).outerjoin(model)
    yield "join in where", select(Shop.id).where(model.shop_id == Shop.id)
    yield "in", select(Shop.id).where(Shop.id.in_(mine))
    yield "exists", select(Shop.id).where(exists().where(model.shop_id == Shop.id))
    yield "exists of a select", select(Shop.id).where(mine.where(model.shop_id == Shop.id).exists())
    yield "any", select(Shop.id).where(Shop.id == func.coalesce(mine.limit(1).scalar_subquery(), 0))
    yield "where alone", select(literal(1) * func.max(model.shop_id))
    yield "grouped", select(func.min(model.shop_id)).group_by(model.shop_id)
    yield "ordered, limited", mine.order_by(model.shop_id.desc()).limit(5)
    highest = func.first_value(model.shop_id).over(order_by=model.shop_id.desc())
    yield "window", select(highest).select_from(model)


def _counts(model: Any) -> Iterator[tuple[str, int]]:
    """How many rows each kind of other statement sees, or would change."""
    yield "entities", len(session.scalars(select(model)).all())
    yield "query", session.query(model).count()
    yield "count", session.scalar(select(func.count()).select_from(model)) or 0
    yield "count where", session.scalar(select(func.count()).where(model.shop_id > 0)) or 0
    yield "literal where", len(session.execute(select(literal(1)).where(model.shop_id > 0)).all())


def seen(model: Any) -> dict[str, set[int]]:
    return {
        name: {found for found in session.scalars(statement) if found}
        for name, statement in _selects(model)
    }


@pytest.fixture(scope="module", params=DATABASES)
def shops(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Both shops' ids; all tests look at the same rows and change none."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("tenancy") / "porchlight.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        opened = nullcontext(f"sqlite:///{path}")
    else:
        opened = request.getfixturevalue("spare").lent()
    with opened as url:
        for app in running_app(url):
            yield stocked(app)


def walked() -> list[Any]:
    """Every table of a shop; on PostgreSQL a few: the statements are made by the same code."""
    return MODELS if session.get_bind().dialect.name == "sqlite" else MODELS[::8]


# --- what holds ---------------------------------------------------------------------------------


def test_the_walk_is_over_every_table(shops: tuple[int, int]) -> None:
    assert len(MODELS) > 15
    with every_shop():
        for model in walked():
            assert seen(model)["column"] == set(shops), model


def test_each_statement_on_each_table_sees_one_shop(shops: tuple[int, int]) -> None:
    for shop in shops:
        with inside(shop):
            for model in walked():
                for name, found in seen(model).items():
                    assert found == {shop}, (model.__name__, name)
                for name, count in _counts(model):
                    assert count == 1, (model.__name__, name)


def test_without_a_shop_nothing_is_seen(shops: tuple[int, int]) -> None:
    for model in walked():
        for name, found in seen(model).items():
            assert found == set(), (model.__name__, name)
        for name, count in _counts(model):
            assert count == 0, (model.__name__, name)


def test_a_standing_statement_sees_the_shop_that_is_in_scope_when_it_is_asked(
    shops: tuple[int, int],
) -> None:
    for model in walked():
        for name, statement in _selects(model):
            standing = Standing(statement)
            for scope, expected in (
                *((inside(shop), shop) for shop in shops),
                (nullcontext(), None),
                (every_shop(), None),
            ):
                with scope:
                    row = standing.first()
                    # An outer join may begin with a shop that has no row to show.
                    shown = {expected, None} if name == "outer join" else {expected}
                    assert (row[0] if row else None) in shown, (model.__name__, name)


def test_updates_and_deletes_stay_in_the_shop(shops: tuple[int, int]) -> None:
    for model in walked():
        key = model.__mapper__.primary_key[0].name
        same = {key: getattr(model, key)}
        for name, statement in (
            ("update", update(model).values(same)),
            ("update where", update(model).where(model.shop_id > 0).values(same)),
            ("update exists", update(model).where(exists(select(Shop.id))).values(same)),
            ("delete", delete(model)),
            ("delete where", delete(model).where(model.shop_id.in_(select(Shop.id)))),
        ):
            assert undone(statement) == 0, (model.__name__, name)
            with inside(shops[0]):
                assert undone(statement) == 1, (model.__name__, name)
    with every_shop():
        assert all(seen(model)["column"] == set(shops) for model in walked())


def undone(statement: Any) -> int:
    """How many rows the statement changes; they are changed back."""
    with writing():
        # What the rows lead to is of no interest here.
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        local = "SET LOCAL session_replication_role = replica"
        session.execute(text("PRAGMA defer_foreign_keys = ON" if is_sqlite else local))
        result = session.execute(statement, execution_options={"synchronize_session": False})
        session.rollback()
    return int(result.rowcount)


def test_a_row_of_another_shop_is_not_got_by_its_key(shops: tuple[int, int]) -> None:
    fern, volta = shops
    with every_shop():
        keys = {
            model: session.execute(
                select(*model.__mapper__.primary_key).where(model.shop_id == volta)
            ).one()
            for model in walked()
        }
    for model, key in keys.items():
        for scope in (inside(fern), nullcontext()):
            with scope:
                assert session.get(model, tuple(key)) is None, model
        with inside(volta):
            assert session.get(model, tuple(key)) is not None, model


def test_inserts_carry_the_shop_in_scope_or_are_refused(shops: tuple[int, int]) -> None:
    fern, volta = shops
    for model in walked():
        for scope, rows in (
            (inside(fern), [{"shop_id": volta}]),
            (inside(fern), [{"shop_id": fern}, {"shop_id": volta}]),
            (inside(fern), [{}]),
            (nullcontext(), [{"shop_id": fern}]),
        ):
            with scope, pytest.raises(WrongShop), writing():
                session.execute(insert(model), rows)
        for statement in (
            insert(model).values(shop_id=fern),
            insert_into(model).values(shop_id=volta),
            insert(model).from_select(["shop_id"], select(Shop.id)),
        ):
            with inside(fern), pytest.raises(WrongShop), writing():
                session.execute(statement)


def test_objects_are_stamped_and_those_of_others_refused(shops: tuple[int, int]) -> None:
    fern, volta = shops
    with inside(fern), writing():
        made = Customer(email="n", email_key="n")
        session.add(made)
        session.flush()
        assert made.shop_id == fern
        session.rollback()
    with pytest.raises(WrongShop), inside(fern), writing():
        session.add(Customer(email="n", email_key="m", shop_id=volta))
    with pytest.raises(WrongShop), writing():
        session.add(Customer(email="n", email_key="o", shop_id=fern))
    with every_shop():
        theirs = session.scalars(select(Customer).where(Customer.shop_id == volta)).one()
        with scoped(fern):
            theirs.phone = "1"
            with pytest.raises(WrongShop):
                session.flush()


def test_what_an_object_leads_to_is_loaded_within_the_shop(shops: tuple[int, int]) -> None:
    fern, volta = shops
    with every_shop():
        order = session.scalars(select(Order).where(Order.shop_id == volta)).one()
        session.execute(
            select(OrderLine.shop_id).where(OrderLine.order_id == order.id)
        ).one()  # its line is there
        with scoped(fern):
            assert order.lines == []
            session.expire(order, ["lines"])
            assert order.lines == []
        with scoped(volta):
            session.expire(order, ["lines"])
            assert len(order.lines) == 1
    with inside(fern):
        loaded = session.scalars(select(Order).options(selectinload(Order.lines))).one()
        assert {line.shop_id for line in loaded.lines} == {fern}


def test_a_bare_table_is_refused_inside_a_shop_and_outside(shops: tuple[int, int]) -> None:
    for table in TABLES:
        for shop in (shops[0], 0):
            for statement in (
                select(table.c.shop_id),
                select(func.count()).select_from(table),
                select(literal(1)).where(exists().where(table.c.shop_id > 0)),
                select(table.alias().c.shop_id),
                select(Shop.__table__.c.id).join(table, table.c.shop_id == Shop.__table__.c.id),
                select(func.max(table.c.shop_id).over()),
                update(table).values(shop_id=1),
                delete(table),
            ):
                with scoped(shop), pytest.raises(WrongShop):
                    session.execute(statement)


def test_a_class_seen_only_through_a_window_is_refused(shops: tuple[int, int]) -> None:
    for model in walked():
        with inside(shops[0]), pytest.raises(WrongShop):
            session.execute(select(func.max(model.shop_id).over()))


def test_new_rows_take_the_shop_in_scope_whatever_they_claim(shops: tuple[int, int]) -> None:
    fern, _ = shops
    with pytest.raises(WrongShop), inside(fern), writing():
        insert_new(Customer, [{"shop_id": shops[1], "email": "a", "email_key": "a"}], ["id"])


def test_scopes_end_where_they_began(shops: tuple[int, int]) -> None:
    fern, _ = shops
    with inside(fern):
        assert shop_in_scope() == fern
        with every_shop():
            assert shop_in_scope() == -1
        assert shop_in_scope() == fern
    with pytest.raises(ZeroDivisionError), inside(fern):
        _ = 1 / 0
    assert shop_in_scope() == 0
