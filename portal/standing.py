"""Statements that stand: built once, with the filter of one shop in them, and asked many times.

A page that is asked for all day long pays more for building its statement and for the session's
way to the database than for the answer. These are put into words once for a kind of database and
go straight to its driver, at about a tenth of that.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Select, bindparam
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.pool import PoolProxiedConnection

from portal.db import db, is_writing, only_query, session
from portal.tenancy import NO_SHOP, OfShop, shop_in_scope

Processor = Callable[[Any], Any] | None

ONE_SHOP = with_loader_criteria(
    OfShop, lambda cls: cls.shop_id == bindparam("mine", NO_SHOP), include_aliases=True
)


class Standing:
    """A select on columns of mapped classes. It sees the shop in scope; without one, nothing."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement.options(ONE_SHOP)
        self._worded = lru_cache(maxsize=4)(self._in_words)

    def first(self, **given: Any) -> Any:
        """The first row, if any, with these values for the statement's `bindparam`s.

        A named tuple of its columns. Raises sqlalchemy.exc.OperationalError as a session would.
        """
        words = self._worded(db.engine.dialect.name, *given)
        found = _first_row(words.sql, words.values({**given, "mine": shop_in_scope()}))
        return None if found is None else words.row(found)

    def _in_words(self, _dialect: str, *given: str) -> Words:
        return _put(self._statement, (*given, "mine"), db.engine.dialect)


@dataclass(frozen=True, slots=True)
class Words:
    """A statement as one kind of database's driver takes it."""

    sql: str
    order: tuple[str, ...] | None  # the parameters by place; None where the driver takes names
    constants: dict[str, Any]
    given: dict[str, Processor]
    columns: tuple[Processor, ...]
    shape: Callable[..., Any]

    def values(self, given: dict[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        """The driver's parameters."""
        named = dict(self.constants)
        for name, process in self.given.items():
            named[name] = _made(process, given[name])
        return named if self.order is None else tuple([named[name] for name in self.order])

    def row(self, found: tuple[Any, ...]) -> Any:
        """A row as a session would give it."""
        return self.shape(
            *[_made(process, value) for process, value in zip(self.columns, found, strict=True)]
        )


def _put(statement: Select[*tuple[Any, ...]], given: tuple[str, ...], dialect: Dialect) -> Words:
    compiled = statement.compile(dialect=dialect)
    # Lists of constants are spelt out with values only: any will do for those that come later.
    told = compiled.construct_expanded_state(dict.fromkeys(given, ""))
    processors: dict[str, Processor] = {
        name: bound.type.dialect_impl(dialect).bind_processor(dialect)
        for name, bound in compiled.binds.items()
    } | dict(told.processors)
    columns = statement.selected_columns
    return Words(
        sql=told.statement,
        order=tuple(told.positiontup) if told.positiontup is not None else None,
        constants={
            name: _made(processors.get(name), value)
            for name, value in told.parameters.items()
            if name not in given
        },
        given={name: processors.get(name) for name in given},
        columns=tuple(_reader(column.type, dialect) for column in columns),
        shape=namedtuple("Found", columns.keys(), rename=True),
    )


def _made(process: Processor, value: Any) -> Any:
    return process(value) if process else value


def _reader(kind: Any, dialect: Dialect) -> Processor:
    found: Processor = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found


# --- past the session ---------------------------------------------------------------------------


def _first_row(sql: str, values: Sequence[Any] | Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row of one reading statement in the driver's own words, past the session.

    Within `writing()` it sees what was written there. Elsewhere it reads what is committed now,
    on a connection that is given back at once. Raises sqlalchemy.exc.OperationalError.
    """
    if is_writing():
        return _first(session.connection().connection, sql, values)
    held = db.engine.raw_connection()
    try:
        if db.engine.dialect.name == "sqlite":
            only_query(held, True)
        return _first(held, sql, values)
    finally:
        held.close()


def _first(
    held: PoolProxiedConnection, sql: str, values: Sequence[Any] | Mapping[str, Any]
) -> tuple[Any, ...] | None:
    raw: Any = held.dbapi_connection
    try:
        found: tuple[Any, ...] | None = raw.execute(sql, values).fetchone()
    except db.engine.dialect.loaded_dbapi.OperationalError as error:
        held.invalidate(error)
        raise OperationalError(sql, None, error, hide_parameters=True) from error
    return found
