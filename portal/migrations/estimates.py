"""What SQLite's planner is told of a shop's tables: without it a page reads every line of a shop.

Every statement names the shop, and an index that begins with the shop looks as good as any to a
planner that has seen no rows. The estimates are of a shop with a million rows in each table; they
are written once, so that plans are the same in an empty house and in a full one. PostgreSQL
gathers its own.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

ROWS: Final = 1_000_000
FEW: Final = 10  # rows that share what is not unique, such as the lines of an order
# Columns that tell next to nothing apart.
COARSE: Final = frozenset({"shop_id", "queue", "kind", "status", "state", "channel", "provider"})


def teach_planner(connection: Connection) -> None:
    """Write the estimates of every index that is there now. Does nothing on PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return
    connection.execute(text("ANALYZE sqlite_schema"))  # makes the table they stand in
    connection.execute(text("DELETE FROM sqlite_stat1"))
    for table, index, is_unique in _indexes(connection):
        names = [row.name for row in connection.execute(text(f"PRAGMA index_info('{index}')"))]
        told = {"table": table, "index": index, "stat": _estimate(names, is_unique=is_unique)}
        connection.execute(
            text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)"), told
        )


def _indexes(connection: Connection) -> list[tuple[str, str, bool]]:
    tables = connection.execute(
        text("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    )
    return [
        (table, row.name, bool(row.unique))
        for table in tables.scalars().all()
        for row in connection.execute(text(f"PRAGMA index_list('{table}')"))
    ]


def _estimate(names: list[str | None], *, is_unique: bool) -> str:
    """How many rows there are, then how many share the first column, the first two, and so on."""
    shared, found = ROWS, [ROWS]
    for name in names:
        shared = shared if name in COARSE else FEW
        found.append(shared)
    if is_unique:
        found[-1] = 1
    return " ".join(map(str, found))
