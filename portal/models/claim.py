"""A claim: something went wrong on the way. What it does is in `claim_acts` and `claim_pay`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from portal import clock
from portal.db import Base, new_id, session
from portal.keys import digest, unseal
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.order import Order
from portal.models.shipment import Shipment
from portal.tenancy import OfShop
from returns.lifecycle import CLAIM, NotAllowed
from returns.money import UnitMoney

LIVE = ("waiting", "open", "needs_info", "approved")


class Claim(OfShop, Base):
    """What happened to which units of one parcel, what is wanted, and what came of it.

    `decision` is the receipt over frozen facts; `terms` are those of the day it was made.
    """

    __tablename__ = "claim"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "number"),
        UniqueConstraint("token_digest"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "status", "asked_at"),
        Index(None, "shop_id", "shipment_id"),
        Index(None, "shop_id", "customer_id"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("clm", clock.now())
    )
    number: Mapped[str] = mapped_column(String(90))  # <order number>-C1
    order_id: Mapped[str] = mapped_column(String(40))
    # No foreign key: what was claimed stays on record after the shop took the parcel away.
    shipment_id: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[str | None] = mapped_column(String(40))
    currency: Mapped[str] = mapped_column(String(3))
    kind: Mapped[str] = mapped_column(String(20))  # portal.protection.claim_terms.KINDS
    wanted: Mapped[str] = mapped_column(String(20))  # reship, refund, store_credit
    status: Mapped[str] = mapped_column(String(12), default="open")
    channel: Mapped[str] = mapped_column(String(20), default="page")  # page, api, staff
    statement: Mapped[str] = mapped_column(Text, default="")
    police_report: Mapped[str] = mapped_column(String(120), default="")
    appeal: Mapped[str] = mapped_column(Text, default="")  # why it should be looked at again
    covered: Mapped[bool] = mapped_column(default=False)
    opens_on: Mapped[date]  # local to the destination, as is last_day
    last_day: Mapped[date]
    terms: Mapped[dict[str, Any]]
    decision: Mapped[dict[str, Any] | None] = mapped_column(default=None)  # None while waiting
    payout_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    recovered_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # from the carrier
    token_digest: Mapped[str] = mapped_column(String(64))
    token_sealed: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(120), default="")  # "" while the rules did
    note: Mapped[str] = mapped_column(Text, default="")
    override_reason: Mapped[str] = mapped_column(Text, default="")
    rejection_code: Mapped[str] = mapped_column(String(40), default="")
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    appealed_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)  # goes up with every change

    order: Mapped[Order] = relationship()
    units: Mapped[list[ClaimUnit]] = relationship(
        order_by="ClaimUnit.unit_id", cascade="all, delete-orphan", back_populates="claim"
    )

    @staticmethod
    def locked(claim_id: str) -> Claim | None:
        """The claim with its units, for this transaction alone; None if there is none.

        Its order is locked first, as everybody does.
        """
        order = session.scalar(
            select(Order)
            .join(Claim, Claim.order_id == Order.id)
            .where(Claim.id == claim_id)
            .with_for_update(of=Order)
            .execution_options(populate_existing=True)
        )
        return None if order is None else Claim.read(claim_id)

    @staticmethod
    def read(claim_id: str) -> Claim | None:
        """The claim with its units, as it is now; None if there is none."""
        wanted = select(Claim).where(Claim.id == claim_id).options(joinedload(Claim.units))
        found = session.scalars(wanted.execution_options(populate_existing=True))
        return found.unique().one_or_none()

    @staticmethod
    def at(token: str) -> Claim | None:
        """The claim whose own page this token opens, if any."""
        return session.scalar(select(Claim).where(Claim.token_digest == digest(token)))

    @property
    def token(self) -> str:
        """The token of its own page. Raises Unsealable when the key it was sealed with is gone."""
        return unseal(self.token_sealed)

    @property
    def shipment(self) -> Shipment | None:
        """The parcel it is about; None once the shop took it away."""
        return session.get(Shipment, self.shipment_id)

    @property
    def paid_minor(self) -> int:
        """What was paid for the claimed units."""
        return sum(unit.share.paid_minor for unit in self.units)

    def seen_as(self, version: int) -> None:
        """Raises Conflict if somebody changed it since it was shown with this version."""
        if version != self.version:
            raise Conflict(
                f"Somebody decided a moment ago: the claim is {self.status} now. Nothing was "
                "changed. Look at it again."
            )

    def move(self, move: str, by: str, now: datetime, why: str = "", **more: Any) -> None:
        """Move on by the table of claims, with its audit entry. Raises Conflict."""
        before = self.status
        try:
            self.status = CLAIM.after(move, before)
        except NotAllowed as error:
            raise Conflict(f"{error} Somebody may have decided a moment ago.") from error
        record(
            by,
            f"claim.{move}",
            f"claim:{self.id}",
            before={"status": before},
            after={"status": self.status, **more},
            why=why,
        )
        self.touch(now)

    def touch(self, now: datetime) -> None:
        """Say that pages of the claim and of its order show something else now."""
        self.version += 1
        self.order.version += 1
        self.order.updated_at = now


class ClaimUnit(OfShop, Base):
    """One claimed piece. `money` is its share of what was paid, as it was when it was claimed."""

    __tablename__ = "claim_unit"
    __table_args__ = (
        Index(None, "shop_id", "unit_id"),
        ForeignKeyConstraint(
            ["shop_id", "claim_id"], ["claim.shop_id", "claim.id"], ondelete="CASCADE"
        ),
    )

    claim_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sku: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(300), default="")
    variant: Mapped[str] = mapped_column(String(200), default="")
    money: Mapped[dict[str, Any]]

    claim: Mapped[Claim] = relationship(back_populates="units")

    @property
    def share(self) -> UnitMoney:
        """Its share of what was paid."""
        return UnitMoney(**self.money)


def claims_of(order_id: str) -> list[Claim]:
    """An order's claims, oldest first."""
    wanted = select(Claim).where(Claim.order_id == order_id).options(joinedload(Claim.units))
    return list(session.scalars(wanted.order_by(Claim.asked_at, Claim.id)).unique())
