"""Who wants to be told: the wishes of an order's addresses, by kind of message."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, String, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, insert_into, session
from portal.models.news import KINDS, WISH
from portal.models.order import Order
from portal.tenancy import OfShop, shop_in_scope


class Preference(OfShop, Base):
    """Whether somebody wants the messages of an order. No row: the shop's default applies."""

    __tablename__ = "preference"
    __table_args__ = (
        UniqueConstraint("order_id", "recipient", "channel"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40))
    recipient: Mapped[str] = mapped_column(String(254))
    channel: Mapped[str] = mapped_column(String(10), default="email")
    wanted: Mapped[bool]
    kinds: Mapped[list[str]] = mapped_column(default=list)  # which of KINDS, while wanted
    confirmed_at: Mapped[datetime | None]  # an address that is not the order's must be confirmed
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)


def address_key(address: str) -> str:
    """An address as wishes know it: without blanks around it, in lower case."""
    return address.strip().casefold()


def chosen(order_id: str, recipient: str) -> frozenset[str]:
    """The kinds of message this recipient is told of this order: all, some or none of KINDS.

    The order's own address is told everything until it says otherwise; any other address nothing
    until it asked and was confirmed.
    """
    row = session.execute(
        select(Preference.wanted, Preference.kinds, Preference.confirmed_at).where(
            Preference.order_id == order_id,
            Preference.recipient == address_key(recipient),
            Preference.channel == "email",
        )
    ).first()
    is_own = _is_own(order_id, recipient)
    if row is None:
        return KINDS if is_own else frozenset()
    if not row.wanted or not (is_own or row.confirmed_at):
        return frozenset()
    return frozenset(row.kinds) & KINDS


def wants(order_id: str, recipient: str, kind: str = "") -> bool:
    """Whether this recipient is told of this order: of `kind`, or of anything."""
    kinds = chosen(order_id, recipient)
    return WISH.get(kind, kind) in kinds if kind else bool(kinds)


def start(order_id: str, recipient: str, kinds: frozenset[str] = KINDS) -> None:
    """Tell this recipient of this order. Call it inside `writing()`.

    An address that is not the order's own is told nothing before `confirm`.
    """
    _keep_wish(order_id, recipient, wanted=True, kinds=sorted(kinds & KINDS))


def stop(order_id: str, recipient: str) -> None:
    """Tell this recipient nothing more, not even what is planned. Call it inside `writing()`.

    An address that is not the order's own has to be confirmed again before it is told anything.
    """
    _keep_wish(order_id, recipient, wanted=False, kinds=[])
    confirm(order_id, recipient, None)


def confirm(order_id: str, recipient: str, now: datetime | None) -> None:
    """The recipient gave back the code that was mailed to it. Call it inside `writing()`."""
    session.execute(
        update(Preference)
        .where(
            Preference.order_id == order_id,
            Preference.recipient == address_key(recipient),
            Preference.channel == "email",
        )
        .values(confirmed_at=now)
    )


def recipients(order: Order, kind: str) -> list[str]:
    """Who is told: the order's own address unless it said no, and every confirmed other one."""
    others = session.scalars(
        select(Preference.recipient)
        .where(
            Preference.order_id == order.id,
            Preference.channel == "email",
            Preference.wanted.is_(True),
            Preference.confirmed_at.is_not(None),
            Preference.recipient != address_key(order.email),
        )
        .order_by(Preference.id)
    )
    everyone = [order.email.strip(), *others]
    return [address for address in everyone if address and wants(order.id, address, kind)]


def _keep_wish(order_id: str, recipient: str, *, wanted: bool, kinds: list[str]) -> None:
    said = {"wanted": wanted, "kinds": kinds, "changed_at": clock.now()}
    row = {
        "shop_id": shop_in_scope(),
        "order_id": order_id,
        "recipient": address_key(recipient),
        "channel": "email",
    }
    insert = insert_into(Preference).on_conflict_do_update(
        index_elements=["order_id", "recipient", "channel"], set_=said
    )
    session.execute(insert, [row | said])


def _is_own(order_id: str, recipient: str) -> bool:
    own = session.scalar(select(Order.email).where(Order.id == order_id))
    return bool(own) and address_key(own or "") == address_key(recipient)
