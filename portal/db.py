"""The database: one base class, two kinds of session, and the only raw SQL outside the lease.

Reading is the default: the request's session runs a deferred transaction that cannot write.
`with writing():` opens the one writing transaction. On SQLite writers queue in front of the
database (a lock in the process, a lock file between processes), because SQLite's own busy handler
is unfair and its default transaction mode loses updates.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    FromClause,
    Integer,
    event,
    inspect,
)
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite as sl
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.orm import scoped_session as ScopedSession  # noqa: N812
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.schema import MetaData
from sqlalchemy.types import JSON, TypeDecorator

from portal.config import Settings
from portal.tenancy import EVERY_SHOP, guard, scoped, shop_in_scope
from portal.turns import WAIT_SECONDS, turn_at

# A WAL database can be corrupted by SQLite versions before this one (checkpoint race).
FIRST_SAFE_WAL = (3, 51, 3)
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in INTEGER keys
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, on databases with and without zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without zone: it would be read back as another one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every moment back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            datetime: UtcDateTime(),
            dict[str, Any]: JSON().with_variant(pg.JSONB(), "postgresql"),
            list[str]: JSON().with_variant(pg.JSONB(), "postgresql"),
            list[dict[str, Any]]: JSON().with_variant(pg.JSONB(), "postgresql"),
        },
    )


class ShopSession(FlaskSession):
    """A session that sees one shop."""


guard(ShopSession)
db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"class_": ShopSession})
session: ScopedSession[Session] = db.session  # type: ignore[assignment]

_mode: ContextVar[str] = ContextVar("mode", default="reading")


def new_id(prefix: str, at: datetime) -> str:
    """An id such as `ord_01k…`: 48 bits of time, so that new rows lie together, 80 random bits."""
    number = (int(at.timestamp() * 1000) << 80) | secrets.randbits(80)
    return prefix + "_" + "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def init_db(app: Flask, settings: Settings) -> None:
    """Connect the app to its database, with the manners of `portal.db` on every connection."""
    options: dict[str, Any] = {"pool_pre_ping": not settings.is_sqlite, "hide_parameters": True}
    uri = settings.database_url
    if settings.is_sqlite:
        settings.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
        options |= {"module": sqlite, "connect_args": {"timeout": WAIT_SECONDS}}
    else:
        uri = uri.replace("postgresql://", "postgresql+psycopg://", 1)
        options |= {"pool_size": 8, "max_overflow": 8, "pool_recycle": 1800}
        options |= {"connect_args": {"connect_timeout": int(WAIT_SECONDS)}}
    app.config |= {"SQLALCHEMY_DATABASE_URI": uri, "SQLALCHEMY_ENGINE_OPTIONS": options}
    db.init_app(app)
    with app.app_context():
        _teach(db.engine)


def _teach(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _connect_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _connect_postgresql)
        event.listen(engine, "begin", _begin_postgresql)


def _connect_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing: _begin_sqlite does
    cursor = connection.cursor()
    journal = "WAL" if sqlite.sqlite_version_info >= FIRST_SAFE_WAL else "DELETE"
    for pragma in (
        f"journal_mode={journal}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin as the mode in force says. A reading transaction can never be upgraded."""
    mode = _mode.get()
    if mode == "reading":
        # Straight to the driver: neither can fail for a lock, and every page begins so.
        only_query(connection.connection, True).execute("BEGIN")
        return
    only_query(connection.connection, False)
    connection.exec_driver_sql(f"PRAGMA synchronous={mode}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def only_query(held: PoolProxiedConnection, wanted: bool) -> Any:
    """The driver's connection to SQLite, which may read only, or write, from now on."""
    raw: Any = held.dbapi_connection
    if held.info.get("only_query") is not wanted:  # each time it is said, statements are lost
        raw.execute(f"PRAGMA query_only={'ON' if wanted else 'OFF'}")
        held.info["only_query"] = wanted
    return raw


def _connect_postgresql(connection: Any, _entry: ConnectionPoolEntry) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '30s'")
        cursor.execute("SET lock_timeout = '5s'")
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    driver.read_only = _mode.get() == "reading"


@contextmanager
def writing(synchronous: str = "FULL") -> Iterator[ScopedSession[Session]]:
    """The one writing transaction: commits at the end, rolls back on any exception.

    What was read before is read again inside, under the lock. `synchronous="NORMAL"` is for scans
    only: a power cut may lose the last of them, and the carrier is asked again.
    Raises Busy when the database stays locked, RuntimeError when writing already.
    """
    if is_writing():
        raise RuntimeError("writing() inside writing(): the outer one commits")
    session.rollback()
    with _lock():
        token = _mode.set(synchronous)
        try:
            session.connection()  # begins at once: the lock is held before the first read
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            _mode.reset(token)


@contextmanager
def _lock() -> Iterator[None]:
    """The one writer's place in front of SQLite; PostgreSQL needs none."""
    path = db.engine.url.database if db.engine.dialect.name == "sqlite" else None
    if path is None:
        yield
        return
    with turn_at(path):
        yield


def is_writing() -> bool:
    """Whether `with writing():` is open here."""
    return _mode.get() != "reading"


@contextmanager
def migrating() -> Iterator[Connection]:
    """A connection that may change the schema, alone: nobody writes meanwhile.

    SQLite rebuilds tables to alter them, so foreign keys rest meanwhile and are checked at the end.
    """
    with _lock():
        token = _mode.set("FULL")
        try:
            with db.engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    raw: Any = connection.connection.dbapi_connection
                    raw.execute("PRAGMA foreign_keys=OFF")
                try:
                    yield connection
                    connection.commit()
                finally:
                    connection.rollback()
                    if connection.dialect.name == "sqlite":
                        raw.execute("PRAGMA foreign_keys=ON")
        finally:
            _mode.reset(token)


@contextmanager
def inside(shop_id: int) -> Iterator[None]:
    """Step inside one shop with an empty session, so that nothing of another one is at hand."""
    session.remove()
    with scoped(shop_id):
        yield
    session.remove()


@contextmanager
def every_shop() -> Iterator[None]:
    """The one unscoped door: for claiming work, matching hooks and counting, never for pages."""
    session.remove()
    with scoped(EVERY_SHOP):
        yield
    session.remove()


def insert_into(model: type[Base] | FromClause) -> Any:
    """An INSERT of this database's own dialect, for `on_conflict_…`."""
    insert: Any = pg.insert if db.engine.dialect.name == "postgresql" else sl.insert
    return insert(model)


def insert_new(
    model: type[Base], rows: Iterable[Mapping[str, Any]], unique: list[str]
) -> list[Any]:
    """Insert the rows whose `unique` columns are not there yet; stamped with the shop in scope.

    Returns the primary keys of the rows that were new. One statement, safe under races.
    """
    stamped = [{"shop_id": shop_in_scope(), **row} for row in rows]
    if not stamped:
        return []
    statement = _inserting(db.engine.dialect.name, model, tuple(unique))
    return list(session.scalars(statement, stamped))


@lru_cache(maxsize=256)
def _inserting(_dialect: str, model: type[Base], unique: tuple[str, ...]) -> Any:
    """The statement of `insert_new`, built once for a kind of database."""
    key = inspect(model).primary_key[0]
    return insert_into(model).on_conflict_do_nothing(index_elements=unique).returning(key)


def sweep_up() -> bool:
    """Bring what was deleted out of SQLite's write-ahead log; False where a reader is in the way.

    Deleted rows are overwritten with zeros (`secure_delete`), but the log still holds old pages.
    """
    if db.engine.dialect.name != "sqlite":
        return True
    session.remove()
    with db.engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


def put_in_place(source: Path) -> None:
    """Let the content of another SQLite file take the place of ours, in one transaction."""
    session.remove()
    with _lock(), db.engine.connect() as connection:
        target: Any = connection.connection.dbapi_connection
        copy = sqlite.connect(source)
        try:
            copy.backup(target)
        finally:
            copy.close()


def sqlite_is_safe() -> bool:
    """Whether the SQLite in use may keep a write-ahead log with several processes."""
    return bool(sqlite.sqlite_version_info >= FIRST_SAFE_WAL)
