"""Requests that were made, as a replay of a draft policy takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select

from portal.db import session
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from returns.facts import Facts
from returns.money import UnitMoney
from returns.replay import PastRequest

CHUNK: Final = 500


def past_requests(since: datetime | None = None) -> Iterator[PastRequest]:
    """Every line of every return asked for (from `since` on), with its frozen facts.

    By the ids of the returns, which is the order of asking. Columns, not objects, and each step
    finds its rows by keys: ten thousand returns are read while a page loads.
    """
    wanted = select(Return.id, Return.customer_id, Return.requested_at).order_by(Return.id)
    if since is not None:
        wanted = wanted.where(Return.requested_at >= since)
    returns = session.execute(wanted).all()
    for first in range(0, len(returns), CHUNK):
        yield from _requests(returns[first : first + CHUNK])


def _requests(returns: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[PastRequest]:
    by_id = {row.id: row for row in returns}
    wanted = select(ReturnLine.id, ReturnLine.rma_id, ReturnLine.facts)
    wanted = wanted.where(ReturnLine.rma_id.in_(by_id)).order_by(ReturnLine.rma_id, ReturnLine.id)
    lines = session.execute(wanted).all()
    units: dict[str, list[UnitMoney]] = {line.id: [] for line in lines}
    held = select(ReturnUnit.rma_line_id, ReturnUnit.money).where(ReturnUnit.rma_line_id.in_(units))
    for line_id, money in session.execute(held.order_by(ReturnUnit.unit_id)):
        units[line_id].append(UnitMoney(**money))
    for line in lines:
        rma = by_id[line.rma_id]
        yield PastRequest(
            id=line.id,
            customer=rma.customer_id or rma.id,
            facts=Facts.from_json(line.facts),
            at=rma.requested_at,
            units=units[line.id],
        )
