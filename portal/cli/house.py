"""The house as a command sees it: its settings, its database, and everything closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from portal import create_app
from portal.config import SettingsError, read_settings
from portal.db import db, session
from portal.demo.place import with_demo_settings
from portal.jobs.queue import queue_of


@contextmanager
def open_house(need: tuple[str, ...] = ()) -> Iterator[Flask]:
    """Step inside the house: only a database is needed, and what the demo keeps is found.

    `need` names settings that this command cannot do without. Raises SettingsError.
    """
    settings = read_settings(with_demo_settings(), need=need)
    try:
        app = create_app(settings)
    except OSError as error:
        said = f"DATABASE_URL names a place that cannot be used ({error}). Choose another folder."
        raise SettingsError([said]) from error
    with app.app_context():
        try:
            yield app
        finally:
            session.remove()
            db.engine.dispose()
            queue_of(app).close()
