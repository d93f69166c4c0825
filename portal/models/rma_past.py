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

    In the order of their ids, which is that of asking.
    """
    wanted = (
        select(
            ReturnLine.id,
            ReturnLine.rma_id,
            ReturnLine.facts,
            Return.customer_id,
            Return.requested_at,
        )
        .join(Return, Return.id == ReturnLine.rma_id)
        .order_by(ReturnLine.id)
    )
    if since is not None:
        wanted = wanted.where(Return.requested_at >= since)
    after = ""
    while rows := session.execute(wanted.where(ReturnLine.id > after).limit(CHUNK)).all():
        yield from _requests(rows)
        after = rows[-1].id


def _requests(rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[PastRequest]:
    units: dict[str, list[UnitMoney]] = {row.id: [] for row in rows}
    held = select(ReturnUnit.rma_line_id, ReturnUnit.money).where(ReturnUnit.rma_line_id.in_(units))
    for line_id, money in session.execute(held.order_by(ReturnUnit.unit_id)):
        units[line_id].append(UnitMoney(**money))
    for row in rows:
        yield PastRequest(
            id=row.id,
            customer=row.customer_id or row.rma_id,
            facts=Facts.from_json(row.facts),
            at=row.requested_at,
            units=units[row.id],
        )
