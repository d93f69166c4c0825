"""What people are told: messages planned in the transaction that causes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from portal.db import insert_new, new_id, session
from portal.keys import seal
from portal.models.due import plan, plan_all
from portal.models.message import Message, supersede
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
from portal.tenancy import shop_in_scope

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
    "want",
    "wants",
]

Work = tuple[str, str, int, datetime]  # as `plan_all` takes it

CODE_LIFE = timedelta(minutes=10)
MOST_A_DAY = 4  # service messages about one parcel
MOST_ITEMS = 12  # shown in a message; the page shows all


def tell(shipment: Shipment, was: str, now: datetime) -> None:
    """Plan what the parcel's new state is worth saying; drop what is no longer true.

    Call it in the transaction that changed the state, which was `was` before. Nothing is told in
    hindsight: neither an old scan nor one from before the order came to us.
    """
    order = session.get_one(Order, shipment.order_id)
    shop = session.get_one(Shop, shipment.shop_id)
    news = news_of(shipment, order.timezone or shop.timezone, now)
    supersede(shipment.id, news.cause if news else "")
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
    plan_all(want(order, "question", cause, facts, now))


def want(
    order: Order,
    kind: str,
    cause: str,
    facts: dict[str, Any],
    now: datetime,
    *,
    at: datetime | None = None,
    expires_at: datetime | None = None,
) -> list[Work]:
    """Have something mailed to the order's own address; each `cause` once.

    Gives the work that the caller hands to `plan_all` in the same transaction, together with its
    other work; none where there is no address, or the cause was told before. `at` is when it is
    sent, now unless given; after `expires_at` it is not sent any more.
    """
    if not order.email.strip():
        return []
    row = {
        "id": new_id("msg", now),
        "kind": kind,
        "recipient": order.email.strip(),
        "cause": cause,
        "order_id": order.id,
        "locale": order.locale,
        "facts": {"number": order.number, **facts},
        "expires_at": expires_at,
        "created_at": now,
    }
    return [("send", new, shop_in_scope(), at or now) for new in _insert_new(row)]


def want_to(
    recipient: str, kind: str, cause: str, facts: dict[str, Any], locale: str, now: datetime
) -> None:
    """Have something mailed to who wrote to us, whether or not an order is known; once a cause."""
    row = {
        "id": new_id("msg", now),
        "kind": kind,
        "recipient": recipient.strip(),
        "cause": cause,
        "order_id": None,
        "locale": locale,
        "facts": facts,
        "created_at": now,
    }
    plan_all([("send", new, shop_in_scope(), now) for new in _insert_new(row)])


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
    facts = {"number": order.number, "items": _items(shipment), **news.facts}
    is_new = _insert(
        kind=news.kind,
        recipient=recipient,
        cause=news.cause,
        order_id=order.id,
        shipment_id=shipment.id,
        locale=locale,
        facts=facts,
        expires_at=news.expires_at,
        created_at=now,
        id=new_id("msg", now),
    )
    if not is_new:
        _revive(recipient, news, facts, now)


def _insert(**values: Any) -> bool:
    new = _insert_new(values)
    plan_all([("send", message_id, shop_in_scope(), values["created_at"]) for message_id in new])
    return bool(new)


def _insert_new(values: dict[str, Any]) -> list[str]:
    """The message's id, if its cause was not told to this recipient before."""
    row = values | {"channel": "email", "state": "wanted"}
    return insert_new(Message, [row], unique=["shop_id", "recipient", "cause", "channel"])


def _revive(recipient: str, news: News, facts: dict[str, Any], now: datetime) -> None:
    """What was dropped unsent and is true again is sent after all, as it is now, still once."""
    again = session.scalars(
        update(Message)
        .where(
            Message.recipient == recipient,
            Message.cause == news.cause,
            Message.channel == "email",
            Message.state == "superseded",
        )
        .values(state="wanted", expires_at=news.expires_at, facts=facts)
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
