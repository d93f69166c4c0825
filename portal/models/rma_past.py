"""Requests that were made, as a replay of a draft policy takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.db import session
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine
from returns.facts import Facts
from returns.replay import PastRequest

CHUNK: Final = 500


def past_requests() -> Iterator[PastRequest]:
    """Every line of every return of the shop in scope, with its frozen facts, oldest first."""
    wanted = (
        select(ReturnLine, Return.customer_id, Return.requested_at)
        .join(Return, Return.id == ReturnLine.rma_id)
        .order_by(ReturnLine.id)
        .options(selectinload(ReturnLine.units))
    )
    after = ""
    while rows := session.execute(wanted.where(ReturnLine.id > after).limit(CHUNK)).all():
        for line, customer_id, requested_at in rows:
            yield PastRequest(
                id=line.id,
                customer=customer_id or line.rma_id,
                facts=Facts.from_json(line.facts),
                at=requested_at,
                units=[unit.share for unit in line.units],
            )
        after = rows[-1][0].id
        session.expunge_all()
