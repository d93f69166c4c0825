"""A shop of any size, made by one command: `python -m bench.data --orders 1000000 --database URL`.

A few hundred orders are written by the product itself (`bench.stories`), from 200 days ago until
now; each is then copied many times under ids, numbers and links of its own, past the product, in
one transaction a story. Memory holds one story and its copies, however many orders there are.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import random
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import psycopg
import pysqlite3.dbapi2 as sqlite
from sqlalchemy import select

from bench import house
from bench.journeys import number_of
from bench.stories import COPIED, EMAIL, NUMBER, Story, Teller, integer_key, telling
from portal import clock
from portal.db import Base, every_shop, session
from portal.keys import digest, seal
from portal.models import Order

SPAN: Final = timedelta(days=200)  # within which links live; the more recent, the more orders
COPIES: Final = 500  # of a story; at most 1,000 and at least 20 stories
FIRST: Final = 1_000_000  # the number of the first order
ALPHABET: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)
PREFIXES: Final = {"customer": "cus", "orders": "ord", "shipment": "shp", "message": "msg"}


class NotEmpty(Exception):
    """The database holds orders already: nothing is added to what is somebody's."""


def token_of(n: int) -> str:
    """The token of the n-th order's link: known to benchmarks, so that they can open any page."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"bench:{n}".encode()).digest()[:18]).decode()


def fill(database_url: str, orders: int) -> int:
    """Bring an empty database to the newest schema and fill it; how many rows that were.

    Raises NotEmpty where there are orders.
    """
    with house.opened(house.environ_at(database_url)) as shop_id, every_shop():
        if session.scalar(select(Order.id).limit(1)) is not None:
            raise NotEmpty(f"{database_url} holds orders already. Name an empty database.")
    stories = min(orders, 1_000, max(20, orders // COPIES))
    rows, now = 0, clock.now()
    with telling() as teller, _writer(database_url) as writer:
        first = 0
        for n in range(stories):
            until = orders * (n + 1) // stories
            story = teller.tell(n, _placed(n, stories, now), now)
            rows += writer.copy(story, range(first, until), shop_id)
            first = until
    return rows


def _placed(n: int, stories: int, now: datetime) -> datetime:
    """When the n-th story begins, the oldest first."""
    share = 1 - (n + 0.5) / stories
    return now - SPAN * share**2


# --- copies -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mould:
    """One row of a story, and what is different in each copy of it."""

    values: tuple[Any, ...]
    texts: tuple[tuple[int, str], ...]  # columns that hold names of the story, as templates
    ids: tuple[tuple[int, int], ...]  # columns that hold a counted id, as its first value

    def rows(self, copies: Iterable[Mapping[str, str]]) -> Iterator[list[Any]]:
        """The row of each copy."""
        for n, names in enumerate(copies):
            row = list(self.values)
            for column, template in self.texts:
                row[column] = template % names
            for column, start in self.ids:
                row[column] = start + n
            yield row


class Writer:
    """Copies stories into one database. What a kind of database does its own way is below."""

    def __init__(self) -> None:
        self._next = {model.__table__.name: 1 for model in COPIED if integer_key(model)}

    def copy(self, story: Story, numbers: range, shop_id: int) -> int:
        """Write a copy of the story for each of these orders; how many rows that were."""
        copies = [_names(story, n) for n in numbers]
        known, starts = _known(story), self._starts(story, len(copies))
        written = 0
        for model in COPIED:
            table, columns = model.__table__.name, _columns(model)
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

    def write(
        self, table: str, columns: tuple[str, ...], mould: Mould, copies: list[dict[str, str]]
    ) -> None:
        """Write one row of each copy."""
        raise NotImplementedError

    def commit(self) -> None:
        """Keep what was written."""
        raise NotImplementedError


class SqliteWriter(Writer):
    """One big transaction a story, without waiting for the disk: an empty file is soon made again."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._raw = sqlite.connect(path, isolation_level=None)
        for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-200000"):
            self._raw.execute(f"PRAGMA {pragma}")
        self._raw.execute("BEGIN IMMEDIATE")

    def __enter__(self) -> SqliteWriter:
        return self

    def write(
        self, table: str, columns: tuple[str, ...], mould: Mould, copies: list[dict[str, str]]
    ) -> None:
        """Many rows by one statement."""
        places = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
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
        self, table: str, columns: tuple[str, ...], mould: Mould, copies: list[dict[str, str]]
    ) -> None:
        """Many rows by one COPY."""
        told = Mould(tuple(map(_copied, mould.values)), mould.texts, mould.ids)
        lines = ("\t".join(map(str, row)) for row in told.rows(copies))
        with self._raw.cursor() as cursor:
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
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


