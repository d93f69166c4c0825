"""A shipment: one parcel, what its carrier said about it, and what follows from that."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.db import Base, BigId, new_id
from portal.models.order import Order
from portal.tenancy import OfShop


class Shipment(OfShop, Base):
    """One parcel of an order. Its state is always derived from its scans, never set by hand."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "order_id"),
        Index(None, "provider_id"),
        Index(None, "shop_id", "number_key"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("shp", clock.now())
    )
    order_id: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)
    carrier: Mapped[str] = mapped_column(String(80), default="")  # as the shop names it
    carrier_code: Mapped[str] = mapped_column(String(80), default="")  # as the provider does, or ""
    service: Mapped[str] = mapped_column(String(120), default="")
    tracking_number: Mapped[str] = mapped_column(String(80), default="")
    number_key: Mapped[str] = mapped_column(String(80), default="")  # upper case, no blanks
    shipped_at: Mapped[datetime | None]

    provider: Mapped[str] = mapped_column(String(20), default="easypost")
    provider_id: Mapped[str | None] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(24), default="unknown")
    detail: Mapped[str] = mapped_column(String(60), default="")
    overlays: Mapped[list[str]] = mapped_column(default=list)
    status_since: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    last_scan_at: Mapped[datetime | None]
    signed_by: Mapped[str] = mapped_column(String(120), default="")
    eta_date: Mapped[date | None]  # the carrier's date, local to the destination
    first_eta_date: Mapped[date | None]  # the first one shown, kept beside a later one
    top_status: Mapped[str] = mapped_column(String(24), default="")  # counts where no scan does
    top_detail: Mapped[str] = mapped_column(String(60), default="")

    problem: Mapped[str] = mapped_column(String(60), default="")  # code of what staff must look at
    problem_text: Mapped[str] = mapped_column(Text, default="")
    problem_fix: Mapped[str] = mapped_column(Text, default="")
    problem_since: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]  # last answer from the carrier, by poll or hook
    polled_at: Mapped[datetime | None]
    polls: Mapped[int] = mapped_column(default=0)
    hooked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    order: Mapped[Order] = relationship()
    lines: Mapped[list[ShipmentLine]] = relationship(cascade="all, delete-orphan")


class ShipmentLine(OfShop, Base):
    """How many units of an order line travel in a parcel."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["shop_id", "shipment_id"], ["shipment.shop_id", "shipment.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["shop_id", "line_id"], ["order_line.shop_id", "order_line.id"], ondelete="CASCADE"
        ),
    )

    shipment_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    line_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    quantity: Mapped[int]


class StoredScan(OfShop, Base):
    """One scan, kept once whatever the ways it came in, and never thrown away."""

    __tablename__ = "scan"
    __table_args__ = (
        UniqueConstraint("shipment_id", "key"),
        Index(None, "shipment_id", "at"),
        ForeignKeyConstraint(
            ["shop_id", "shipment_id"], ["shipment.shop_id", "shipment.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shipment_id: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    offset_minutes: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(24))
    detail: Mapped[str] = mapped_column(String(60), default="")
    code: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    city: Mapped[str | None] = mapped_column(String(200))
    region: Mapped[str | None] = mapped_column(String(120))
    country: Mapped[str | None] = mapped_column(String(80))
    postcode: Mapped[str | None] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(80), default="")  # the carrier, as the provider says
    flag: Mapped[str] = mapped_column(String(20), default="")  # future, unknown, older_parcel
    via: Mapped[str] = mapped_column(String(10), default="poll")  # poll or hook
    raw: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)
