"""The trigger that notes each new version of an order, in both databases' words.

The database does it because many acts raise a version, some of them with one statement for many
orders. PostgreSQL also tells whoever listens; a SQLite file is watched (`portal.live.watch`).
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

CHANNEL = "porchlight_change"  # of NOTIFY, below

_MAKE = {
    "sqlite": (
        """
        CREATE TRIGGER IF NOT EXISTS note_change AFTER UPDATE OF version ON orders
        WHEN NEW.version <> OLD.version
        BEGIN
          INSERT INTO change (shop_id, order_id, version, at)
          VALUES (NEW.shop_id, NEW.id, NEW.version, strftime('%Y-%m-%d %H:%M:%f000', 'now'));
        END
        """,
    ),
    "postgresql": (
        """
        CREATE OR REPLACE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE noted bigint;
        BEGIN
          INSERT INTO change (shop_id, order_id, version, at)
          VALUES (NEW.shop_id, NEW.id, NEW.version, clock_timestamp()) RETURNING id INTO noted;
          PERFORM pg_notify(
            'porchlight_change', concat_ws(' ', noted, NEW.shop_id, NEW.id, NEW.version)
          );
          RETURN NULL;
        END $$
        """,
        """
        CREATE OR REPLACE TRIGGER note_change AFTER UPDATE OF version ON orders FOR EACH ROW
        WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION note_change()
        """,
    ),
}
_DROP = {
    "sqlite": ("DROP TRIGGER IF EXISTS note_change",),
    "postgresql": ("DROP FUNCTION IF EXISTS note_change() CASCADE",),
}


def note_changes(connection: Connection) -> None:
    """Make the trigger where it is not there, in a schema that has its table.

    Whoever changes the table of orders on SQLite makes it anew, and loses what hung on it.
    """
    if inspect(connection).has_table("change"):
        for statement in _MAKE[connection.dialect.name]:
            connection.execute(text(statement))


def ignore_changes(connection: Connection) -> None:
    """Take the trigger away."""
    for statement in _DROP[connection.dialect.name]:
        connection.execute(text(statement))