def _copied(value: Any) -> str:
    """A value as COPY takes it."""
    if value is None:
        return r"\N"
    text = str(value).replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _writer(database_url: str) -> SqliteWriter | PostgresWriter:
    if database_url.startswith("sqlite:///"):
        return SqliteWriter(database_url.removeprefix("sqlite:///"))
    return PostgresWriter(database_url)


@cache
def _columns(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in model.__table__.columns)


@cache
def _references(model: type[Base]) -> dict[str, str]:
    """The columns that hold a counted id, and of which table: its own, and what it refers to."""
    found = {"id": model.__table__.name} if integer_key(model) else {}
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
    known: list[tuple[str, str]],
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
    if model.__table__.name == "link":
        texts += [(columns.index(f"token_{name}"), f"%({name})s") for name in ("digest", "sealed")]
    return Mould(tuple(row[column] for column in columns), tuple(texts), tuple(ids))


def _template(value: str, known: list[tuple[str, str]]) -> str:
    """The value with the story's names as places to fill in; "" where it holds none."""
    made = value.replace("%", "%%")
    for text, name in known:
        made = made.replace(text, f"%({name})s")
    return made if "%(" in made else ""


def _known(story: Story) -> list[tuple[str, str]]:
    """What a copy calls otherwise: each text of the story, and the name of what takes its place."""
    found = [(NUMBER, "number"), (EMAIL, "email")]
    for table, prefix in PREFIXES.items():
        found += [(each, f"{prefix}{n}") for n, each in enumerate(story.ids(table))]
    for n, row in enumerate(story.tables["shipment"]):
        found.append((row["number_key"], f"tracking{n}"))
        if row["provider_id"]:
            found.append((row["provider_id"], f"tracker{n}"))
    return found


def _names(story: Story, n: int) -> dict[str, str]:
    """What the copy for the n-th order is called, and all that belongs to it."""
    token = token_of(n)
    names = {
        "number": str(FIRST + n),
        "email": f"customer{n}@mail.example",
        "digest": digest(token),
        "sealed": seal(token),
    }
    for table, prefix in PREFIXES.items():
        for place, each in enumerate(story.ids(table)):
            # The time at the front of an id stays, so that rows lie as they came.
            names[f"{prefix}{place}"] = each[:14] + _random_end()
    for place, carrier in enumerate(story.carriers):
        serial = 10 * (FIRST + n) + place
        names[f"tracking{place}"] = number_of(carrier, serial)
        names[f"tracker{place}"] = f"trk_{serial:032x}"
    return names


def _random_end() -> str:
    return base64.b32encode(random.randbytes(10)).translate(ALPHABET).decode()


# --- the command --------------------------------------------------------------------------------


def main() -> None:
    """Make the data and say what was made, how long it took and how much memory."""
    parser = argparse.ArgumentParser(prog="python -m bench.data", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--database", required=True, help="sqlite:///FILE or postgresql://…")
    asked = parser.parse_args()
    began = time.perf_counter()
    try:
        rows = fill(asked.database, asked.orders)
    except NotEmpty as refused:
        sys.exit(str(refused))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{asked.orders} orders in {rows} rows, {time.perf_counter() - began:.0f} s, "
        f"at most {peak:.0f} MiB of memory.\n"
        f"The newest one's page: /t/{token_of(asked.orders - 1)} on the host {house.HOST}, "
        f"under SECRET_KEY={house.environ_at('')['SECRET_KEY']}"
    )


if __name__ == "__main__":
    main()
