"""Outgoing webhooks: endpoints, what happened, what was sent, up to where the trail was read.

Safe while an older version runs: it knows nothing of the tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import portal.db

revision = "0019_webhooks"
down_revision = "0015_asking"
branch_labels = None
depends_on = None

Json = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def moment(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, portal.db.UtcDateTime(timezone=True), nullable=null)


def word(name: str, length: int) -> sa.Column:
    return sa.Column(name, sa.String(length=length), nullable=False)


def of_shop(table: str) -> tuple:
    return (
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f(f"fk_{table}_shop_id_shop"), ondelete="CASCADE"
        ),
    )


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        word("id", 40),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", Json, nullable=False),
        word("description", 200),
        word("status", 12),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("old_sealed", sa.Text(), nullable=False),
        moment("old_until", null=True),
        moment("failing_since", null=True),
        moment("created_at"),
        *of_shop("webhook_endpoint"),
        unique("webhook_endpoint", "shop_id", "id"),
    )
    op.create_index(op.f("ix_webhook_endpoint_status"), "webhook_endpoint", ["status"])
    op.create_table(
        "webhook_event",
        word("id", 40),
        word("key", 80),
        word("type", 40),
        word("subject", 40),
        moment("at"),
        *of_shop("webhook_event"),
        unique("webhook_event", "shop_id", "id"),
        unique("webhook_event", "shop_id", "key"),
    )
    op.create_index(op.f("ix_webhook_event_at"), "webhook_event", ["at"])
    op.create_index(op.f("ix_webhook_event_shop_id_at"), "webhook_event", ["shop_id", "at"])
    op.create_table(
        "webhook_delivery",
        word("id", 40),
        word("endpoint_id", 40),
        word("event_id", 40),
        word("status", 8),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        moment("created_at"),
        moment("done_at", null=True),
        *of_shop("webhook_delivery"),
        unique("webhook_delivery", "shop_id", "endpoint_id", "event_id"),
        sa.ForeignKeyConstraint(
            ["shop_id", "endpoint_id"],
            ["webhook_endpoint.shop_id", "webhook_endpoint.id"],
            name=op.f("fk_webhook_delivery_shop_id_webhook_endpoint"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "event_id"],
            ["webhook_event.shop_id", "webhook_event.id"],
            name=op.f("fk_webhook_delivery_shop_id_webhook_event"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_webhook_delivery_event_id"), "webhook_delivery", ["event_id"])
    op.create_table(
        "webhook_place",
        sa.Column("id", BigId, nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        *of_shop("webhook_place"),
        unique("webhook_place", "shop_id"),
    )


def downgrade() -> None:
    for table in ("webhook_place", "webhook_delivery", "webhook_event", "webhook_endpoint"):
        op.drop_table(table)
