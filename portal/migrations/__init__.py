"""The schema's history, run with Alembic from inside the app, on both databases."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from portal.db import db, migrating
from portal.migrations.estimates import teach_planner
from portal.migrations.order_change import note_changes


def schema_is_current() -> bool:
    """Whether the database's schema is the one this code was written for."""
    with db.engine.connect() as connection:
        head = MigrationContext.configure(connection).get_current_heads()
    return set(head) == set(ScriptDirectory.from_config(_config()).get_heads())


def revision_in_force() -> str | None:
    """The revision the database is at; None before the first."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known_revisions() -> set[str]:
    """The revisions this code can upgrade from."""
    return {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def upgrade(revision: str = "head") -> None:
    """Bring the schema up to `revision`, all or nothing."""
    with migrating() as connection:
        command.upgrade(_config(connection), revision)
        note_changes(connection)
        teach_planner(connection)


def downgrade(revision: str) -> None:
    """Take the schema back to `revision`."""
    with migrating() as connection:
        command.downgrade(_config(connection), revision)
        note_changes(connection)
        teach_planner(connection)


def _config(connection: object = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
