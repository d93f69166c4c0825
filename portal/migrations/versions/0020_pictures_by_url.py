"""Pictures are found by their URL: a page read every picture of its shop.

Safe while an older version runs: it only finds them sooner.
"""

from alembic import op

revision = "0020_pictures_by_url"
down_revision = "0019_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A hash: a URL may be longer than PostgreSQL's other indexes take.
    op.create_index(op.f("ix_picture_url"), "picture", ["url"], postgresql_using="hash")


def downgrade() -> None:
    op.drop_index(op.f("ix_picture_url"), table_name="picture")
