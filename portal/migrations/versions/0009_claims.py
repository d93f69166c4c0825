"""Claims: what went wrong on the way, and which units it was.

Safe while an older version runs: it knows nothing of the tables, and leaves the column empty.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import portal.db

revision = "0009_claims"
down_revision = "0005_order_kinds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def told(name: str, null: bool = False) -> sa.Column:
        kind = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
        return sa.Column(name, kind, nullable=null)

    def moment(name: str, null: bool = True) -> sa.Column:
        return sa.Column(name, portal.db.UtcDateTime(timezone=True), nullable=null)

    def text(name: str) -> sa.Column:
        return sa.Column(name, sa.Text(), nullable=False)

    def word(name: str, length: int, null: bool = False) -> sa.Column:
        return sa.Column(name, sa.String(length=length), nullable=null)

    op.create_table(
        "claim",
        word("id", 40),
        word("number", 90),
        word("order_id", 40),
        word("shipment_id", 40),
        word("customer_id", 40, null=True),
        word("currency", 3),
        word("kind", 20),
        word("wanted", 20),
        word("status", 12),
        word("channel", 20),
        text("statement"),
        word("police_report", 120),
        text("appeal"),
        sa.Column("covered", sa.Boolean(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        told("terms"),
        told("decision", null=True),
        sa.Column("payout_minor", sa.BigInteger(), nullable=False),
        sa.Column("recovered_minor", sa.BigInteger(), nullable=False),
        word("token_digest", 64),
        text("token_sealed"),
        word("decided_by", 120),
        text("note"),
        text("override_reason"),
        word("rejection_code", 40),
        text("cancel_reason"),
        moment("asked_at", null=False),
        moment("decided_at"),
        moment("appealed_at"),
        moment("paid_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], name=op.f("fk_claim_shop_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_claim_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_claim_shop_id_id")),
        sa.UniqueConstraint("shop_id", "number", name=op.f("uq_claim_shop_id_number")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_claim_token_digest")),
    )
    for columns in (["order_id"], ["status", "asked_at"], ["shipment_id"], ["customer_id"]):
        name = "_".join(("ix_claim_shop_id", *columns))
        op.create_index(op.f(name), "claim", ["shop_id", *columns])
    op.create_table(
        "claim_unit",
        word("claim_id", 40),
        sa.Column("unit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        word("sku", 120),
        word("title", 300),
        word("variant", 200),
        told("money"),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "claim_id"],
            ["claim.shop_id", "claim.id"],
            name=op.f("fk_claim_unit_shop_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_claim_unit_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("claim_id", "unit_id", name=op.f("pk_claim_unit")),
    )
    op.create_index(op.f("ix_claim_unit_shop_id_unit_id"), "claim_unit", ["shop_id", "unit_id"])
    op.add_column("photo", word("claim_id", 40, null=True))
    op.create_index(op.f("ix_photo_shop_id_claim_id"), "photo", ["shop_id", "claim_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_photo_shop_id_claim_id"), table_name="photo")
    op.drop_column("photo", "claim_id")
    op.drop_table("claim_unit")
    op.drop_table("claim")
