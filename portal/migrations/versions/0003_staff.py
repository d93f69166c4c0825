"""The people who work here.

Safe while an older version runs: it knows nothing of the table.
"""

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0003_staff"
down_revision = "0002_returns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("invitation_digest", sa.String(length=64), nullable=True),
        sa.Column("invitation_ends_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_staff_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_staff_fs_uniquifier")),
        sa.UniqueConstraint("invitation_digest", name=op.f("uq_staff_invitation_digest")),
        sa.UniqueConstraint("shop_id", "email", name=op.f("uq_staff_shop_id_email")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_staff_shop_id_id")),
    )


def downgrade() -> None:
    op.drop_table("staff")
