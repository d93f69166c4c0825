"""What a refund owes and its provider cannot move: it counts coins of a size of its own.

Safe while an older version runs: it leaves the column at its default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018_fine_amounts"
down_revision = "0008_instant_exchange"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "settlement", sa.Column("short_minor", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    with op.batch_alter_table("settlement") as table:
        table.drop_column("short_minor")
