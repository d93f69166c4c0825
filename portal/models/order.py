"""An order: what was bought, by line and by unit, and where it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import clock
from portal.db import Base, BigId, new_id
from portal.tenancy import OfShop


class Order(OfShop, Base):
    """One order of one shop. `number` is unique in the shop for ever."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "number_key"),
        Index(None, "shop_id", "updated_at", "id"),
        Index(None, "shop_id", "email_key"),
        ForeignKeyConstraint(["shop_id", "customer_id"], ["customer.shop_id", "customer.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("ord", clock.now())
    )
    number: Mapped[str] = mapped_column(String(80))
    number_key: Mapped[str] = mapped_column(String(80))
    customer_id: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    locale: Mapped[str] = mapped_column(String(10), default="")
    placed_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    address: Mapped[dict[str, Any]] = mapped_column(default=dict)  # as posted: name … country
    timezone: Mapped[str] = mapped_column(String(60), default="")  # of the destination, if known
    discount_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    shipping_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    shipping_tax_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    payment_provider: Mapped[str] = mapped_column(String(40), default="")
    payment_reference: Mapped[str] = mapped_column(String(120), default="")
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    protection_quote: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20), default="placed")
    cancelled_at: Mapped[datetime | None]
    rights_end_at: Mapped[datetime | None]  # the last right on the order; links live 180 days more
    version: Mapped[int] = mapped_column(default=1)  # goes up with every change a page would show
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    lines: Mapped[list[OrderLine]] = relationship(
        order_by="OrderLine.position", cascade="all, delete-orphan", back_populates="order"
    )


class OrderLine(OfShop, Base):
    """One line of an order. `discount_minor` and `tax_minor` are the line's totals."""

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("order_id", "position"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    sku: Mapped[str] = mapped_column(String(120))
    product: Mapped[str] = mapped_column(String(120), default="")
    variant: Mapped[str] = mapped_column(String(200), default="")
    title: Mapped[str] = mapped_column(String(300))
    category: Mapped[str] = mapped_column(String(120), default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_included: Mapped[bool] = mapped_column(default=True)
    image_url: Mapped[str] = mapped_column(String(2000), default="")
    final_sale: Mapped[bool] = mapped_column(default=False)
    weight_g: Mapped[int | None]

    order: Mapped[Order] = relationship(back_populates="lines")
    units: Mapped[list[Unit]] = relationship(
        order_by="Unit.n", cascade="all, delete-orphan", back_populates="line"
    )


class Unit(OfShop, Base):
    """One piece of a line, with its share of everything, split once by largest remainder."""

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("line_id", "n"),
        ForeignKeyConstraint(
            ["shop_id", "line_id"], ["order_line.shop_id", "order_line.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    line_id: Mapped[int] = mapped_column(BigInteger)
    n: Mapped[int]
    price_minor: Mapped[int] = mapped_column(BigInteger)
    discount_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    shipping_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    shipping_tax_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    cover_minor: Mapped[int] = mapped_column(BigInteger, default=0)

    line: Mapped[OrderLine] = relationship(back_populates="units")
