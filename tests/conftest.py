"""What tests share: the recorded data, a database of each kind, a shop, a browser's client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.config import Settings, read_settings
from portal.db import db, inside, session, writing
from portal.models import ApiToken, Shop
from tests.once import keep_routes_and_templates, share_statements
from tests.postgres import running_postgres
from tests.spare import Spare, migrate

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SECRET = "a-secret-for-tests-0123456789abcdefghij"
keep_routes_and_templates()
# A loaded machine is no fault, and what needs more examples says so itself.
hypothesis.settings.register_profile("quick", max_examples=40, deadline=None)
hypothesis.settings.load_profile("quick")


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
    migrate(settings_for(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """A migrated SQLite database of this test's own."""
    shutil.copy(migrated_sqlite, tmp_path / "porchlight.db")
    return f"sqlite:///{tmp_path / 'porchlight.db'}"


@pytest.fixture(scope="session")
def spare(postgres_url: str) -> Iterator[Spare]:
    """This worker's empty, migrated PostgreSQL databases."""
    spare = Spare(postgres_url, settings_for)
    yield spare
    spare.drop()


@pytest.fixture
def fresh_postgres(spare: Spare) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    with spare.lent() as url:
        yield url


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
    share_statements(app)
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
