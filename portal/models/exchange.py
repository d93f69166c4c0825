"""An exchange: another variant instead, kept for the customer until it is ordered or let go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.models.catalog import Variant
from portal.models.change import Conflict
from portal.models.due import plan
from portal.models.rma_line import ReturnLine
from portal.tenancy import OfShop, shop_in_scope
from returns.lifecycle import EXCHANGE, NotAllowed

HELD: Final = timedelta(days=30)  # how long the other variant is kept
OPEN: Final = ("wanted", "waiting", "reserved")
OTHER_VARIANT: Final = "variant:"


class Exchange(OfShop, Base):
    """What a return line is exchanged for. `status` is one of returns.lifecycle.EXCHANGE."""

    __tablename__ = "exchange"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "rma_id"),
        Index(None, "shop_id", "status", "expires_at"),
        ForeignKeyConstraint(["shop_id", "rma_id"], ["rma.shop_id", "rma.id"]),
        ForeignKeyConstraint(["shop_id", "rma_line_id"], ["rma_line.shop_id", "rma_line.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("exc", clock.now())
    )
    rma_id: Mapped[str] = mapped_column(String(40))
    rma_line_id: Mapped[str] = mapped_column(String(40))
    sku: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(300), default="")
    quantity: Mapped[int]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)  # frozen when it was approved
    is_even: Mapped[bool] = mapped_column(Boolean, default=False)  # same product and price
    currency: Mapped[str] = mapped_column(String(3))
    tax_included: Mapped[bool] = mapped_column(default=True)
    fallback: Mapped[str] = mapped_column(String(140), default="")
    status: Mapped[str] = mapped_column(String(12), default="wanted")
    counted: Mapped[int] = mapped_column(default=0)  # pieces taken off the variant's count
    difference: Mapped[dict[str, Any]] = mapped_column(default=dict)  # returns.money.Difference
    due_reference: Mapped[str] = mapped_column(String(120), default="")  # how what was due was paid
    order_id: Mapped[str | None] = mapped_column(String(40))  # the order it became
    expires_at: Mapped[datetime | None]  # of the reservation
    is_ahead: Mapped[bool] = mapped_column(default=False)  # sent before anything came back
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def want(line: ReturnLine, variant: Variant, product: str, now: datetime) -> Exchange:
        """Keep `variant` for a line that was approved, else what was chosen for that case.

        `product` is the order line's. The price is frozen: what the variant costs now, or, for the
        same product at the same price, exactly what was paid.
        """
        price = line.units[0].share.price_minor
        made = Exchange(
            id=new_id("exc", now),
            rma_id=line.rma_id,
            rma_line_id=line.id,
            sku=variant.sku,
            title=variant.title,
            quantity=len(line.units),
            unit_price_minor=variant.price_minor,
            is_even=bool(product) and (product, price) == (variant.product, variant.price_minor),
            currency=variant.currency,
            tax_included=variant.tax_included,
            fallback=line.fallback,
            status="wanted",
            counted=0,
            created_at=now,
        )
        session.add(made)
        session.flush()
        made.reserve(line, now)
        return made

    def reserve(self, line: ReturnLine, now: datetime) -> None:
        """Take the pieces off the variant's count, or do what was chosen where there are none."""
        if self._take(now):
            self.move("reserve")
            self.expires_at = now + HELD
            plan("expire", self.id, self.shop_id or shop_in_scope(), self.expires_at)
        elif self.fallback.startswith(OTHER_VARIANT):
            self._try_other(line, now)
        elif self.fallback == "wait":
            if self.status == "wanted":
                self.move("wait")
        else:
            self.fall_back(line)

    def release(self) -> None:
        """Let go of the variant: the return does not come to an exchange. Only once."""
        self.move("release")
        self._put_back(self.counted)

    def fall_back(self, line: ReturnLine) -> None:
        """Credit or refund instead, as chosen beforehand."""
        self.move("fall_back")
        self._put_back(self.counted)
        line.resolution = "store_credit" if self.fallback == "store_credit" else "refund"

    def shrink(self, quantity: int) -> None:
        """Fewer came back than were announced: keep only so many pieces."""
        surplus = self.quantity - quantity
        self._put_back(min(surplus, self.counted))
        self.quantity = quantity

    def ordered(self, order_id: str) -> None:
        """The pieces belong to an order now."""
        self.move("order")
        self.order_id, self.counted, self.expires_at = order_id, 0, None

    def move(self, move: str) -> None:
        """Move on by the table of exchanges. Raises Conflict with a sentence."""
        try:
            self.status = EXCHANGE.after(move, self.status)
        except NotAllowed as error:
            raise Conflict(str(error)) from error

    def _try_other(self, line: ReturnLine, now: datetime) -> None:
        other = Variant.of(self.fallback.removeprefix(OTHER_VARIANT))
        self.fallback = "refund"
        if other is not None and other.currency == self.currency:
            self.sku, self.title = other.sku, other.title
            self.is_even = self.is_even and other.price_minor == self.unit_price_minor
            self.unit_price_minor, self.tax_included = other.price_minor, other.tax_included
            line.exchange_sku = other.sku
        self.reserve(line, now)

    def _take(self, now: datetime) -> bool:
        """One conditional statement: of two who want the last piece one gets it."""
        taken = session.execute(
            update(Variant)
            .where(
                Variant.sku == self.sku,
                or_(Variant.available.is_(None), Variant.available >= self.quantity),
            )
            .values(available=Variant.available - self.quantity, updated_at=now)
            .returning(Variant.available)
            .execution_options(synchronize_session=False)
        ).first()
        if taken is not None and taken.available is not None:
            self.counted = self.quantity
        return taken is not None

    def _put_back(self, pieces: int) -> None:
        if not pieces:
            return
        session.execute(
            update(Variant)
            .where(Variant.sku == self.sku)
            .values(available=Variant.available + pieces)
            .execution_options(synchronize_session=False)
        )
        self.counted -= pieces


def exchanges_of(rma_id: str) -> list[Exchange]:
    """A return's exchanges, oldest first."""
    wanted = select(Exchange).where(Exchange.rma_id == rma_id)
    return list(session.scalars(wanted.order_by(Exchange.created_at, Exchange.id)))
