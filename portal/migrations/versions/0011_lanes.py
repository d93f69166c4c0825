"""Lanes: how long the shop's own parcels took, the window each one shows, and how windows held.

Safe while an older version runs: it leaves the new columns at their defaults, and its parcels are
taken in by the next daily round.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import portal.db

revision = "0011_lanes"
down_revision = "0016_desk"
branch_labels = None
depends_on = None

TOLD = ("window", "first_window", "forecast")
DAYS = ("handed_on", "near_on")


def upgrade() -> None:
    def told(name: str) -> sa.Column:
        kind = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
        return sa.Column(name, kind, server_default="{}", nullable=False)

    def word(name: str, length: int) -> sa.Column:
        return sa.Column(name, sa.String(length=length), nullable=False)

    def day(name: str) -> sa.Column:
        return sa.Column(name, sa.Date(), nullable=True)

    for name in TOLD:
        op.add_column("shipment", told(name))
    for name in DAYS:
        op.add_column("shipment", day(name))
    op.add_column(
        "shipment", sa.Column("origin", sa.String(length=130), server_default="", nullable=False)
    )
    op.add_column("shop", told("arrival_record"))
    op.add_column("orders", told("promise"))
    op.create_table(
        "lane_parcel",
        word("shipment_id", 40),
        word("origin", 130),
        word("country", 2),
        word("region", 120),
        word("area", 3),
        word("carrier", 80),
        word("service", 120),
        *(day(name) for name in ("handed_on", "near_on", "promised", "delivered_on")),
        sa.Column("delivered_at", portal.db.UtcDateTime(timezone=True), nullable=True),
        *(day(name) for name in ("shown_first", "shown_last")),
        word("shown_basis", 12),
        sa.Column("shown_parcels", sa.Integer(), nullable=False),
        day("shown_on"),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "shipment_id"],
            ["shipment.shop_id", "shipment.id"],
            name=op.f("fk_lane_parcel_shop_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_lane_parcel_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_lane_parcel")),
    )
    for columns in (["delivered_at", "shipment_id"], ["shown_last"]):
        name = "_".join(("ix_lane_parcel_shop_id", *columns))
        op.create_index(op.f(name), "lane_parcel", ["shop_id", *columns])
    op.create_table(
        "lane_book",
        sa.Column("id", sa.Integer(), nullable=False),
        word("digest", 64),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("built_at", portal.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("shop_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shop.id"], name=op.f("fk_lane_book_shop_id_shop"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane_book")),
        sa.UniqueConstraint("shop_id", name=op.f("uq_lane_book_shop_id")),
    )


def downgrade() -> None:
    op.drop_table("lane_book")
    op.drop_table("lane_parcel")
    op.drop_column("orders", "promise")
    op.drop_column("shop", "arrival_record")
    for name in ("origin", *DAYS, *TOLD):
        op.drop_column("shipment", name)
