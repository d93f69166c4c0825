"""The books of protection: when a premium was earned, and what of a year may be said in public.

Safe while an older version runs: it knows nothing of the column and the table.
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0013_books"
down_revision = "0012_change"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = portal.db.UtcDateTime(timezone=True)
    op.add_column("protection", sa.Column("earned_at", moment, nullable=True))
    op.create_index(
        op.f("ix_protection_shop_id_earned_at"), "protection", ["shop_id", "earned_at"]
    )
    op.create_index(
        op.f("ix_ledger_entry_shop_id_kind_at"), "ledger_entry", ["shop_id", "kind", "at"]
    )
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "protection_record",
        sa.Column("id", big, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("claimed", sa.Integer(), nullable=False),
        sa.Column("earned_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", moment, nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"],
            ["shop.id"],
            name=op.f("fk_protection_record_shop_id_shop"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protection_record")),
        sa.UniqueConstraint(
            "shop_id", "currency", name=op.f("uq_protection_record_shop_id_currency")
        ),
    )


def downgrade() -> None:
    op.drop_table("protection_record")
    op.drop_index(op.f("ix_ledger_entry_shop_id_kind_at"), table_name="ledger_entry")
    op.drop_index(op.f("ix_protection_shop_id_earned_at"), table_name="protection")
    with op.batch_alter_table("protection") as table:
        table.drop_column("earned_at")
