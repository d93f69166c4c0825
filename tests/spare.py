"""PostgreSQL databases that are emptied and used again: making one takes half a second."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, text

from portal import create_app
from portal.db import db, session
from portal.migrations import upgrade
from tests.postgres import RUN

Run = Callable[[str], Any]
SHAPE = """
SELECT md5(string_agg(concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull), ','
                      ORDER BY attrelid::regclass::text, attnum))
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""
# Without its triggers (`replica`) a table's rows go in any order, whatever refers to them.
EMPTY = """
DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT quote_ident(relname) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
  LOOP
    EXECUTE 'DELETE FROM ' || name;
  END LOOP;
  PERFORM setval(oid::regclass, 1, false) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""
LEAVE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@contextmanager
def connected(url: str) -> Iterator[Run]:
    """Run statements one by one, each committed at once."""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        yield lambda statement: connection.execute(text(statement))
    engine.dispose()


def named(server: str, name: str) -> str:
    """The URL of a database of a server."""
    return server.replace("/postgres?", f"/{name}?")


class Spare:
    """The databases of one worker that no test is using."""

    def __init__(self, server: str, settings: Callable[[str], Any]) -> None:
        self.server, self.settings = server, settings
        self.free: list[str] = []
        self.made: list[str] = []
        self.template = ""
        self.shape = ""

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of an empty, migrated database until the end.

        One whose tables were changed meanwhile is not lent again.
        """
        name = self.free.pop() if self.free else self.new()
        yield named(self.server, name)
        with connected(named(self.server, name)) as run:
            run(LEAVE)
            if run(SHAPE).scalar() != self.shape:
                return
            run(EMPTY)
        self.free.append(name)

    def new(self) -> str:
        """Copy one more database from the template."""
        template = self.template or self._migrated()
        name = f"test_{secrets.token_hex(6)}"
        with connected(self.server) as run:
            run(f"CREATE DATABASE {name} TEMPLATE {template}")
        self.made.append(name)
        return name

    def drop(self) -> None:
        """Leave nothing behind on a server that is not ours."""
        with connected(self.server) as run:
            for name in self.made:
                run(f"DROP DATABASE {name} WITH (FORCE)")

    def _migrated(self) -> str:
        """The name of the template, made by the first worker that asks."""
        self.template = f"template_{RUN}"
        with connected(self.server) as run:
            run("SELECT pg_advisory_lock(1)")  # until the connection closes
            if self.template not in run("SELECT datname FROM pg_database").scalars().all():
                run(f"CREATE DATABASE {self.template}")
                migrate(self.settings(named(self.server, self.template)))
        with connected(named(self.server, self.template)) as run:
            self.shape = run(SHAPE).scalar()
            run("SELECT pg_advisory_unlock_all()")
        return self.template


def migrate(settings: Any) -> None:
    """Bring a database to the newest schema and let go of it."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
        session.remove()
        db.engine.dispose()
