"""Which orders' pages show something else now, for the pages that are open.

Safe while an older version runs: the trigger writes into a table it knows nothing of.
"""

import sqlalchemy as sa
from alembic import op

import portal.db
from portal.migrations.order_change import ignore_changes, note_changes

revision = "0012_change"
down_revision = "0018_fine_amounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("id", portal.db.BigId, nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_change_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sqlite_autoincrement=True,
    )
    note_changes(op.get_bind())


def downgrade() -> None:
    ignore_changes(op.get_bind())
    op.drop_table("change")
