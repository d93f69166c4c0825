"""What people are told: messages planned in the transaction that causes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, insert_new, new_id, session
from portal.keys import is_signed, seal, sign
from portal.models.due import plan
from portal.models.news import News, is_after_the_fact, is_fresh_start, news_of
from portal.models.order import Order, OrderLine
from portal.models.preference import (
    Preference,
    address_key,
    chosen,
    confirm,
    recipients,
    start,
    stop,
    wants,
)
from portal.models.shop import Shop
from portal.tenancy import OfShop, shop_in_scope

if TYPE_CHECKING:  # a shipment tells its news: it imports us
    from portal.models.shipment import Shipment

__all__ = [
    "Message",
    "Preference",
    "address_key",
    "chosen",
    "confirm",
    "plan_code",
    "start",
    "stop",
    "tell",
    "wants",
]

CODE_LIFE = timedelta(minutes=10)
MOST_A_DAY = 4  # service messages about one parcel
MOST_ITEMS = 12  # shown in a message; the page shows all


class Message(OfShop, Base):
    """One message to one person for one cause on one channel. Sent at least once, shown once.

    `state`: wanted, sent, dead (with the reason), superseded (no longer true), stopped (opt-out).
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("shop_id", "recipient", "cause", "channel"),
        Index(None, "shop_id", "order_id"),
        Index(None, "shop_id", "shipment_id"),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("msg", clock.now())
    )
    kind: Mapped[str] = mapped_column(String(40))  # shipped, out_for_delivery, code …
    channel: Mapped[str] = mapped_column(String(10), default="email")
    recipient: Mapped[str] = mapped_column(String(254))
    cause: Mapped[str] = mapped_column(String(120))  # what happened, such as shp_…:delivered
    order_id: Mapped[str | None] = mapped_column(String(40))
    shipment_id: Mapped[str | None] = mapped_column(String(40))
    locale: Mapped[str] = mapped_column(String(10), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sealed: Mapped[str] = mapped_column(Text, default="")  # a code to be sent, until it is sent
    state: Mapped[str] = mapped_column(String(12), default="wanted")
    expires_at: Mapped[datetime | None]
    subject: Mapped[str] = mapped_column(String(300), default="")  # as sent
    text: Mapped[str] = mapped_column(Text, default="")  # as sent, sealed: its link is a key
    html: Mapped[str] = mapped_column(Text, default="")  # as sent, sealed
    reference: Mapped[str] = mapped_column(String(254), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]

    @property
    def stop_token(self) -> str:
        """What opens `/u/<token>`: whoever holds it got this message and may stop its like."""
        return f"{self.id}.{sign('stop', f'{self.shop_id}:{self.id}')}"

    @staticmethod
    def with_stop_token(token: str) -> Message | None:
        """The message of this shop whose stop token this is, if any."""
        message_id, _, signature = token.partition(".")
        if not is_signed("stop", f"{shop_in_scope()}:{message_id}", signature):
            return None
        return session.scalar(select(Message).where(Message.id == message_id))

    @staticmethod
    def locked(message_id: str) -> Message | None:
        """The message with this id for this transaction alone, if any."""
        return session.scalar(
            select(Message)
            .where(Message.id == message_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )


def tell(shipment: Shipment, was: str, now: datetime) -> None:
    """Plan what the parcel's new state is worth saying; drop what is no longer true.

    Call it in the transaction that changed the state, which was `was` before. Nothing is told in
    hindsight: neither an old scan nor one from before the order came to us.
    """
    order = session.get_one(Order, shipment.order_id)
    shop = session.get_one(Shop, shipment.shop_id)
    news = news_of(shipment, order.timezone or shop.timezone, now)
    _supersede(shipment.id, news.cause if news else "")
    if news is None or is_after_the_fact(shipment, order.created_at, now):
        return
    if news.kind == "shipped" and not is_fresh_start(was):
        return
    if news.expires_at <= now or _told_today(shipment.id, news.cause, now) >= MOST_A_DAY:
        return
    for recipient in recipients(order, news.kind):
        _want(order, shipment, news, recipient, order.locale or shop.locale, now)


def plan_code(order: Order, code: str, purpose: str, recipient: str, now: datetime) -> None:
    """Have a code mailed; earlier ones for the same purpose and address are no longer sent.

    `purpose` is the LinkCode's: lift, confirm. The code is kept sealed until it is sent.
    """
    if not recipient.strip():
        return
    prefix = f"{order.id}:code:{purpose}:"
    session.execute(
        update(Message)
        .where(
            Message.order_id == order.id,
            Message.recipient == recipient.strip(),
            Message.kind == "code",
            Message.cause.startswith(prefix, autoescape=True),
            Message.state == "wanted",
        )
        .values(state="superseded", sealed="")
    )
    shop = session.get_one(Shop, order.shop_id)
    message_id = new_id("msg", now)
    _insert(
        id=message_id,
        kind="code",
        recipient=recipient.strip(),
        cause=prefix + message_id,
        order_id=order.id,
        locale=order.locale or shop.locale,
        facts={"number": order.number, "purpose": purpose},
        sealed=seal(code),
        expires_at=now + CODE_LIFE,
        created_at=now,
    )


def plan_question(order: Order, cause: str, facts: dict[str, Any], now: datetime) -> None:
    """Have a question of the shop's staff mailed to the order's address; each `cause` once."""
    shop = session.get_one(Shop, order.shop_id)
    _insert(
        id=new_id("msg", now),
        kind="question",
        recipient=order.email.strip(),
        cause=cause,
        order_id=order.id,
        locale=order.locale or shop.locale,
        facts=facts,
        created_at=now,
    )


def _supersede(shipment_id: str, still_true: str) -> None:
    """Nothing that waits is sent once the parcel has moved on."""
    session.execute(
        update(Message)
        .where(
            Message.shipment_id == shipment_id,
            Message.state == "wanted",
            Message.cause != still_true,
        )
        .values(state="superseded")
    )


def _told_today(shipment_id: str, cause: str, now: datetime) -> int:
    """How many other causes this parcel was worth a message for in the last 24 hours."""
    count = session.scalar(
        select(func.count(func.distinct(Message.cause))).where(
            Message.shipment_id == shipment_id,
            Message.cause != cause,
            Message.created_at > now - timedelta(days=1),
            Message.state.in_(("wanted", "sent")),
        )
    )
    return count or 0


def _want(
    order: Order, shipment: Shipment, news: News, recipient: str, locale: str, now: datetime
) -> None:
    is_new = _insert(
        kind=news.kind,
        recipient=recipient,
        cause=news.cause,
        order_id=order.id,
        shipment_id=shipment.id,
        locale=locale,
        facts={"number": order.number, "items": _items(shipment), **news.facts},
        expires_at=news.expires_at,
        created_at=now,
        id=new_id("msg", now),
    )
    if not is_new:
        _revive(recipient, news, now)


def _insert(**values: Any) -> bool:
    values |= {"channel": "email", "state": "wanted"}
    new = insert_new(Message, [values], unique=["shop_id", "recipient", "cause", "channel"])
    for message_id in new:
        plan("send", message_id, shop_in_scope(), values["created_at"])
    return bool(new)


def _revive(recipient: str, news: News, now: datetime) -> None:
    """What was dropped unsent and is true again is sent after all, still only once."""
    again = session.scalars(
        update(Message)
        .where(
            Message.recipient == recipient,
            Message.cause == news.cause,
            Message.channel == "email",
            Message.state == "superseded",
        )
        .values(state="wanted", expires_at=news.expires_at)
        .returning(Message.id)
    )
    for message_id in list(again):
        plan("send", message_id, shop_in_scope(), now)


def _items(shipment: Shipment) -> list[dict[str, Any]]:
    """What travels in the parcel; the whole order where the shop did not say."""
    travelling = {line.line_id: line.quantity for line in shipment.lines}
    lines = session.execute(
        select(
            OrderLine.id,
            OrderLine.title,
            OrderLine.variant,
            OrderLine.image_url,
            OrderLine.quantity,
        )
        .where(OrderLine.order_id == shipment.order_id)
        .order_by(OrderLine.position)
    ).all()
    return [
        {
            "title": line.title,
            "variant": line.variant,
            "image_url": line.image_url,
            "quantity": travelling.get(line.id, line.quantity),
        }
        for line in lines
        if not travelling or line.id in travelling
    ][:MOST_ITEMS]
