"""When to ask: what was learned of waiting, whether hooks arrive, and why staff look at a parcel.

Safe while an older version runs: new columns have defaults, and it neither reads nor plans the new
work. Parcels that are under way are looked at once soon after, so that what time alone says of
them is said.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0015_asking"
down_revision = "0014_evidence"
branch_labels = None
depends_on = None

MOMENT = portal.db.UtcDateTime(timezone=True)
OF_CONCERN = sa.text("concern != ''")
CONCERNS = """
    UPDATE shipment SET concern_since = COALESCE(problem_since, status_since, created_at), concern =
    CASE WHEN problem IN
         ('unknown_carrier', 'wrong_carrier', 'carrier_needed', 'not_found', 'no_number')
         THEN 'wrong_number'
         WHEN problem != '' THEN 'untracked'
         WHEN CAST(overlays AS TEXT) LIKE '%presumed_lost%' THEN 'presumed_lost'
         WHEN status = 'return_to_sender' THEN 'returned'
         WHEN status = 'exception' THEN 'exception'
         WHEN CAST(overlays AS TEXT) LIKE '%silent%' THEN 'silent'
         ELSE 'late' END
    WHERE problem != '' OR status IN ('return_to_sender', 'exception')
       OR CAST(overlays AS TEXT) LIKE '%presumed_lost%' OR CAST(overlays AS TEXT) LIKE '%silent%'
       OR CAST(overlays AS TEXT) LIKE '%delayed%'
"""
FINAL = ("delivered", "cancelled", "expired")


def upgrade() -> None:
    op.add_column(
        "shipment", sa.Column("concern", sa.String(length=20), server_default="", nullable=False)
    )
    op.add_column("shipment", sa.Column("concern_since", MOMENT, nullable=True))
    op.add_column("shipment", sa.Column("doubted_at", MOMENT, nullable=True))
    op.execute(CONCERNS)
    op.create_index(op.f("ix_shipment_shop_id_status"), "shipment", ["shop_id", "status"])
    op.create_index(
        "ix_shipment_concern",
        "shipment",
        ["shop_id", "concern_since", "id"],
        sqlite_where=OF_CONCERN,
        postgresql_where=OF_CONCERN,
    )
    _one_a_shop(
        "habit",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("learned_at", MOMENT, nullable=False),
    )
    _one_a_shop(
        "pulse",
        sa.Column("came_at", MOMENT, nullable=False),
        sa.Column("heard_at", MOMENT, nullable=False),
        sa.Column("missed_at", MOMENT, nullable=True),
        sa.Column("looked_until", MOMENT, nullable=True),
        sa.Column("lost", sa.Integer(), nullable=False),
    )
    _look_at_all()


def _one_a_shop(name: str, *columns: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        *columns,
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f(f"fk_{name}_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("shop_id", name=op.f(f"uq_{name}_shop_id")),
    )


def _look_at_all() -> None:
    shipment = sa.table("shipment", *map(sa.column, ("id", "shop_id", "status", "number_key")))
    columns = ("queue", "subject", "shop_id", "at", "leased", "fence", "attempts")
    due = sa.table("due", *map(sa.column, columns))
    looks = sa.select(
        sa.literal("quiet"),
        shipment.c.id,
        shipment.c.shop_id,
        sa.literal(datetime.now(UTC), MOMENT),
        sa.false(),
        sa.literal(0),
        sa.literal(0),
    ).where(shipment.c.status.not_in(FINAL), shipment.c.number_key != "")
    op.execute(due.insert().from_select(columns, looks))


def downgrade() -> None:
    op.execute("DELETE FROM due WHERE queue IN ('pulse', 'habit', 'quiet')")
    op.execute("DELETE FROM gauge WHERE name = 'chore:plan_habits'")
    op.drop_table("pulse")
    op.drop_table("habit")
    op.drop_index("ix_shipment_concern", table_name="shipment")
    op.drop_index(op.f("ix_shipment_shop_id_status"), table_name="shipment")
    for name in ("doubted_at", "concern_since", "concern"):
        op.drop_column("shipment", name)
