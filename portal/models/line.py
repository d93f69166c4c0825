"""The lines of an order and their units: matched to what is posted, split once, stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from portal.db import Base, BigId, session
from portal.models.change import Conflict, assign
from portal.models.unit_claim import UnitClaim, held_units
from portal.sources.document import LineDocument
from portal.sources.sentences import wrong
from portal.tenancy import OfShop
from returns.money import LineMoney, UnitMoney, spread_units

if TYPE_CHECKING:
    from portal.models.order import Order

OUT_OF_THE_WAY = 100_000  # positions are unique, so lines that change places step aside first
SHARES = (
    *("price_minor", "discount_minor", "tax_minor"),
    *("shipping_minor", "shipping_tax_minor", "cover_minor"),
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
    claim: Mapped[UnitClaim | None] = relationship(
        primaryjoin=lambda: Unit.id == foreign(UnitClaim.unit_id), viewonly=True
    )


def replace_lines(order: Order, posted: Sequence[LineDocument]) -> bool:
    """Make the order's lines those posted; a line with the same sku keeps its row. True if changed.

    Raises Conflict where units that are held elsewhere would go.
    """
    held = _held(order.lines)
    kept = _matched(order.lines, posted)
    gone = [line for line in order.lines if line not in kept]
    for row in gone:
        _may_shrink(row, 0, held)
        order.lines.remove(row)
    moved = any(line and line.position != place for place, line in enumerate(kept))
    if moved:
        for row in order.lines:
            row.position += OUT_OF_THE_WAY
    if gone or moved:
        session.flush()
    changed = bool(gone) or moved
    for place, (line, each) in enumerate(zip(kept, posted, strict=True)):
        values: dict[str, Any] = {**each.model_dump(), "position": place}
        if line is None:
            order.lines.append(OrderLine(**values, units=[]))
            changed = True
            continue
        _may_shrink(line, each.quantity, held)
        changed = bool(assign(line, values)) or changed
    return changed


def _matched(lines: Sequence[OrderLine], posted: Sequence[LineDocument]) -> list[OrderLine | None]:
    """For each posted line its row: the same sku in the same place, else the next of that sku."""
    found: list[OrderLine | None] = [None] * len(posted)
    free = {line.position: line for line in lines}
    for place, each in enumerate(posted):
        if place in free and free[place].sku == each.sku:
            found[place] = free.pop(place)
    by_sku: dict[str, list[OrderLine]] = {}
    for _, line in sorted(free.items()):
        by_sku.setdefault(line.sku, []).append(line)
    for place, each in enumerate(posted):
        if found[place] is None and by_sku.get(each.sku):
            found[place] = by_sku[each.sku].pop(0)
    return found


def _held(lines: Iterable[OrderLine]) -> set[int]:
    """The units of these lines that a return, a claim or a refund holds."""
    return held_units(unit.id for line in lines for unit in line.units)


def _may_shrink(line: OrderLine, quantity: int, held: set[int]) -> None:
    count = sum(unit.id in held for unit in line.units)
    if quantity < count:
        raise Conflict(
            f"{count} of {line.sku} are in a return, a claim or a refund, so that the line cannot "
            f"go down to {quantity}. Nothing was changed."
        )


def split_units(order: Order) -> None:
    """Split the order's money over its units and store the shares. Raises Invalid."""
    lines = sorted(order.lines, key=lambda line: line.position)
    if not lines:
        return
    try:
        shares = spread_units(
            [_money(line) for line in lines],
            discount_minor=order.discount_minor,
            shipping_minor=order.shipping_minor,
            shipping_tax_minor=order.shipping_tax_minor,
            cover_minor=order.cover_minor,
        )
    except ValueError as error:
        raise wrong("discount_minor", str(error)) from error
    by_line: list[list[UnitMoney]] = [[] for _ in lines]
    for share in shares:
        by_line[share.line].append(share)
    shrinking = [
        line for line, own in zip(lines, by_line, strict=True) if len(line.units) > len(own)
    ]
    held = _held(shrinking) if shrinking else set()
    for line, own in zip(lines, by_line, strict=True):
        _store(line, own, held)


def _money(line: OrderLine) -> LineMoney:
    return LineMoney(
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        discount_minor=line.discount_minor,
        tax_minor=line.tax_minor,
        tax_included=line.tax_included,
    )


def _store(line: OrderLine, shares: Sequence[UnitMoney], held: set[int]) -> None:
    """Give each unit its share; what is too many goes from the end, past those that are held."""
    surplus = max(0, len(line.units) - len(shares))
    for unit in [each for each in reversed(line.units) if each.id not in held][:surplus]:
        line.units.remove(unit)
    kept, first_free = len(line.units), 1 + max((unit.n for unit in line.units), default=-1)
    for place, share in enumerate(shares):
        amounts = {name: value for name, value in asdict(share).items() if name in SHARES}
        if place < kept:
            assign(line.units[place], amounts)
        else:
            line.units.append(Unit(n=first_free + place - kept, **amounts))
