"""Whose rows may be seen: one shop at a time, closed by default.

Every table that belongs to a shop is an `OfShop`. A filter adds `shop_id = …` to every ORM-enabled
statement; with no shop in scope it matches nothing. Jobs that look for work in all shops pass the
one named door, `every_shop`, and then step `inside` the shop whose work they found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ForeignKey, Join, Select, Table, event
from sqlalchemy.orm import (
    LoaderCriteriaOption,
    Mapped,
    ORMExecuteState,
    Session,
    UOWTransaction,
    declared_attr,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.visitors import ExternallyTraversible

NO_SHOP = 0
EVERY_SHOP = -1

_scope: ContextVar[int] = ContextVar("shop", default=NO_SHOP)


class WrongShop(Exception):
    """A row of one shop was about to be written from inside another."""


class OfShop:
    """Mixin of every table whose rows belong to a shop. `shop_id` is stamped at flush."""

    @declared_attr
    def shop_id(cls) -> Mapped[int]:  # noqa: N805 - SQLAlchemy calls it with the class
        return mapped_column(ForeignKey("shop.id", ondelete="CASCADE"), nullable=False)


def shop_in_scope() -> int:
    """The id of the shop whose rows are visible; NO_SHOP or EVERY_SHOP otherwise."""
    return _scope.get()


@contextmanager
def scoped(shop_id: int) -> Iterator[None]:
    """Show the rows of one shop. `portal.db.inside` also empties the session: use that."""
    token = _scope.set(shop_id)
    try:
        yield
    finally:
        _scope.reset(token)


def guard(session_factory: type[Session]) -> None:
    """Install the filter and the check at flush on every session of this class."""
    event.listen(session_factory, "do_orm_execute", _only_this_shop)
    event.listen(session_factory, "before_flush", _stamp)


def _only_this_shop(state: ORMExecuteState) -> None:
    """Add `shop_id = …` to every ORM statement. With no shop in scope nothing matches."""
    mine = _scope.get()
    if not state.is_orm_statement and mine != EVERY_SHOP:
        _refuse_bare_tables(state)
    if state.is_insert:
        _refuse_unstamped(state, mine)
        return
    if mine == EVERY_SHOP:
        return
    state.statement = state.statement.options(_filter(mine))


@lru_cache(maxsize=1024)
def _filter(mine: int) -> LoaderCriteriaOption:
    # Without include_aliases the criteria would pass over aliased entities.
    return with_loader_criteria(OfShop, lambda cls: cls.shop_id == mine, include_aliases=True)


def _refuse_bare_tables(state: ORMExecuteState) -> None:
    """The filter works on mapped classes; a statement on their tables would pass it by.

    So would one whose only mention of a class is where SQLAlchemy does not see it, such as within
    a window function. What is inside it as a select on classes is filtered as any other.
    """
    for part in visitors.iterate(cast(ExternallyTraversible, state.statement)):
        if getattr(part, "_propagate_attrs", None):
            continue
        if isinstance(part, Select):
            sources: list[Any] = list(part.get_final_froms())
        else:
            sources = [part.table] if isinstance(part, UpdateBase) else []
        for table in sources:
            if any(isinstance(t, Table) and "shop_id" in t.c for t in _bare(table)):
                raise WrongShop(f"Ask for the class, not for its table: {table}.")


def _bare(source: Any) -> Iterator[Any]:
    """The tables a FROM names itself, through joins and aliases."""
    if isinstance(source, Join):
        yield from _bare(source.left)
        yield from _bare(source.right)
    else:
        yield getattr(source, "element", source)


def _refuse_unstamped(state: ORMExecuteState, mine: int) -> None:
    mapper = state.bind_mapper
    if mine == EVERY_SHOP or mapper is None or not issubclass(mapper.class_, OfShop):
        return
    parameters = state.parameters or []
    rows = [parameters] if isinstance(parameters, Mapping) else list(parameters)
    if not rows or any(row.get("shop_id") != mine for row in rows):
        raise WrongShop(f"A bulk insert into {mapper.class_.__name__} must carry this shop's id.")


def _stamp(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Give new rows the shop in scope; refuse to touch a row of another one."""
    mine = _scope.get()
    for row in session.new:
        if isinstance(row, OfShop) and row.shop_id is None and mine > 0:
            row.shop_id = mine
    if mine == EVERY_SHOP:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, OfShop) and row.shop_id != mine:
            raise WrongShop(f"{type(row).__name__} of shop {row.shop_id}, written inside {mine}.")
