"""A page to pay at that somebody was sent to, and what follows once it is paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, delete, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, new_id, session
from portal.keys import digest, new_token
from portal.models.audit import record
from portal.tenancy import OfShop, shop_in_scope

PREFIX: Final = "chk"
UNPAID: Final = ("open", "expired")
UNPAID_KEPT: Final = timedelta(days=7)  # a page to pay at closes after one
KEPT: Final = ("quote", "consent", "arrives")  # what names nobody


class Checkout(OfShop, Base):
    """Something to be paid for at the provider's page: a cart, or cover for an order.

    `status` is open, paid (what was wanted is done), sent_back (paid too late or twice: the money
    went back whole) or expired. Nothing but a look at the provider's page moves it on. `document`
    holds what it is for: {"order": as posted} of a cart, {"quote": its text} of cover for the
    order `order_id`; and what was chosen, as `consent`.
    """

    __tablename__ = "checkout"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("token_digest"),
        Index(None, "shop_id", "order_id"),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id(PREFIX, clock.now())
    )
    kind: Mapped[str] = mapped_column(String(12))  # cart, cover
    status: Mapped[str] = mapped_column(String(12), default="open")
    order_id: Mapped[str | None] = mapped_column(String(40))  # of a cart: once it is paid
    document: Mapped[dict[str, Any]]
    # What is paid for, line by line: [{"title", "amount_minor", "quantity"}].
    items: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    email: Mapped[str] = mapped_column(String(254), default="")
    page: Mapped[str] = mapped_column(String(120), default="")  # the provider's id, cs_…
    payment: Mapped[str] = mapped_column(String(120), default="")
    token_digest: Mapped[str] = mapped_column(String(64))  # of the page that thanks
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None]

    @staticmethod
    def locked(checkout_id: str) -> Checkout | None:
        """The row for this transaction alone; lock its order first."""
        wanted = select(Checkout).where(Checkout.id == checkout_id).with_for_update()
        return session.scalar(wanted.execution_options(populate_existing=True))

    @staticmethod
    def begin(
        kind: str, items: list[dict[str, Any]], document: dict[str, Any], now: datetime, **more: Any
    ) -> tuple[Checkout, str]:
        """A new checkout, and the token of the page that thanks for it.

        `items` are {"title", "amount_minor" (of one), "quantity"}; they say what is to be paid.
        """
        token = new_token()
        made = Checkout(
            id=new_id(PREFIX, now),
            shop_id=shop_in_scope(),
            kind=kind,
            status="open",
            document=document,
            items=items,
            amount_minor=sum(each["amount_minor"] * each["quantity"] for each in items),
            page="",
            payment="",
            token_digest=digest(token),
            created_at=now,
            **more,
        )
        session.add(made)
        after = {"kind": kind, "amount_minor": made.amount_minor}
        record("customer", "checkout.opened", f"checkout:{made.id}", after=after)
        return made, token

    @staticmethod
    def at(token: str) -> Checkout | None:
        """The checkout that the page with this token thanks for, if any."""
        return session.scalar(select(Checkout).where(Checkout.token_digest == digest(token)))

    @staticmethod
    def open_cover(order_id: str, amount_minor: int) -> Checkout | None:
        """The page at which this order's cover can be paid already, at this price, if any."""
        return session.scalar(
            select(Checkout)
            .where(
                Checkout.kind == "cover",
                Checkout.order_id == order_id,
                Checkout.status == "open",
                Checkout.amount_minor == amount_minor,
                Checkout.page != "",
            )
            .order_by(Checkout.created_at.desc())
            .limit(1)
        )


def erase_checkouts(order_ids: Sequence[str], email: str) -> None:
    """Forget whose carts these were: unpaid ones go, of paid ones the amounts stay."""
    mine = or_(
        Checkout.order_id.in_(order_ids), func.lower(Checkout.email) == email.strip().lower()
    )
    unpaid = Checkout.status.in_(UNPAID)
    session.execute(delete(Checkout).where(mine, unpaid, Checkout.kind == "cart"))
    for row in session.scalars(select(Checkout).where(mine)):
        row.email = ""
        row.document = {name: row.document[name] for name in KEPT if name in row.document}


def forget_unpaid(now: datetime) -> None:
    """Forget carts that nobody paid for. All shops at once; call it inside `writing()`."""
    old = Checkout.created_at < now - UNPAID_KEPT
    session.execute(delete(Checkout).where(old, Checkout.status.in_(UNPAID)))
