"""Returns: policies, claims on units, returns, exchanges, labels, settlements, the ledgers."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import portal.db
from returns.policy import Policy
from returns.standard import standard_policy

revision = "0002_returns"
down_revision = "0001_first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column(
            "document",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "expectations",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("since", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=120), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_policy_version_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_policy_version_shop_id_id")),
        sa.UniqueConstraint("shop_id", "version", name=op.f("uq_policy_version_shop_id_version")),
    )
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policy_version_shop_id_since"), ["shop_id", "since"], unique=False
        )

    op.create_table(
        "credit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("customer_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "customer_id"],
            ["customer.shop_id", "customer.id"],
            name=op.f("fk_credit_entry_shop_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "lot_id"],
            ["credit_entry.shop_id", "credit_entry.id"],
            name=op.f("fk_credit_entry_shop_id_lot_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_credit_entry_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_entry")),
        sa.UniqueConstraint("shop_id", "cause", name=op.f("uq_credit_entry_shop_id_cause")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_credit_entry_shop_id_id")),
    )
    with op.batch_alter_table("credit_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_credit_entry_shop_id_customer_id_id"),
            ["shop_id", "customer_id", "id"],
            unique=False,
        )

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_ledger_entry_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_ledger_entry_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("shop_id", "cause", name=op.f("uq_ledger_entry_shop_id_cause")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_entry_shop_id_order_id_id"),
            ["shop_id", "order_id", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_ledger_entry_shop_id_reference"), ["shop_id", "reference"], unique=False
        )

    op.create_table(
        "rma",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=90), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("label_minor", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.String(length=100), nullable=False),
        sa.Column(
            "quoted",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=False),
        sa.Column("rejection_code", sa.String(length=40), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.Column("requested_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("expires_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("shipped_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("checked_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_rma_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_rma_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rma")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_rma_shop_id_id")),
        sa.UniqueConstraint("shop_id", "number", name=op.f("uq_rma_shop_id_number")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_rma_token_digest")),
    )
    with op.batch_alter_table("rma", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rma_shop_id_customer_id"), ["shop_id", "customer_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_rma_shop_id_order_id"), ["shop_id", "order_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_rma_shop_id_status_requested_at"),
            ["shop_id", "status", "requested_at"],
            unique=False,
        )

    op.create_table(
        "settlement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "amounts",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("payment", sa.String(length=120), nullable=False),
        sa.Column("exchange_id", sa.String(length=40), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("created_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("performing_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name=op.f("fk_settlement_shop_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_settlement_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_settlement_shop_id_id")),
    )
    with op.batch_alter_table("settlement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_settlement_shop_id_order_id"), ["shop_id", "order_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_settlement_shop_id_reference"), ["shop_id", "reference"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_settlement_shop_id_status_created_at"),
            ["shop_id", "status", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_settlement_shop_id_subject"), ["shop_id", "subject"], unique=False
        )

    op.create_table(
        "rma_line",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("rma_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("variant", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=40), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("resolution", sa.String(length=20), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("exchange_sku", sa.String(length=120), nullable=False),
        sa.Column("fallback", sa.String(length=140), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("decided_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "decision",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "facts",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "rma_id"],
            ["rma.shop_id", "rma.id"],
            name=op.f("fk_rma_line_shop_id_rma_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_rma_line_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rma_line")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_rma_line_shop_id_id")),
    )
    with op.batch_alter_table("rma_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rma_line_shop_id_rma_id"), ["shop_id", "rma_id"], unique=False
        )

    op.create_table(
        "exchange",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("rma_id", sa.String(length=40), nullable=False),
        sa.Column("rma_line_id", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("is_even", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tax_included", sa.Boolean(), nullable=False),
        sa.Column("fallback", sa.String(length=140), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column(
            "difference",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("due_reference", sa.String(length=120), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.Column("expires_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "rma_id"],
            ["rma.shop_id", "rma.id"],
            name=op.f("fk_exchange_shop_id_rma_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "rma_line_id"],
            ["rma_line.shop_id", "rma_line.id"],
            name=op.f("fk_exchange_shop_id_rma_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_exchange_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_exchange_shop_id_id")),
    )
    with op.batch_alter_table("exchange", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_exchange_shop_id_rma_id"), ["shop_id", "rma_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_exchange_shop_id_status_expires_at"),
            ["shop_id", "status", "expires_at"],
            unique=False,
        )

    op.create_table(
        "label",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("rma_id", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("carrier", sa.String(length=80), nullable=False),
        sa.Column("service", sa.String(length=120), nullable=False),
        sa.Column("tracking_number", sa.String(length=80), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=60), nullable=False),
        sa.Column("rate_id", sa.String(length=60), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("pdf_url", sa.Text(), nullable=False),
        sa.Column("png_url", sa.Text(), nullable=False),
        sa.Column("qr_url", sa.Text(), nullable=False),
        sa.Column("shipment_id", sa.String(length=40), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("done_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("voided_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "rma_id"], ["rma.shop_id", "rma.id"], name=op.f("fk_label_shop_id_rma_id")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "shipment_id"],
            ["shipment.shop_id", "shipment.id"],
            name=op.f("fk_label_shop_id_shipment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_label_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("shop_id", "id", name=op.f("uq_label_shop_id_id")),
    )
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_label_shop_id_created_at"), ["shop_id", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_label_shop_id_rma_id"), ["shop_id", "rma_id"], unique=False
        )

    op.create_table(
        "rma_unit",
        sa.Column("rma_line_id", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "money",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("reception", sa.String(length=20), nullable=False),
        sa.Column("acceptance", sa.String(length=20), nullable=False),
        sa.Column("condition", sa.String(length=1), nullable=False),
        sa.Column("disposition", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("settlement_id", sa.String(length=40), nullable=True),
        sa.Column("received_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("judged_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("restocked_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "rma_line_id"],
            ["rma_line.shop_id", "rma_line.id"],
            name=op.f("fk_rma_unit_shop_id_rma_line_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "settlement_id"],
            ["settlement.shop_id", "settlement.id"],
            name=op.f("fk_rma_unit_shop_id_settlement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_rma_unit_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rma_line_id", "unit_id", name=op.f("pk_rma_unit")),
    )
    with op.batch_alter_table("rma_unit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rma_unit_shop_id_unit_id"), ["shop_id", "unit_id"], unique=False
        )

    op.create_table(
        "unit_claim",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("claimed_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "unit_id"],
            ["unit.shop_id", "unit.id"],
            name=op.f("fk_unit_claim_shop_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_unit_claim_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_claim")),
        sa.UniqueConstraint("shop_id", "unit_id", name=op.f("uq_unit_claim_shop_id_unit_id")),
    )
    with op.batch_alter_table("unit_claim", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_unit_claim_shop_id_holder"), ["shop_id", "holder"], unique=False
        )

    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rma_id", sa.String(length=40), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_shipment_shop_id_rma_id"), ["shop_id", "rma_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_shipment_shop_id_rma_id"),
            "rma",
            ["shop_id", "rma_id"],
            ["shop_id", "id"],
        )

    _give_every_shop_its_policy()
    _write_what_was_captured()


def _give_every_shop_its_policy() -> None:
    """Shops of before have the standard policy from the beginning, as new ones do."""
    shops = sa.table("shop", sa.column("id"), sa.column("currency"), sa.column("timezone"))
    json = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
    moment = portal.db.UtcDateTime(timezone=True)
    policies = sa.table(
        "policy_version",
        *(sa.column(name) for name in ("shop_id", "version", "hash", "note")),
        *(sa.column(name) for name in ("created_by", "published_by")),
        *(sa.column(name, json) for name in ("document", "expectations")),
        *(sa.column(name, moment) for name in ("since", "created_at")),
    )
    for shop in op.get_bind().execute(sa.select(shops)).all():
        document = Policy.from_json(standard_policy(shop.currency, shop.timezone))
        op.get_bind().execute(
            policies.insert().values(
                shop_id=shop.id,
                version=1,
                hash=document.hash,
                document=document.to_json(),
                expectations={},
                since=datetime(1970, 1, 1, tzinfo=UTC),
                created_at=datetime.now(UTC),
                **dict.fromkeys(("note", "created_by", "published_by"), ""),
            )
        )


def _write_what_was_captured() -> None:
    """Open the ledger of every order that was paid before there was one."""
    op.execute(
        """
        INSERT INTO ledger_entry
          (shop_id, at, order_id, kind, amount_minor, currency, reference, subject, cause)
        SELECT shop_id, created_at, id, 'captured', captured_minor, currency, payment_reference,
          '', id || ':captured:1'
        FROM orders WHERE captured_minor > 0
        """
    )


def downgrade() -> None:

    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_shipment_shop_id_rma_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_shipment_shop_id_rma_id"))
        batch_op.drop_column("rma_id")

    with op.batch_alter_table("unit_claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_claim_shop_id_holder"))

    op.drop_table("unit_claim")
    with op.batch_alter_table("rma_unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rma_unit_shop_id_unit_id"))

    op.drop_table("rma_unit")
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_label_shop_id_rma_id"))
        batch_op.drop_index(batch_op.f("ix_label_shop_id_created_at"))

    op.drop_table("label")
    with op.batch_alter_table("exchange", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exchange_shop_id_status_expires_at"))
        batch_op.drop_index(batch_op.f("ix_exchange_shop_id_rma_id"))

    op.drop_table("exchange")
    with op.batch_alter_table("rma_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rma_line_shop_id_rma_id"))

    op.drop_table("rma_line")
    with op.batch_alter_table("settlement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_settlement_shop_id_subject"))
        batch_op.drop_index(batch_op.f("ix_settlement_shop_id_status_created_at"))
        batch_op.drop_index(batch_op.f("ix_settlement_shop_id_reference"))
        batch_op.drop_index(batch_op.f("ix_settlement_shop_id_order_id"))

    op.drop_table("settlement")
    with op.batch_alter_table("rma", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rma_shop_id_status_requested_at"))
        batch_op.drop_index(batch_op.f("ix_rma_shop_id_order_id"))
        batch_op.drop_index(batch_op.f("ix_rma_shop_id_customer_id"))

    op.drop_table("rma")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entry_shop_id_reference"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_shop_id_order_id_id"))

    op.drop_table("ledger_entry")
    with op.batch_alter_table("credit_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_entry_shop_id_customer_id_id"))

    op.drop_table("credit_entry")
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_version_shop_id_since"))

    op.drop_table("policy_version")
