"""What tests share: the recorded data, a database of each kind, a shop, a browser's client."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from portal import create_app
from portal.config import Settings, read_settings
from portal.db import db, inside, session, writing
from portal.migrations import upgrade
from portal.models import ApiToken, Shop
from tests.postgres import RUN, running_postgres

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SECRET = "a-secret-for-tests-0123456789abcdefghij"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded payloads beside the project; read in place, never copied."""
    if not SHARED.is_dir():
        pytest.skip(f"the recorded data is not beside the project ({SHARED.name})")
    return SHARED


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server for the whole run, shared by its workers."""
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that each test copies."""
    path = tmp_path_factory.mktemp("template") / "porchlight.db"
    app = create_app(settings_for(f"sqlite:///{path}"))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """A migrated SQLite database of this test's own."""
    shutil.copy(migrated_sqlite, tmp_path / "porchlight.db")
    return f"sqlite:///{tmp_path / 'porchlight.db'}"


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    with copied(postgres_url) as url:
        yield url


@contextmanager
def copied(postgres_url: str) -> Iterator[str]:
    """A migrated PostgreSQL database, copied from a template and dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    with admin(postgres_url) as run:
        run(f"CREATE DATABASE {name} TEMPLATE {template_of(postgres_url)}")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    with admin(postgres_url) as run:
        run(f"DROP DATABASE {name} WITH (FORCE)")


DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.db)]


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    chosen = "sqlite_url" if request.param == "sqlite" else "fresh_postgres"
    return str(request.getfixturevalue(chosen))


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    """The site on SQLite with the shops fern (default) and volta, inside an app context."""
    yield from running_app(sqlite_url)


@pytest.fixture
def any_app(database_url: str) -> Iterator[Flask]:
    """The site on each database in turn."""
    yield from running_app(database_url)


def running_app(url: str, **more: str) -> Iterator[Flask]:
    """An app with two shops; its connections are closed afterwards."""
    app = create_app(settings_for(url, **more))
    app.config["TESTING"] = True
    with app.app_context():
        two_shops()
        yield app
        session.remove()
        db.engine.dispose()


def settings_for(url: str, **more: str) -> Settings:
    """Settings for a test's house."""
    given = {"SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:8000", "DATABASE_URL": url}
    return read_settings({**given, **more})


def two_shops() -> None:
    """fern, the default, and volta."""
    with writing():
        for slug, name, theme in (
            ("fern", "Fern & Fable", "fern"),
            ("volta", "Volta Nine", "volta"),
        ):
            made = Shop(slug=slug, name=name, theme=theme, is_default=slug == "fern")
            made.moves_to(f"http://{slug}.localhost:8000")
            session.add(made)


@pytest.fixture
def fern(app: Flask) -> int:
    """The id of the default shop."""
    return shop_id("fern")


def shop_id(slug: str) -> int:
    """The id of a shop."""
    shop = Shop.named(slug)
    assert shop is not None
    return shop.id


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser of fern's customer, without JavaScript."""
    return app.test_client()


def bearer(slug: str = "fern", *scopes: str, origins: list[str] | None = None) -> dict[str, str]:
    """Headers with a new token of a shop; scope `*` unless given."""
    with inside(shop_id(slug)), writing():
        made, secret = ApiToken.make(list(scopes) or ["*"], origins or [])
        session.add(made)
    return {"Authorization": f"Bearer {secret}"}


class admin:  # noqa: N801 - read as a verb: with admin(url) as run
    """A connection that may create databases."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self):
        from sqlalchemy import create_engine

        self.engine = create_engine(
            self.url.replace("postgresql://", "postgresql+psycopg://", 1),
            isolation_level="AUTOCOMMIT",
        )
        self.connection = self.engine.connect()
        return lambda statement: self.connection.execute(text(statement))

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.engine.dispose()


_templates: dict[str, str] = {}


def template_of(url: str) -> str:
    """The name of a migrated database to copy from, made by the first worker that asks."""
    if url not in _templates:
        name = f"template_{RUN}"
        with admin(url) as run:
            run("SELECT pg_advisory_lock(1)")  # until the connection closes
            if name not in run("SELECT datname FROM pg_database").scalars().all():
                run(f"CREATE DATABASE {name}")
                _migrate(url.replace("/postgres?", f"/{name}?"))
        _templates[url] = name
    return _templates[url]


def _migrate(url: str) -> None:
    app = create_app(settings_for(url))
    with app.app_context():
        upgrade()
        session.remove()
        db.engine.dispose()
