"""Money and value that is wanted for a return: planned here, performed by jobs, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

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
from portal.models.change import Conflict
from portal.tenancy import OfShop
from returns.lifecycle import SETTLEMENT, NotAllowed

PENDING: Final = ("wanted", "performing", "unknown")  # on its way out, or perhaps out
OUTWARD: Final = ("refund", "store_credit", "exchange")  # what leaves; a top_up comes in
# Of several rows the one that tells most of what is to be done is shown.
WORST_FIRST: Final = ("failed", "unknown", "performing", "wanted", "done")


class Settlement(OfShop, Base):
    """One payout: a refund of one payment, store credit, an exchange, or what is due for one.

    `status` is wanted, performing, done, failed or unknown. The row is written, and counted against
    what can be refunded, before anybody outside is asked.
    """

    __tablename__ = "settlement"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "subject"),
        Index(None, "shop_id", "status", "created_at"),
        Index(None, "shop_id", "reference"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("stl", clock.now())
    )
    order_id: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))  # ret_… or clm_…
    # The first row of what is paid together: a refund over two payments is two rows of one group.
    group_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))  # refund, store_credit, exchange, top_up
    status: Mapped[str] = mapped_column(String(12), default="wanted")
    amount_minor: Mapped[int] = mapped_column(BigInteger)  # what moves by this row
    currency: Mapped[str] = mapped_column(String(3))
    # What is owed with it and too fine for the provider to move; the order's next refund pays it.
    short_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    amounts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the group's seven, on its first
    provider: Mapped[str] = mapped_column(String(40), default="")  # of the payment to give back to
    payment: Mapped[str] = mapped_column(String(120), default="")
    exchange_id: Mapped[str | None] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(120), default="")  # the provider's, once known
    round: Mapped[int] = mapped_column(default=1)  # of trying: part of the key after a failure
    reason: Mapped[str] = mapped_column(Text, default="")  # why staff chose so
    problem: Mapped[str] = mapped_column(Text, default="")  # why it failed, in words
    replaced: Mapped[bool] = mapped_column(default=False)  # failed, and another one was made
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    performing_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    @property
    def key(self) -> str:
        """The idempotency key towards the provider: another one only after a known failure."""
        return self.id if self.round == 1 else f"{self.id}:{self.round}"

    @property
    def is_live(self) -> bool:
        """Whether what it pays counts: all but failures that were replaced."""
        return not self.replaced

    @property
    def is_in_doubt(self) -> bool:
        """Whether nobody here knows if a refund was paid: it was asked for, and no answer told."""
        stays = self.status == "performing" and bool(self.problem) and not self.reference
        return self.kind == "refund" and (self.status == "unknown" or stays)

    def move(self, move: str) -> None:
        """Move on by the table of settlements. Raises Conflict with a sentence."""
        try:
            self.status = SETTLEMENT.after(move, self.status)
        except NotAllowed as error:
            raise Conflict(str(error)) from error


def settlements_of(subject: str) -> list[Settlement]:
    """Everything that was wanted for a return or a claim, oldest first."""
    wanted = select(Settlement).where(Settlement.subject == subject)
    return list(session.scalars(wanted.order_by(Settlement.created_at, Settlement.id)))


def short_of(order_id: str) -> int:
    """What refunds of an order still owe because their provider could not move it."""
    owed = select(func.sum(Settlement.short_minor)).where(
        Settlement.order_id == order_id, Settlement.replaced.is_(False)
    )
    return int(session.scalar(owed) or 0)


def status_of(rows: Sequence[Settlement]) -> str | None:
    """The status of all together: the worst; None while nothing is wanted."""
    present = {row.status for row in rows if row.is_live}
    return next((status for status in WORST_FIRST if status in present), None)
