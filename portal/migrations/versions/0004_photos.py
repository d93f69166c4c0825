"""Photos of what is sent back.

Safe while an older version runs: it knows nothing of the table.
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0004_photos"
down_revision = "0003_staff"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("rma_id", sa.String(length=40), nullable=True),
        sa.Column("sku", sa.String(length=120), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("created_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_photo_shop_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "rma_id"], ["rma.shop_id", "rma.id"], name=op.f("fk_photo_shop_id_rma_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_photo_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
    )
    op.create_index(op.f("ix_photo_shop_id_order_id"), "photo", ["shop_id", "order_id"])
    op.create_index(op.f("ix_photo_shop_id_rma_id"), "photo", ["shop_id", "rma_id"])


def downgrade() -> None:
    op.drop_table("photo")
