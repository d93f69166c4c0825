"""What of an order travels in which parcel."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base
from portal.tenancy import OfShop


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
