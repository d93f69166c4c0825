"""Working at the queue: marks, presence, saved views, planned acts, and what is looked up by.

Safe while an older version runs: orders that it stores meanwhile are found by number and e-mail,
and by name once they are changed.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import portal.db
from portal.sources.matching import name_end_key, name_key

revision = "0016_desk"
down_revision = "0013_books"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
MOMENT = portal.db.UtcDateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IN_TROUBLE = sa.text("problem != ''")
BEGINS = "text_pattern_ops"
AT_ONCE = 1_000


def upgrade() -> None:
    _tables()
    for name in ("name_key", "name_end_key"):
        op.add_column("orders", sa.Column(name, sa.String(200), nullable=False, server_default=""))
    worth = sa.Column("worth_minor", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("rma", worth)
    _fill()
    _indexes()


def _tables() -> None:
    marks = ("subject", sa.String(40), False), ("assignee_id", sa.BigInteger(), True)
    marks += ("rests_until", MOMENT, True), ("done_at", MOMENT, True)
    _table("desk_mark", _own_id(), marks, "assignee_id", unique=["subject"])
    presence = ("subject", sa.String(40), False), ("staff_id", sa.BigInteger(), False)
    presence += (("seen_at", MOMENT, False),)
    _table("desk_presence", _own_id(), presence, "staff_id", True, ["subject", "staff_id"])
    habits = ("staff_id", sa.BigInteger(), False), ("keys", sa.Boolean(), False)
    _table("desk_habit", _own_id(), habits, "staff_id", True, ["staff_id"])
    views = ("staff_id", sa.BigInteger(), False), ("name", sa.String(60), False)
    views += ("filters", JSON, False), ("shared", sa.Boolean(), False)
    views += (("created_at", MOMENT, False),)
    _table("saved_view", _given_id(), views, "staff_id", True)
    acts = ("batch", sa.String(40), False), ("subject", sa.String(40), False)
    acts += ("number", sa.String(90), False), ("version", sa.Integer(), False)
    acts += ("act", sa.String(10), False), ("code", sa.String(40), False)
    acts += ("note", sa.Text(), False), ("staff_id", sa.BigInteger(), False)
    acts += ("status", sa.String(10), False), ("problem", sa.Text(), False)
    acts += ("planned_at", MOMENT, False), ("at", MOMENT, False), ("ended_at", MOMENT, True)
    _table("planned_act", _given_id(), acts, "staff_id", unique=["id"])
    for table, column in (
        *(("desk_mark", name) for name in ("assignee_id", "rests_until", "done_at")),
        ("desk_presence", "seen_at"),
        ("saved_view", "staff_id"),
        *(("planned_act", name) for name in ("batch", "subject")),
    ):
        op.create_index(op.f(f"ix_{table}_shop_id_{column}"), table, ["shop_id", column])


def _own_id() -> "sa.Column[Any]":
    return sa.Column("id", ID, nullable=False)


def _given_id() -> "sa.Column[Any]":
    return sa.Column("id", sa.String(40), nullable=False)


def _table(
    name: str,
    key: "sa.Column[Any]",
    columns: tuple[tuple[str, Any, bool], ...],
    staff: str,
    goes: bool = False,
    unique: list[str] | None = None,
) -> None:
    """A table of a shop that names a person in the column `staff`; its rows go with them or not."""
    op.create_table(
        name,
        key,
        *(sa.Column(each, kind, nullable=nullable) for each, kind, nullable in columns),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", staff],
            ["staff.shop_id", "staff.id"],
            name=op.f(f"fk_{name}_shop_id_{staff}"),
            ondelete="CASCADE" if goes else None,
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f(f"fk_{name}_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *_unique(name, unique or []),
    )


def _unique(table: str, columns: list[str]) -> Iterator[sa.UniqueConstraint]:
    if columns:
        name = "_".join(("uq", table, "shop_id", *columns))
        yield sa.UniqueConstraint("shop_id", *columns, name=op.f(name))


def _fill() -> None:
    """What orders and returns that are there already are looked up and sorted by."""
    orders = sa.table(
        "orders", sa.column("id"), sa.column("address", JSON),
        sa.column("name_key"), sa.column("name_end_key"),
    )  # fmt: skip
    returns = sa.table("rma", sa.column("id"), sa.column("quoted", JSON), sa.column("worth_minor"))
    here = op.get_bind()
    named = [
        {"its": row.id, "name_key": name_key(name), "name_end_key": name_end_key(name)}
        for row in here.execute(sa.select(orders.c.id, orders.c.address))
        if (name := str((row.address or {}).get("name") or ""))
    ]
    worth = [
        {"its": row.id, "worth_minor": sum(p.get("total_minor", 0) for p in row.quoted.values())}
        for row in here.execute(sa.select(returns.c.id, returns.c.quoted))
        if row.quoted
    ]
    for table, rows in ((orders, named), (returns, worth)):
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            here.execute(table.update().where(table.c.id == sa.bindparam("its")), some)


def _indexes() -> None:
    op.drop_index(op.f("ix_orders_shop_id_email_key"), table_name="orders")
    for name in ("email_key", "number_key", "name_key", "name_end_key"):
        made = op.f(f"ix_orders_shop_id_{name}")
        op.create_index(made, "orders", ["shop_id", name], postgresql_ops={name: BEGINS})
    for table, columns in (
        ("orders", ["placed_at", "id"]),
        ("rma", ["status", "arrived_at"]),
        ("rma", ["status", "checked_at"]),
        ("label", ["status"]),
        ("instant", ["status"]),
    ):
        name = "_".join(("ix", table, "shop_id", *columns))
        op.create_index(op.f(name), table, ["shop_id", *columns])
    op.create_index(
        "ix_shipment_in_trouble",
        "shipment",
        ["shop_id", "problem_since"],
        sqlite_where=IN_TROUBLE,
        postgresql_where=IN_TROUBLE,
    )


def downgrade() -> None:
    op.drop_index("ix_shipment_in_trouble", table_name="shipment")
    for table, name in (
        ("instant", "status"),
        ("label", "status"),
        ("rma", "status_checked_at"),
        ("rma", "status_arrived_at"),
        ("orders", "placed_at_id"),
        *(("orders", name) for name in ("name_end_key", "name_key", "number_key", "email_key")),
    ):
        op.drop_index(op.f(f"ix_{table}_shop_id_{name}"), table_name=table)
    op.create_index(op.f("ix_orders_shop_id_email_key"), "orders", ["shop_id", "email_key"])
    op.drop_column("rma", "worth_minor")
    for column in ("name_end_key", "name_key"):
        op.drop_column("orders", column)
    for table in ("planned_act", "saved_view", "desk_habit", "desk_presence", "desk_mark"):
        op.drop_table(table)
