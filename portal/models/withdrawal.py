"""A withdrawal from a contract: what a consumer declared, when, and what we made of it.

Directive 2011/83/EU as amended by 2023/2673: a function anybody can use without an account, a
confirmation, and a receipt with content, date and time. The declaration counts as it was sent;
whether it fits an order, is late, or is about goods without that right is worked out afterwards.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.keys import digest, new_token, seal, unseal
from portal.models.audit import record
from portal.models.due import plan
from portal.models.message import Message
from portal.models.outbox import want_to
from portal.tenancy import OfShop, shop_in_scope

DAYS: Final = 14  # after the last parcel's delivery, that day not counted (Art. 9)
SATURDAY: Final = 5
# Goods without the right, by letter of Article 16: what a line's tag or the shop's setting names.
GROUNDS: Final = {
    "made_to_measure": "c",
    "perishable": "d",
    "sealed_hygiene": "e",
    "inseparable": "f",
    "sealed_media": "i",
    "newspaper": "j",
    "dated_service": "l",
    "digital": "m",
}


class Withdrawal(OfShop, Base):
    """One declaration, as it was sent. `status`: received, matched, unmatched, closed (by hand)."""

    __tablename__ = "withdrawal"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("token_digest"),
        Index(None, "shop_id", "status", "declared_at"),
        Index(None, "shop_id", "order_id"),
        ForeignKeyConstraint(["shop_id", "order_id"], ["orders.shop_id", "orders.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("wdr", clock.now())
    )
    name: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(String(120))  # as typed
    email: Mapped[str] = mapped_column(String(254))
    articles: Mapped[str] = mapped_column(Text, default="")  # "" means everything
    locale: Mapped[str] = mapped_column(String(10), default="")
    declared_at: Mapped[datetime] = mapped_column(default=clock.now)
    status: Mapped[str] = mapped_column(String(12), default="received")
    order_id: Mapped[str | None] = mapped_column(String(40))
    rma_id: Mapped[str | None] = mapped_column(String(40))
    last_day: Mapped[date | None]  # None while nothing was delivered, or no order is known
    is_late: Mapped[bool] = mapped_column(default=False)
    exempt: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # sku, title, ground
    problem: Mapped[str] = mapped_column(Text, default="")  # why no return came of it
    token_digest: Mapped[str] = mapped_column(String(64))
    token_sealed: Mapped[str] = mapped_column(Text)

    @staticmethod
    def declare(
        name: str, number: str, email: str, articles: str, locale: str, now: datetime
    ) -> Withdrawal:
        """Store a declaration, and have it worked out.

        Nothing is looked up here: a known order and an unknown one are answered alike.
        """
        token = new_token()
        made = Withdrawal(
            id=new_id("wdr", now),
            shop_id=shop_in_scope(),
            name=name,
            number=number,
            email=email,
            articles=articles,
            locale=locale,
            declared_at=now,
            status="received",
            is_late=False,
            exempt=[],
            problem="",
            token_digest=digest(token),
            token_sealed=seal(token),
        )
        session.add(made)
        session.flush()
        record("customer", "withdrawal.declared", f"withdrawal:{made.id}")
        plan("withdraw", made.id, made.shop_id, now)
        return made

    @staticmethod
    def at(token: str) -> Withdrawal | None:
        """The declaration whose receipt this token opens, if any."""
        return session.scalar(select(Withdrawal).where(Withdrawal.token_digest == digest(token)))

    def mail_receipt(self, now: datetime) -> None:
        """Have the receipt mailed to who declared it, once."""
        cause = f"{self.id}:receipt"
        want_to(self.email, "withdrawal_receipt", cause, self.told, self.locale, now)

    @property
    def token(self) -> str:
        """What opens its receipt. Raises Unsealable when the key it was sealed with is gone."""
        return unseal(self.token_sealed)

    @property
    def told(self) -> dict[str, Any]:
        """What the receipt holds: the declaration word by word, with date and time."""
        return {
            "withdrawal": self.id,
            "number": self.number,
            "name": self.name,
            "email": self.email,
            "articles": self.articles,
            "at": self.declared_at.isoformat(),
        }

    @property
    def receipt(self) -> Message | None:
        """The receipt's mail, if it was planned."""
        wanted = select(Message).where(Message.cause == f"{self.id}:receipt")
        return session.scalar(wanted)


def last_day_of(delivered: date) -> date:
    """The last day to declare it: fourteen days later; never a Saturday or a Sunday.

    Regulation 1182/71, Art. 3(4): a period that would end on one ends with the next working day.
    """
    day = delivered + timedelta(days=DAYS)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day
