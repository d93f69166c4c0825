"""What is claimed with insurers, and payments that customers' banks took back.

Safe while an older version runs: it knows nothing of the tables.
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0014_evidence"
down_revision = "0011_lanes"
branch_labels = None
depends_on = None

MOMENT = portal.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "carrier_claim",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("claim_id", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("provider_id", sa.String(length=60), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("approved_minor", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("performing_at", MOMENT, nullable=True),
        sa.Column("filed_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "claim_id"],
            ["claim.shop_id", "claim.id"],
            name=op.f("fk_carrier_claim_shop_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_carrier_claim_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_claim")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_carrier_claim_shop_id_id")),
        sa.UniqueConstraint("shop_id", "claim_id", name=op.f("uq_carrier_claim_shop_id_claim_id")),
    )
    op.create_index(op.f("ix_carrier_claim_provider_id"), "carrier_claim", ["provider_id"])
    op.create_index(
        op.f("ix_carrier_claim_shop_id_status"), "carrier_claim", ["shop_id", "status"]
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("provider_id", sa.String(length=120), nullable=False),
        sa.Column("payment", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("is_refundable", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("taken_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.String(length=12), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("file_id", sa.String(length=120), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("wanted_at", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_dispute_shop_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_dispute_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("shop_id", "provider_id", name=op.f("uq_dispute_shop_id_provider_id")),
    )
    op.create_index(op.f("ix_dispute_shop_id_order_id"), "dispute", ["shop_id", "order_id"])
    op.create_index(
        op.f("ix_dispute_shop_id_status_due_at"), "dispute", ["shop_id", "status", "due_at"]
    )


def downgrade() -> None:
    op.drop_table("dispute")
    op.drop_table("carrier_claim")
