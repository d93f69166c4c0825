"""Copies of a story, written past the product: by big transactions on SQLite, by COPY elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
import pysqlite3.dbapi2 as sqlite

from bench.stories import COPIED, Story, integer_key
from portal.db import Base

Names = dict[str, str]  # what takes the place of a story's names in one copy


@dataclass(frozen=True)
class Mould:
    """One row of a story, and what is different in each copy of it."""

    values: tuple[Any, ...]
    texts: tuple[tuple[int, str], ...]  # columns that hold names of the story, as templates
    ids: tuple[tuple[int, int], ...]  # columns that hold a counted id, as its first value

    def rows(self, copies: Iterable[Names]) -> Iterator[list[Any]]:
        """The row of each copy."""
        for n, names in enumerate(copies):
            row = list(self.values)
            for column, template in self.texts:
                row[column] = template % names
            for column, start in self.ids:
                row[column] = start + n
            yield row


class Writer(ABC):
    """Copies stories into one database. What a kind of database does its own way is below."""

    def __init__(self) -> None:
        self._next = {model.__tablename__: 1 for model in COPIED if integer_key(model)}

    def copy(
        self, story: Story, known: Sequence[tuple[str, str]], copies: Sequence[Names], shop_id: int
    ) -> int:
        """Write a copy of the story under each of these names; how many rows that were.

        `known` gives each text of the story that a copy says otherwise, and which name it is.
        """
        starts = self._starts(story, len(copies))
        written = 0
        for model in COPIED:
            table, columns = model.__tablename__, _columns(model)
            for row in story.tables[table]:
                mould = _mould(model, columns, {**row, "shop_id": shop_id}, known, starts)
                self.write(table, columns, mould, copies)
                written += len(copies)
        self.commit()
        return written

    def _starts(self, story: Story, copies: int) -> dict[str, dict[int, int]]:
        """For every counted id of the story the first of its copies' ids.

        What one row became lies together, as rows do that came at one time from many orders.
        """
        starts: dict[str, dict[int, int]] = {}
        for table, start in self._next.items():
            ids = story.ids(table)
            starts[table] = {each: start + n * copies for n, each in enumerate(ids)}
            self._next[table] += len(ids) * copies
        return starts

    @abstractmethod
    def write(
        self, table: str, columns: tuple[str, ...], mould: Mould, copies: Sequence[Names]
    ) -> None:
        """Write one row of each copy."""

    @abstractmethod
    def commit(self) -> None:
        """Keep what was written."""


class SqliteWriter(Writer):
    """One big transaction a story, without waiting for the disk: a file is soon made again."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._raw = sqlite.connect(path, isolation_level=None)
        for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-200000"):
            self._raw.execute(f"PRAGMA {pragma}")
        self._raw.execute("BEGIN IMMEDIATE")

    def __enter__(self) -> SqliteWriter:
        return self

    def write(
        self, table: str, columns: tuple[str, ...], mould: Mould, copies: Sequence[Names]
    ) -> None:
        """Many rows by one statement."""
        places = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({_quoted(columns)}) VALUES ({places})"  # noqa: S608
        self._raw.executemany(insert, mould.rows(copies))

    def commit(self) -> None:
        """Keep what was written and begin again."""
        self._raw.execute("COMMIT")
        self._raw.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_failure: object) -> None:
        self._raw.execute("ROLLBACK" if _failure[0] else "COMMIT")
        self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._raw.close()


class PostgresWriter(Writer):
    """COPY, without triggers: every row refers to one that is there."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._raw = psycopg.connect(url, options="-c timezone=UTC -c synchronous_commit=off")
        self._raw.execute("SET session_replication_role = replica")

    def __enter__(self) -> PostgresWriter:
        return self

    def write(
        self, table: str, columns: tuple[str, ...], mould: Mould, copies: Sequence[Names]
    ) -> None:
        """Many rows by one COPY."""
        told = Mould(tuple(map(_copied, mould.values)), mould.texts, mould.ids)
        lines = ("\t".join(map(str, row)) for row in told.rows(copies))
        wanted = f"COPY {table} ({_quoted(columns)}) FROM STDIN"
        with self._raw.cursor() as cursor, cursor.copy(wanted) as copy:
            copy.write("\n".join(lines) + "\n")

    def commit(self) -> None:
        """Keep what was written."""
        self._raw.commit()

    def __exit__(self, *_failure: object) -> None:
        if _failure[0] is None:
            for table, following in self._next.items():
                self._raw.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, following)
                )
            self._raw.commit()
            self._raw.autocommit = True
            self._raw.execute("VACUUM ANALYZE")
        self._raw.close()


def _quoted(columns: Sequence[str]) -> str:
    """Column names in quotes: some of them are words of SQL."""
    return ", ".join(f'"{column}"' for column in columns)


def _copied(value: Any) -> str:
    """A value as COPY takes it."""
    if value is None:
        return r"\N"
    text = str(value).replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def writer_into(database_url: str) -> SqliteWriter | PostgresWriter:
    """Who writes into this database."""
    if database_url.startswith("sqlite:///"):
        return SqliteWriter(database_url.removeprefix("sqlite:///"))
    return PostgresWriter(database_url)


@cache
def _columns(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in model.__table__.columns)


@cache
def _references(model: type[Base]) -> dict[str, str]:
    """The columns that hold a counted id, and of which table: its own, and what it refers to."""
    found = {"id": model.__tablename__} if integer_key(model) else {}
    for column in model.__table__.columns:
        for key in column.foreign_keys:
            if key.column.name == "id" and key.column.type.python_type is int:
                found[column.name] = key.column.table.name
    found.pop("shop_id", None)
    return found


def _mould(
    model: type[Base],
    columns: tuple[str, ...],
    row: Mapping[str, Any],
    known: Sequence[tuple[str, str]],
    starts: Mapping[str, Mapping[int, int]],
) -> Mould:
    references = _references(model)
    texts, ids = [], []
    for place, column in enumerate(columns):
        value = row[column]
        if column in references and value is not None:
            ids.append((place, starts[references[column]][value]))
        elif isinstance(value, str) and (template := _template(value, known)):
            texts.append((place, template))
    if model.__tablename__ == "link":
        texts += [(columns.index(f"token_{name}"), f"%({name})s") for name in ("digest", "sealed")]
    return Mould(tuple(row[column] for column in columns), tuple(texts), tuple(ids))


def _template(value: str, known: Sequence[tuple[str, str]]) -> str:
    """The value with the story's names as places to fill in; "" where it holds none."""
    made = value.replace("%", "%%")
    for text, name in known:
        made = made.replace(text, f"%({name})s")
    return made if "%(" in made else ""
