"""What an order is called: its tags, its customer's, and whether it is a gift.

Safe while an older version runs: the columns have values where it writes none.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_order_kinds"
down_revision = "0004_photos"
branch_labels = None
depends_on = None

TAGS = ("tags", "customer_tags")


def upgrade() -> None:
    for name in TAGS:
        kind = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
        op.add_column("orders", sa.Column(name, kind, nullable=False, server_default="[]"))
    gift = sa.Column("gift", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("orders", gift)


def downgrade() -> None:
    for name in ("gift", *TAGS):
        op.drop_column("orders", name)
