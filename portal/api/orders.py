"""Orders: post, read, change, list."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import selectinload

from portal.api.endpoint import Call, endpoint
from portal.api.paging import PageQuery, cursor_of, place_of, unknown_cursor
from portal.api.refusal import not_found
from portal.api.replies import OrderPage, OrderReply, order_replies, with_lines
from portal.db import session
from portal.models import Order
from portal.models.order import number_key
from portal.sources.document import Moment, OrderChange, OrderDocument

BLANK_FOR_PLUS = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:\d\d)\Z")
ORDER_ID = re.compile(r"ord_[0-9a-z]{26}")


class OrderPatch(OrderChange):
    """The part of an order that changes. `status` can only become `cancelled`."""

    status: Literal["cancelled"] | None = None


def _with_plus(value: object) -> object:
    """A `+` that was not escaped arrives as a blank."""
    return BLANK_FOR_PLUS.sub(r"\1+\2", value) if isinstance(value, str) else value


class OrderQuery(PageQuery):
    """Which orders: of one number, or changed since a moment."""

    number: Annotated[str, Field(max_length=80)] | None = None
    updated_since: Annotated[Moment | None, BeforeValidator(_with_plus)] = None


@endpoint(
    "POST",
    "/orders",
    scope="orders",
    body=OrderDocument,
    replies={201: OrderReply, 200: OrderReply},
)
def post_order(call: Call) -> tuple[int, OrderReply]:
    """Store an order under its number.

    A new number makes an order (201); a known one changes it (200): a field that is not sent stays,
    a list that is sent replaces. Numbers are compared without #, case and outer blanks.
    """
    order, created = Order.upsert(call.body, call.now, call.caller.who)
    return (201 if created else 200), _reply(order, call)


@endpoint("GET", "/orders/{order_id}", scope="orders", replies={200: OrderReply})
def read_order(call: Call, order_id: str) -> tuple[int, OrderReply]:
    """Read an order with its parcels and their history."""
    order = with_lines(order_id) if ORDER_ID.fullmatch(order_id) else None
    if order is None:
        raise not_found()
    return 200, _reply(order, call)


@endpoint(
    "PATCH",
    "/orders/{order_id}",
    scope="orders",
    body=OrderPatch,
    replies={200: OrderReply},
)
def change_order(call: Call, order_id: str) -> tuple[int, OrderReply]:
    """Change what is sent of an order, or cancel it."""
    order = locked(order_id)
    order.change(call.body, call.now, call.caller.who)
    if call.body.status == "cancelled":
        order.cancel(call.now, call.caller.who)
    return 200, _reply(order, call)


@endpoint("GET", "/orders", scope="orders", query=OrderQuery, replies={200: OrderPage})
def list_orders(call: Call) -> tuple[int, OrderPage]:
    """List orders, those that changed longest ago first.

    To follow changes, ask with updated_since and go on with next_cursor until it is null.
    """
    wanted = call.query
    rows = session.scalars(
        _wanted(wanted)
        .order_by(Order.updated_at, Order.id)
        .limit(wanted.limit + 1)
        .options(selectinload(Order.lines))
    ).all()
    page = rows[: wanted.limit]
    last = page[-1] if len(rows) > wanted.limit else None
    return 200, OrderPage(
        orders=order_replies(page, call.caller.origin),
        next_cursor=cursor_of(last.updated_at.isoformat(), last.id) if last else None,
    )


def locked(order_id: str) -> Order:
    """The order, for this transaction alone. Raises Refusal 404."""
    order = Order.locked(order_id) if ORDER_ID.fullmatch(order_id) else None
    if order is None:
        raise not_found()
    return order


def _reply(order: Order, call: Call) -> OrderReply:
    session.flush()
    return order_replies([order], call.caller.origin)[0]


def _wanted(query: OrderQuery) -> Select[Order]:
    wanted = select(Order)
    if query.number is not None:
        # A text with NUL is no number, and PostgreSQL cannot even be asked about it.
        wanted = wanted.where(Order.number_key == number_key(query.number).replace("\0", "\n"))
    if query.updated_since is not None:
        wanted = wanted.where(Order.updated_at >= query.updated_since)
    if query.cursor:
        at, after = _place(query.cursor)
        later = and_(Order.updated_at == at, Order.id > after)
        wanted = wanted.where(or_(Order.updated_at > at, later))
    return wanted


def _place(cursor: str) -> tuple[datetime, str]:
    at, after = place_of(cursor, 2)
    try:
        moment = datetime.fromisoformat(at)
        return moment.astimezone(UTC), after
    except (ValueError, OverflowError):
        raise unknown_cursor() from None
