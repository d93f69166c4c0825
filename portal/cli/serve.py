"""Commands that run the house: serve, worker, migrate."""

from __future__ import annotations

import click
from flask import Flask

from portal import create_app
from portal.config import read_settings
from portal.demo.place import with_demo_settings
from portal.migrations import upgrade


def app_for_command(need: tuple[str, ...] = ()) -> Flask:
    """The app as a command sees it: only a database is needed, the demo's settings are found."""
    return create_app(read_settings(with_demo_settings(), need=need))


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with app_for_command().app_context():
        upgrade()
    click.echo("The schema is up to date.")


commands = (migrate,)
