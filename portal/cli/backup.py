"""`porchlight backup` and `porchlight restore`: the house in one file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import func, inspect, select

from portal import clock
from portal.archive import (
    DATABASE,
    ArchiveError,
    check_sqlite,
    opened_archive,
    put_back_media,
    restore_postgres,
    write_archive,
)
from portal.cli.house import open_house
from portal.config import Settings
from portal.db import db, every_shop, put_in_place, session
from portal.jobs.sweep import HEARTBEAT
from portal.keys import has_key, is_signed, settings, sign
from portal.migrations import known_revisions, revision_in_force, upgrade
from portal.models import Order, Shop
from portal.models.due import read_gauge

PURPOSE = "backup"
ALIVE = timedelta(minutes=1)  # a worker whose sign of life is younger is running


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def backup(file: Path, force: bool) -> None:
    """Write database and pictures into FILE, while the site goes on.

    Keep SECRET_KEY somewhere else: it is not in the file, and without it links, codes and provider
    keys cannot be opened.
    """
    if file.exists() and not force:
        raise click.ClickException(f"{file} is there already. Choose another name, or say --force.")
    if not file.parent.is_dir():
        raise click.ClickException(f"There is no folder {file.parent}. Make it first.")
    with open_house():
        mark = sign(PURPOSE, PURPOSE) if has_key() else ""
        schema = revision_in_force() or ""
        db.engine.dispose()
        try:
            size = write_archive(file, settings(), schema, mark, clock.now())
        except ArchiveError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{file}  {size / 1e6:.1f} MB, checked. Keep SECRET_KEY apart from it.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the orders that are there.")
def restore(file: Path, force: bool) -> None:
    """Put the house in FILE in the place of this one. Stop web and worker first."""
    with open_house():
        _refuse(force=force)
        try:
            with opened_archive(file, settings()) as (manifest, folder):
                _check(file, manifest)
                _put_back(folder, settings())
        except ArchiveError as error:
            raise click.ClickException(str(error)) from error
        upgrade()
        with every_shop():
            count = session.scalar(select(func.count()).select_from(Order))
    click.echo(f"Restored: {count} orders as of {manifest['made_at']}. Start web and worker again.")
    click.echo("Customers who were erased since then are back: run `porchlight erase` for them.")


def _refuse(*, force: bool) -> None:
    """Raise ClickException where something would be lost, or somebody is at work."""
    if not inspect(db.engine).has_table("shop"):
        return
    beat = read_gauge(HEARTBEAT) if inspect(db.engine).has_table("gauge") else None
    if beat is not None and clock.now() - beat[1] < ALIVE:
        raise click.ClickException(
            "A worker is running on this house, or stopped within the last minute. Stop web and "
            "worker, wait a minute, and run this again."
        )
    shops = session.scalar(select(func.count()).select_from(Shop)) or 0
    if shops and not force:
        raise click.ClickException(
            f"This house has {shops} shops already, and all of it would be replaced. Nothing was "
            "changed. Make a backup of it first, then say --force."
        )


def _check(file: Path, manifest: Mapping[str, Any]) -> None:
    if manifest["schema"] and manifest["schema"] not in known_revisions():
        raise ArchiveError(f"{file} was made by a later version of Porchlight. Upgrade first.")
    mark = manifest.get("key_mark", "")
    if mark and not has_key():
        click.echo(
            "SECRET_KEY is not set, so nobody could check that it is the one this backup was made "
            "with. Links, codes and provider keys open with that one alone."
        )
    elif mark and not is_signed(PURPOSE, PURPOSE, mark):
        raise ArchiveError(
            "SECRET_KEY is not the one this backup was made with, so its links, codes and provider "
            "keys could not be opened. Set SECRET_KEY, or SECRET_KEY_FALLBACKS, to that key."
        )


def _put_back(folder: Path, house: Settings) -> None:
    if house.is_sqlite:
        check_sqlite(folder / DATABASE)
        put_in_place(folder / DATABASE)
    else:
        session.remove()
        db.engine.dispose()
        restore_postgres(house, folder / DATABASE)
    put_back_media(folder, house)


commands = (backup, restore)
