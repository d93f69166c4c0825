"""Commands that run the house: serve, worker, migrate."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from portal import create_app
from portal.config import read_settings
from portal.demo.place import with_demo_settings
from portal.migrations import upgrade

MANNERS = {
    "worker_class": "gthread",
    "timeout": 30,
    "graceful_timeout": 20,
    "keepalive": 5,
    "limit_request_line": 8190,
    "limit_request_fields": 64,
    "accesslog": None,  # our own lines say it without addresses
    "control_socket_disable": True,
}


class Web(BaseApplication):  # type: ignore[misc]
    """gunicorn around an app that is already made."""

    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take our options instead of a command line's."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app."""
        return self._app


def app_for_command(need: tuple[str, ...] = ()) -> Flask:
    """The app as a command sees it: only a database is needed, the demo's settings are found."""
    return create_app(read_settings(with_demo_settings(), need=need))


def run_web(app: Flask, bind: str, workers: int, threads: int) -> None:
    """Serve `app` with gunicorn's threads until told to stop."""
    Web(app, {"bind": bind, "workers": workers, "threads": threads, **MANNERS}).run()


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with app_for_command().app_context():
        upgrade()
    click.echo("The schema is up to date.")


commands = (migrate,)
