"""Withdrawals from contracts, as they were declared.

Safe while an older version runs: it knows nothing of the table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import portal.db

revision = "0010_withdrawals"
down_revision = "0007_protection"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("articles", sa.Text(), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("declared_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.Column("rma_id", sa.String(length=40), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column(
            "exempt",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_withdrawal_shop_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_withdrawal_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_withdrawal_shop_id_id")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_withdrawal_token_digest")),
    )
    for columns in (["status", "declared_at"], ["order_id"]):
        name = "_".join(("ix_withdrawal_shop_id", *columns))
        op.create_index(op.f(name), "withdrawal", ["shop_id", *columns])


def downgrade() -> None:
    op.drop_table("withdrawal")
