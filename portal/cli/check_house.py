"""Doctor: the settings, the database, its schema, its disk, the shops."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from portal.cli.findings import Finding, fail, ok, warn
from portal.config import SERVING, SettingsError, read_settings
from portal.db import FIRST_SAFE_WAL, session, sqlite_is_safe
from portal.demo.place import with_demo_settings
from portal.disks import NETWORK_DISKS, disk_of
from portal.keys import settings
from portal.migrations import revision_in_force, schema_is_current
from portal.models import Shop

LEAST_FREE = 512 * 1024 * 1024  # bytes
MOUNTS = Path("/proc/mounts")


def of_settings() -> Iterator[Finding]:
    """Whether serve, live and worker would start with these settings."""
    try:
        read_settings(with_demo_settings(), need=SERVING)
    except SettingsError as error:
        for problem in error.problems:
            said, _, remedy = problem.partition(". ")
            yield fail("settings", f"{said.rstrip('.')}.", remedy or "Correct it and try again.")
    else:
        yield ok("settings", "all that serving needs is set")


def of_database() -> Iterator[Finding]:
    """Whether the database answers, and as what. The last finding is a FAIL if it does not."""
    try:
        version = session.scalar(
            text("SELECT sqlite_version()" if settings().is_sqlite else "SHOW server_version")
        )
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", error)).splitlines()[0]
        yield fail("database", f"does not answer ({said})", "Check DATABASE_URL and the server.")
        return
    if settings().is_sqlite:
        yield from _sqlite(str(version))
    else:
        yield ok("database", f"PostgreSQL {version} answers")
    yield _schema()


def _sqlite(version: str) -> Iterator[Finding]:
    path = settings().sqlite_path
    if sqlite_is_safe():
        yield ok("database", f"SQLite {version} at {path}, with a write-ahead log")
    else:
        wanted = ".".join(map(str, FIRST_SAFE_WAL))
        yield warn(
            "database",
            f"SQLite {sqlite.sqlite_version} is older than {wanted}: the rollback journal is used, "
            "so that readers wait for writers",
            "Install the pysqlite3 wheel that Porchlight's lock file names.",
        )
    kind = disk_of(path, MOUNTS.read_text()) if MOUNTS.exists() else ""
    if kind in NETWORK_DISKS:
        yield fail(
            "disk",
            f"the database lies on a network disk ({kind}), where its locks do not hold",
            "Move it to a disk of this machine, or use PostgreSQL.",
        )
    yield from _disk(path.parent)


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free at {folder}"
    if not os.access(folder, os.W_OK):
        yield fail("disk", f"{folder} cannot be written to", "Give it to the user of the service.")
    elif free < LEAST_FREE:
        yield warn("disk", f"only {said}", "Make room; a full disk stops all writing.")
    else:
        yield ok("disk", said)


def _schema() -> Finding:
    at = revision_in_force()
    if schema_is_current():
        return ok("schema", f"{at}, as this version needs it")
    return fail("schema", f"{at or 'none'}: not this version's", "Run: porchlight migrate")


def of_shops() -> Iterator[Finding]:
    """Whether there is a shop, and whether its pages can be reached under its own name."""
    rows = session.execute(select(Shop.slug, Shop.origin, Shop.host).order_by(Shop.id)).all()
    if not rows:
        yield warn("shops", "there is none", "Make one: porchlight shop create SLUG --origin URL")
        return
    scheme = urlsplit(settings().base_url).scheme
    for slug, origin, _host in rows:
        if urlsplit(origin).scheme != scheme:
            yield warn(
                "shops",
                f"{slug} lives at {origin}, but BASE_URL is {scheme}: its cookies will not stick",
                f"Set BASE_URL to {urlsplit(origin).scheme}://…, or give the shop another origin.",
            )
    yield ok("shops", ", ".join(f"{slug} at {origin}" for slug, origin, _ in rows[:5]))
