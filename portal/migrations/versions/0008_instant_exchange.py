"""Instant exchange: a card saved, the other article sent ahead, and what is charged when.

Safe while an older version runs: it knows nothing of the table, and leaves the column at its
default.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import portal.db

revision = "0008_instant_exchange"
down_revision = "0010_withdrawals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def told(name: str) -> sa.Column:
        kind = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
        return sa.Column(name, kind, nullable=False)

    def moment(name: str, null: bool = False) -> sa.Column:
        return sa.Column(name, portal.db.UtcDateTime(timezone=True), nullable=null)

    def word(name: str, length: int, null: bool = False) -> sa.Column:
        return sa.Column(name, sa.String(length=length), nullable=null)

    op.create_table(
        "instant",
        word("id", 40),
        word("rma_id", 40),
        word("exchange_id", 40),
        word("status", 12),
        word("currency", 3),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        told("shares"),
        told("charged"),
        told("given_back"),
        told("consent"),
        moment("consented_at"),
        moment("charge_at"),
        moment("reminded_at", null=True),
        sa.Column("round", sa.Integer(), nullable=False),
        word("page", 120),
        word("customer", 120),
        word("card", 120),
        word("last4", 4),
        word("payment", 120),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "rma_id"], ["rma.shop_id", "rma.id"], name=op.f("fk_instant_shop_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_instant_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instant")),
        sa.UniqueConstraint("shop_id", "exchange_id", name=op.f("uq_instant_shop_id_exchange_id")),
    )
    op.create_index(op.f("ix_instant_shop_id_rma_id"), "instant", ["shop_id", "rma_id"])
    ahead = sa.Column("is_ahead", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("exchange", ahead)


def downgrade() -> None:
    op.drop_column("exchange", "is_ahead")
    op.drop_table("instant")
