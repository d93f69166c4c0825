"""Commands that run the house: serve, worker, migrate."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker
from sqlalchemy.exc import DBAPIError

from portal import create_app
from portal.cli.house import open_house
from portal.config import SERVING, Settings, is_loopback, read_settings
from portal.db import db
from portal.disks import NETWORK_DISKS, disk_of
from portal.jobs.sweep import Worker
from portal.live import streams_of
from portal.logs import ServerLog, configure
from portal.migrations import schema_is_current, upgrade


class Threads(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, which do not wait for open pages when they are told to stop."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop: streams end, their browsers come back to who comes next."""
        streams_of(self.wsgi).stop()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop now."""
        streams_of(self.wsgi).stop()
        super().handle_quit(sig, frame)


MANNERS = {
    "worker_class": Threads,
    "timeout": 30,
    "graceful_timeout": 20,
    "keepalive": 5,
    "limit_request_line": 8190,
    "limit_request_fields": 64,
    "logger_class": ServerLog,
    "accesslog": None,  # our own lines say it without addresses
    "control_socket_disable": True,
}
MOUNTS = Path("/proc/mounts")


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


def app_for_serving() -> Flask:
    """The app of a process that stays: every setting given, a database fit to be shared.

    Raises SettingsError, or ClickException with what to do.
    """
    configure()
    settings = read_settings(need=SERVING)
    refuse_network_disk(settings, MOUNTS)
    app = create_app(settings)
    with app.app_context():
        _refuse_other_schema()
        db.engine.dispose()  # a connection must not be carried into another process
    return app


def refuse_network_disk(settings: Settings, mounts: Path) -> None:
    """Raise ClickException for a SQLite file on a disk that other machines share.

    `mounts` is a file in the form of /proc/mounts; where there is none nothing can be said.
    """
    if not settings.is_sqlite or not mounts.exists():
        return
    kind = disk_of(settings.sqlite_path, mounts.read_text(encoding="utf-8", errors="replace"))
    if kind in NETWORK_DISKS:
        raise click.ClickException(
            f"DATABASE_URL names a SQLite file on a network disk ({kind}), where it would be "
            "damaged. Move it to a disk of this machine, or use PostgreSQL."
        )


def refuse_plain_http(app: Flask, host: str) -> None:
    """Raise ClickException where others than this machine could come without TLS."""
    if not app.extensions["porchlight"].is_https and not is_loopback(host):
        raise click.ClickException(
            "BASE_URL is plain http, which is served to this machine only. Set BASE_URL to the "
            "https:// origin customers see, or leave out --host."
        )


def _refuse_other_schema() -> None:
    try:
        current = schema_is_current()
    except DBAPIError:
        raise click.ClickException(
            "The database of DATABASE_URL does not answer. Start it, or correct the setting."
        ) from None
    if not current:
        raise click.ClickException(
            "The database's schema is not this version's. Run: porchlight migrate"
        )


def run_web(app: Flask, bind: str, workers: int, threads: int) -> None:
    """Serve `app` with gunicorn's threads until told to stop.

    At most half of the threads of each process are lent to open pages: the others stay free.
    """
    wanted = app.extensions["porchlight"].live_slots
    half = threads // 2
    streams_of(app).slots = half if wanted is None else min(wanted, half)
    Web(app, {"bind": bind, "workers": workers, "threads": threads, **MANNERS}).run()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1, 256))
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the site. Put a proxy with TLS in front of it; see docs/operations.md."""
    app = app_for_serving()
    refuse_plain_http(app, host)
    run_web(app, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", workers, threads)


@click.command()
def worker() -> None:
    """Do the background work: ask carriers, take in hooks, send messages. Run as many as needed."""
    app = app_for_serving()
    crew = Worker(app)

    def stop(signum: int, _frame: object) -> None:
        signal.signal(signum, signal.SIG_DFL)  # a second time means: at once
        crew.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    click.echo("The worker is at work.", err=True)
    crew.run()
    click.echo("The worker has stopped.", err=True)


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with open_house():
        upgrade()
    click.echo("The schema is up to date.")


commands = (serve, worker, migrate)
