"""A house of its own for each file here, served by a real process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import running_app


@pytest.fixture(scope="module")
def own_url(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated SQLite database for all tests of a file."""
    path = tmp_path_factory.mktemp("live") / "porchlight.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def own_app(own_url: str) -> Iterator[Flask]:
    """The same house in the tests' own process, for what a worker does to it."""
    with contextmanager(running_app)(own_url) as app:
        yield app
