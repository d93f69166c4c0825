"""Protection: plans, the cover of orders, and pages to pay at.

Safe while an older version runs: it knows nothing of the tables, and leaves the column at nought.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import portal.db

revision = "0007_protection"
down_revision = "0009_claims"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _plans()
    _covers()
    _checkouts()
    paid = sa.Column("cover_minor", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("orders", paid)


def downgrade() -> None:
    op.drop_column("orders", "cover_minor")
    op.drop_table("checkout")
    op.drop_table("protection")
    op.drop_table("protection_plan")


def _plans() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "protection_plan",
        sa.Column("id", big, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _word("hash", 64),
        _told("document"),
        _moment("since", null=False),
        sa.Column("note", sa.Text(), nullable=False),
        _word("created_by", 120),
        _moment("created_at", null=False),
        *_of_shop("protection_plan"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protection_plan")),
        sa.UniqueConstraint("shop_id", "version", name=op.f("uq_protection_plan_shop_id_version")),
    )


def _covers() -> None:
    amounts = ("premium_minor", "climate_minor", "cover_minor", "parcel_minor")
    op.create_table(
        "protection",
        _word("id", 40),
        _word("order_id", 40),
        _word("status", 12),
        _word("reason", 40),
        _word("channel", 20),
        _word("quote_id", 40, null=True),
        _word("quote_digest", 64),
        sa.Column("plan_version", sa.Integer(), nullable=True),
        _word("currency", 3),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in amounts),
        sa.Column("covers_return", sa.Boolean(), nullable=False),
        _told("consent"),
        _word("payment", 120),
        _moment("created_at", null=False),
        _moment("started_at"),
        _moment("cancelled_at"),
        _moment("ended_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_of_shop("protection"),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_protection_shop_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protection")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_protection_shop_id_id")),
        sa.UniqueConstraint("shop_id", "quote_id", name=op.f("uq_protection_shop_id_quote_id")),
    )
    for columns in (["order_id"], ["status", "created_at"]):
        name = "_".join(("ix_protection_shop_id", *columns))
        op.create_index(op.f(name), "protection", ["shop_id", *columns])


def _checkouts() -> None:
    op.create_table(
        "checkout",
        _word("id", 40),
        _word("kind", 12),
        _word("status", 12),
        _word("order_id", 40, null=True),
        _told("document"),
        _told("items"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        _word("currency", 3),
        _word("email", 254),
        _word("page", 120),
        _word("payment", 120),
        _word("token_digest", 64),
        _moment("created_at", null=False),
        _moment("done_at"),
        *_of_shop("checkout"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_checkout_shop_id_id")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_checkout_token_digest")),
    )
    op.create_index(op.f("ix_checkout_shop_id_order_id"), "checkout", ["shop_id", "order_id"])


def _of_shop(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_shop_id_shop")
    return (
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=name, ondelete="CASCADE"),
    )


def _told(name: str) -> sa.Column:
    kind = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
    return sa.Column(name, kind, nullable=False)


def _moment(name: str, null: bool = True) -> sa.Column:
    return sa.Column(name, portal.db.UtcDateTime(timezone=True), nullable=null)


def _word(name: str, length: int, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length=length), nullable=null)
