"""Labels for the way back: wanted here, bought by a job, never twice."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.due import plan
from portal.models.order import Order
from portal.models.shipment import Shipment
from portal.tenancy import OfShop
from returns.lifecycle import SETTLEMENT, NotAllowed

PRINTED: Final = ("label", "qr")  # the ways back that need a label of ours
MOST_A_RETURN: Final = 3
OPEN: Final = ("wanted", "performing", "unknown", "done")


class Label(OfShop, Base):
    """One label. `status`: wanted, performing, done, failed, unknown, void_wanted, voided.

    When it is bought its parcel is a Shipment with `rma_id`: its scans move the return.
    """

    __tablename__ = "label"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "rma_id"),
        Index(None, "shop_id", "created_at"),
        Index(None, "shop_id", "status"),
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

    @staticmethod
    def want(rma_id: str, method: str, now: datetime) -> str:
        """Have a label bought for an approved return; its id, to be planned in queue `label`."""
        label = Label(id=new_id("lbl", now), rma_id=rma_id, method=method, created_at=now)
        session.add(label)
        return label.id

    @staticmethod
    def let_go(rma_id: str, now: datetime) -> None:
        """A return does not come: labels that were not bought are off, bought ones are voided."""
        for label in labels_of(rma_id):
            if label.status in ("wanted", "failed"):
                label.status, label.voided_at = "voided", now
            elif label.status in OPEN:
                label.status = "void_wanted"
                plan("label", label.id, label.shop_id, now)

    @staticmethod
    def locked(label_id: str) -> Label | None:
        """The label, for this transaction alone; None where there is no such one."""
        return session.scalar(
            select(Label)
            .where(Label.id == label_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def begin(self, most_a_day: int, now: datetime) -> bool:
        """Before the provider is asked: False where it is not to be, because of a cap.

        A label that is performing or unknown was asked for before: look for it with the provider
        (its reference is this row's id) before buying.
        """
        if self.status in ("performing", "unknown"):
            return True
        reason = self._over_a_cap(most_a_day, now)
        self._move("perform")
        if reason:
            self.failed(reason, now)
        return not reason

    def _over_a_cap(self, most_a_day: int, now: datetime) -> str:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        bought = select(func.count()).select_from(Label).where(Label.done_at.is_not(None))
        if (session.scalar(bought.where(Label.rma_id == self.rma_id)) or 0) >= MOST_A_RETURN:
            return f"This return had {MOST_A_RETURN} labels already. Send one by hand if need be."
        if (session.scalar(bought.where(Label.done_at >= midnight)) or 0) >= most_a_day:
            return f"The shop bought {most_a_day} labels today, its limit. Try again tomorrow."
        return ""

    def bought(
        self, order: Order, now: datetime, *, carrier: str, tracking_number: str, **facts: object
    ) -> Shipment:
        """The label is there: keep it, and follow its parcel from now on.

        `facts` are columns: service, provider_id, rate_id, cost_minor, currency, pdf_url, png_url,
        qr_url. Call it with the order locked.
        """
        self._move("succeed")
        self.carrier, self.tracking_number, self.done_at = carrier, tracking_number, now
        for name, value in facts.items():
            setattr(self, name, value)
        parcel = return_parcel(order, self.rma_id, carrier, tracking_number, now)
        self.shipment_id = parcel.id
        after = {"tracking_number": tracking_number, "cost_minor": self.cost_minor}
        record("job", "label.bought", f"return:{self.rma_id}", after=after)
        order.version += 1
        order.updated_at = now
        return parcel

    def failed(self, problem: str, now: datetime) -> None:
        """It cannot be bought: the return stands, staff see why. `retry` tries again."""
        self._move("fail")
        self.problem = problem
        record("job", "label.failed", f"return:{self.rma_id}", why=problem)

    def lost_sight(self) -> None:
        """Nobody knows whether it was bought: it is looked up before it is asked for again."""
        self._move("lose_sight")

    def retry(self, by: str, now: datetime) -> None:
        """Try a failed label again."""
        self._move("retry")
        self.problem = ""
        plan("label", self.id, self.shop_id, now)
        record(by, "label.retried", f"return:{self.rma_id}")

    def opened(self, provider_id: str) -> None:
        """The provider has a shipment for it, which can be bought once: the only one to buy."""
        self.provider_id = provider_id

    def bought_too_late(self, carrier: str, tracking_number: str, cost_minor: int) -> None:
        """It was bought while the return was called off: it goes back, and is no parcel of ours."""
        self.carrier, self.tracking_number, self.cost_minor = carrier, tracking_number, cost_minor
        record("job", "label.bought_too_late", f"return:{self.rma_id}")

    def stays(self, problem: str) -> None:
        """It was to be voided and was used: it is a label like others, and staff see why."""
        self.status, self.problem = "done", problem
        record("job", "label.not_voided", f"return:{self.rma_id}", why=problem)

    def voided(self, now: datetime) -> None:
        """The provider took the unused label back."""
        self.status, self.voided_at = "voided", now

    def _move(self, move: str) -> None:
        try:
            self.status = SETTLEMENT.after(move, self.status)
        except NotAllowed as error:
            raise Conflict(f"The label: {error}") from error


def labels_of(rma_id: str) -> list[Label]:
    """A return's labels, oldest first."""
    wanted = select(Label).where(Label.rma_id == rma_id).order_by(Label.created_at, Label.id)
    return list(session.scalars(wanted))


def return_parcel(
    order: Order, rma_id: str, carrier: str, tracking_number: str, now: datetime
) -> Shipment:
    """A parcel on its way back, followed like any other; its scans move the return."""
    parcel = Shipment(
        id=new_id("shp", now),
        order=order,
        rma_id=rma_id,
        carrier=carrier,
        tracking_number=tracking_number,
        created_at=now,
    )
    session.add(parcel)
    parcel.watch(now)
    return parcel
