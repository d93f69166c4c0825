"""What every list of the queue shares: how many rows, how old they are, what a search finds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_

from portal.models import Order

MOST: Final = 50  # rows a page
OVERDUE: Final = timedelta(days=1)  # a request that waits longer is shown as late


def age(waits: timedelta) -> str:
    """How long something waits, in its largest unit: 12 min, 5 h, 3 d."""
    minutes = int(waits.total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def is_like(found: str, number: Any) -> ColumnElement[bool]:
    """Whether a number of a row, or the e-mail or name on its order, holds what is looked for."""
    word = found.lower().lstrip("#")
    where = (number, Order.email, Order.address["name"].as_string())
    return or_(*(func.lower(column).contains(word, autoescape=True) for column in where))
