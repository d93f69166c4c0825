"""Finding orders by what staff have in hand: a number, an address, a name, a parcel's number."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select

from portal.db import db, session
from portal.models.order import Order
from portal.models.shipment import Shipment
from portal.sources.matching import email_key, name_key, number_key, tracking_key

MOST_FOUND: Final = 200
LONGEST: Final = 120
LAST: Final = "\U0010ffff"  # sorts after everything that begins alike
SUFFIX: Final = re.compile(r"-[rc]\d{1,4}\Z")  # of a return's or a claim's number
LEAST_TRACKING: Final = 6  # signs; what is shorter is no carrier's number


def plain(typed: str) -> str:
    """What was typed into a search, without signs that cannot be looked for."""
    return "".join(sign for sign in typed if sign.isprintable()).strip()[:LONGEST]


def orders_like(typed: str) -> list[str]:
    """The ids of up to 200 orders that begin so: number, e-mail, name, or a parcel's whole number.

    A return's or a claim's number finds its order. Every part is an index's.
    """
    number, tracking = number_key(typed), tracking_key(typed)
    if not number:
        return []
    parts = [
        begins(Order.number_key, number),
        Order.number_key == SUFFIX.sub("", number),
        begins(Order.email_key, email_key(typed)),
    ]
    name = name_key(typed)
    if name:
        parts += [begins(Order.name_key, name), begins(Order.name_end_key, name)]
    if len(tracking) >= LEAST_TRACKING:
        held = select(Shipment.order_id).where(Shipment.number_key == tracking)
        parts.append(Order.id.in_(held))
    return list(session.scalars(select(Order.id).where(or_(*parts)).limit(MOST_FOUND)))


def begins(column: Any, word: str) -> ColumnElement[bool]:
    """Whether a column begins with a word, sign by sign, in the way its index answers."""
    if db.engine.dialect.name == "postgresql":
        found: ColumnElement[bool] = column.startswith(word, autoescape=True)
        return found
    return and_(column >= word, column < word + LAST)
