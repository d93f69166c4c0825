"""The house under measurement: its settings, and its database with one empty shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from portal import create_app
from portal.config import read_settings
from portal.db import db, session, writing
from portal.migrations import upgrade
from portal.models import Shop

HOST: Final = "track.example.com"
FILE: Final = "porchlight.db"
HOOK_SECRET: Final = "hooks-are-signed-with-this"
ASK: Final = {"Host": HOST, "Accept-Encoding": "gzip", "Accept-Language": "en-US"}


def environ_in(home: Path) -> dict[str, str]:
    """Settings of a house with its SQLite file in this folder."""
    return environ_at(f"sqlite:///{home / FILE}")


def environ_at(database_url: str) -> dict[str, str]:
    """Settings of a house with this database."""
    return {
        "SECRET_KEY": "a-secret-for-benchmarks-0123456789abcdef",
        "BASE_URL": f"https://{HOST}",
        "DATABASE_URL": database_url,
        "EASYPOST_WEBHOOK_SECRET": HOOK_SECRET,
    }


@contextmanager
def opened(environ: Mapping[str, str]) -> Iterator[int]:
    """Inside the house, its schema being current and its shop there: the shop's id."""
    with create_app(read_settings(environ)).app_context():
        try:
            upgrade()
            yield _shop(environ["BASE_URL"])
        finally:
            session.remove()
            db.engine.dispose()


def _shop(origin: str) -> int:
    found = Shop.named("fern")
    if found is not None:
        return found.id
    with writing():
        shop = Shop(slug="fern", name="Fern & Fable", theme="fern", is_default=True)
        shop.moves_to(origin)
        session.add(shop)
        session.flush()
        return shop.id
