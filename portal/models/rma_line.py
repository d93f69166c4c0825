"""What a return consists of: lines with their frozen decision, and units, each with its fate."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from portal.models.change import Conflict
from portal.tenancy import OfShop
from returns.lifecycle import Life, NotAllowed
from returns.money import UnitMoney
from returns.receipt import effects_of
from returns.verdict import Effects

if TYPE_CHECKING:
    from portal.models.rma import Return


class ReturnLine(OfShop, Base):
    """Units of one order line that come back for one reason, and what was decided about them.

    `decision` is the whole receipt and `facts` all facts at that moment: both are frozen, so that
    a later change of price, order or policy changes nothing that was decided.
    """

    __tablename__ = "rma_line"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "rma_id"),
        ForeignKeyConstraint(["shop_id", "rma_id"], ["rma.shop_id", "rma.id"], ondelete="CASCADE"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    rma_id: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    # No foreign key: what was asked once stays on record after the shop took the line away. While
    # units are held, their claims keep them from being taken away.
    line_id: Mapped[int] = mapped_column(BigInteger)
    sku: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(300), default="")
    variant: Mapped[str] = mapped_column(String(200), default="")
    quantity: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(String(40), default="")
    statement: Mapped[str] = mapped_column(Text, default="")  # in the customer's own words
    resolution: Mapped[str] = mapped_column(String(20))  # as asked, then as given
    method: Mapped[str] = mapped_column(String(20), default="")
    exchange_sku: Mapped[str] = mapped_column(String(120), default="")
    fallback: Mapped[str] = mapped_column(
        String(140), default=""
    )  # where the other is not to be had
    outcome: Mapped[str] = mapped_column(String(10))
    decided_at: Mapped[datetime]
    decision: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]

    rma: Mapped[Return] = relationship(back_populates="lines")
    units: Mapped[list[ReturnUnit]] = relationship(
        order_by="ReturnUnit.unit_id", cascade="all, delete-orphan", back_populates="line"
    )

    @property
    def effects(self) -> Effects:
        """What the decision lets happen and at what price, out of its receipt."""
        return effects_of(self.decision)

    @property
    def keeps(self) -> bool:
        """Whether the customer keeps the item, or gives it away."""
        return bool(self.decision["effects"]["keep"])

    def moves_at(self) -> str:
        """When its money moves: label, first_scan, arrival or inspection."""
        return self.effects.money_moves_at(self.resolution)


class ReturnUnit(OfShop, Base):
    """One piece that comes back. Did it arrive, and do we accept it: two facts.

    `money` is its share of everything that was paid (returns.money.UnitMoney), as it was when the
    return was decided. `settlement_id` is the settlement that paid for it, if any.
    """

    __tablename__ = "rma_unit"
    __table_args__ = (
        Index(None, "shop_id", "unit_id"),
        ForeignKeyConstraint(
            ["shop_id", "rma_line_id"], ["rma_line.shop_id", "rma_line.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["shop_id", "settlement_id"], ["settlement.shop_id", "settlement.id"]),
    )

    rma_line_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    money: Mapped[dict[str, Any]]
    reception: Mapped[str] = mapped_column(String(20), default="awaited")
    acceptance: Mapped[str] = mapped_column(String(20), default="pending")
    condition: Mapped[str] = mapped_column(String(1), default="")  # A to D
    disposition: Mapped[str] = mapped_column(String(20), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    settlement_id: Mapped[str | None] = mapped_column(String(40))
    received_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]
    restocked_at: Mapped[datetime | None]

    line: Mapped[ReturnLine] = relationship(back_populates="units")

    @property
    def share(self) -> UnitMoney:
        """Its share of what was paid, as it was when the return was decided."""
        return UnitMoney(**self.money)

    @property
    def is_judged(self) -> bool:
        """Whether nothing more is awaited of it."""
        judged = self.reception == "received" and self.acceptance != "pending"
        return judged or self.reception in ("lost", "not_in_parcel")

    @property
    def is_payable(self) -> bool:
        """Whether it came back, was accepted, and has not been paid for."""
        return self.settlement_id is None and self.acceptance == "accepted"

    def advance(self, life: Life, name: str, move: str) -> None:
        """Move its reception or acceptance on by the table. Raises Conflict with a sentence."""
        try:
            setattr(self, name, life.after(move, getattr(self, name)))
        except NotAllowed as error:
            raise Conflict(f"{self.line.sku}: {error}") from error
