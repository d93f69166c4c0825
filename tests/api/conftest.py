"""A caller of the API on each database."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.client import Api


@pytest.fixture
def api(any_app: Flask) -> Api:
    """Fern's own machine, on each database in turn."""
    return Api(any_app)


@pytest.fixture
def quick(app: Flask) -> Api:
    """Fern's own machine on SQLite, for tables of cases that the database has no part in."""
    return Api(app)
