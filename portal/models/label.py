"""Labels for the way back: wanted here, bought by a job, never twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id
from portal.tenancy import OfShop


class Label(OfShop, Base):
    """One label. `status`: wanted, performing, done, failed, unknown, void_wanted, voided.

    When it is bought its parcel is a Shipment with `rma_id`: its scans move the return.
    """

    __tablename__ = "label"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "rma_id"),
        Index(None, "shop_id", "created_at"),
        ForeignKeyConstraint(["shop_id", "rma_id"], ["rma.shop_id", "rma.id"]),
        ForeignKeyConstraint(["shop_id", "shipment_id"], ["shipment.shop_id", "shipment.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("lbl", clock.now())
    )
    rma_id: Mapped[str] = mapped_column(String(40))
    method: Mapped[str] = mapped_column(String(20))  # label or qr
    status: Mapped[str] = mapped_column(String(12), default="wanted")
    carrier: Mapped[str] = mapped_column(String(80), default="")
    service: Mapped[str] = mapped_column(String(120), default="")
    tracking_number: Mapped[str] = mapped_column(String(80), default="")
    provider: Mapped[str] = mapped_column(String(20), default="easypost")
    provider_id: Mapped[str] = mapped_column(String(60), default="")  # of the provider's shipment
    rate_id: Mapped[str] = mapped_column(String(60), default="")
    cost_minor: Mapped[int | None] = mapped_column(BigInteger)  # what the shop paid for it
    currency: Mapped[str] = mapped_column(String(3), default="")
    pdf_url: Mapped[str] = mapped_column(Text, default="")
    png_url: Mapped[str] = mapped_column(Text, default="")
    qr_url: Mapped[str] = mapped_column(Text, default="")
    shipment_id: Mapped[str | None] = mapped_column(String(40))
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
