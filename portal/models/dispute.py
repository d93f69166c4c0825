"""A payment that its card's owner wants back through the bank.

The provider's word counts, as it stood at the latest look. While the bank holds the money, and
after it kept it, nothing else is given for the order: it would be paid twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.models.change import Conflict
from portal.models.order import Order
from portal.payments.contract import DISPUTES_OVER
from portal.tenancy import OfShop

OVER: Final = (*DISPUTES_OVER, "lost")
ANSWERABLE: Final = ("needs_response", "warning_needs_response", "appeal_needs_response")
ASKING: Final = ("wanted", "performing", "unknown")
PAID_TWICE: Final = (
    "This order's payment is in a dispute with the customer's bank ({id}), so that anything given "
    "now could be paid twice. Answer the dispute first. Nothing was changed."
)
PAID_BACK: Final = (
    "The customer's bank has given this order's payment back to the customer ({id}), so that "
    "nothing more can be given for it. Nothing was changed."
)


class Dispute(OfShop, Base):
    """One dispute. `status` and `reason` are Stripe's words.

    `evidence` is "" (none), wanted, performing, unknown, sent, or failed.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        UniqueConstraint("shop_id", "provider_id"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "status", "due_at"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("dsp", clock.now())
    )
    order_id: Mapped[str] = mapped_column(String(40))
    provider_id: Mapped[str] = mapped_column(String(120))
    payment: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(30))
    reason: Mapped[str] = mapped_column(String(60), default="")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    is_refundable: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    looked_at: Mapped[datetime]  # when the look began that these words are of
    taken_minor: Mapped[int] = mapped_column(BigInteger, default=0)  # with the bank, or kept by it
    fee_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    submissions: Mapped[int] = mapped_column(default=0)
    evidence: Mapped[str] = mapped_column(String(12), default="")
    words: Mapped[str] = mapped_column(Text, default="")  # the shop's own, sent with the evidence
    file_id: Mapped[str] = mapped_column(String(120), default="")
    round: Mapped[int] = mapped_column(default=0)  # of sending: part of its key
    problem: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(120), default="")
    wanted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    @staticmethod
    def locked(id: str) -> Dispute | None:
        """The row for this transaction alone, its order locked first, as everybody does."""
        order_id = session.scalar(select(Dispute.order_id).where(Dispute.id == id))
        if order_id is None or lock_order(order_id) is None:
            return None
        wanted = select(Dispute).where(Dispute.id == id)
        return session.scalar(wanted.execution_options(populate_existing=True))

    @property
    def order(self) -> Order:
        """Whose payment it is."""
        return session.get_one(Order, self.order_id)

    @property
    def key(self) -> str:
        """The idempotency key of the evidence: another one only after a known refusal."""
        return f"{self.id}:{self.round}"

    @property
    def is_over(self) -> bool:
        """Whether the bank has said its last word."""
        return self.status in OVER

    @property
    def blocks(self) -> bool:
        """Whether nothing else may be given for the order."""
        return self.status not in DISPUTES_OVER and not self.is_refundable

    @property
    def is_answerable(self) -> bool:
        """Whether evidence can be sent now: once, and while the bank waits for it."""
        return self.status in ANSWERABLE and self.evidence in ("", "failed")

    def touch(self, now: datetime) -> None:
        """Say that its page and its order's show something else now."""
        self.version += 1
        self.order.version += 1
        self.order.updated_at = now


def disputes_of(order_id: str) -> Sequence[Dispute]:
    """An order's disputes, oldest first."""
    wanted = select(Dispute).where(Dispute.order_id == order_id)
    return session.scalars(wanted.order_by(Dispute.opened_at, Dispute.id)).all()


def is_blocked(order_id: str) -> bool:
    """Whether nothing may be given for an order, because the bank has or had its money."""
    return any(each.blocks for each in disputes_of(order_id))


def refuse_blocked(order_id: str) -> None:
    """Raises Conflict where nothing may be given for an order. Lock the order before."""
    for each in disputes_of(order_id):
        if each.blocks:
            text = PAID_BACK if each.status == "lost" else PAID_TWICE
            raise Conflict(text.format(id=each.provider_id))


def lock_order(order_id: str) -> Order | None:
    """The order for this transaction alone, if there is one."""
    locked = select(Order).where(Order.id == order_id).with_for_update()
    return session.scalar(locked.execution_options(populate_existing=True))
