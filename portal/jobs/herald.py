"""Read off a shop's trail what its systems want to be told, and plan that they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select

from portal import clock
from portal.db import inside, session, writing
from portal.models.audit import AuditEntry
from portal.models.due import Lease, finish, holds, plan
from portal.models.order_change import Change
from portal.models.webhook import TYPES, WebhookEndpoint, WebhookPlace, add_events

BATCH: Final = 500
AGAIN: Final = 200  # rows before the place that are looked at again
Found = tuple[str, str, str, datetime]


def plan_heralds(now: datetime) -> None:
    """Plan a look for each shop with an endpoint. Call it in `every_shop()` and `writing()`.

    A disabled one counts: what happened meanwhile can be sent once it is enabled.
    """
    for shop_id in session.scalars(select(WebhookEndpoint.shop_id).distinct()).all():
        plan("herald", f"shop:{shop_id}", shop_id, now)


def perform(lease: Lease) -> None:
    """Tell of everything that is new, a batch a transaction."""
    more = True
    while more:
        with inside(lease.shop_id), writing():
            if not holds(lease):
                return
            more = _some(clock.now())
            if not more:
                finish(lease)


def _some(now: datetime) -> bool:
    """Plan what a batch of the trail tells; whether there may be more."""
    place = session.scalar(select(WebhookPlace).with_for_update())
    if place is None:
        return False
    acts = session.execute(
        select(AuditEntry.id, AuditEntry.act, AuditEntry.subject, AuditEntry.after, AuditEntry.at)
        .where(AuditEntry.id > place.audit_id - AGAIN)
        .order_by(AuditEntry.id)
        .limit(AGAIN + BATCH)
    ).all()
    newest = (
        select(Change.order_id, func.max(Change.version), func.max(Change.at), func.max(Change.id))
        .where(Change.id > place.change_id - AGAIN)
        .group_by(Change.order_id)
    )
    changes = session.execute(newest).all()
    new = add_events([*_of_acts(acts), *map(_of_change, changes)], now)
    place.audit_id = max([place.audit_id, *(row.id for row in acts)])
    place.change_id = max([place.change_id, *(row[3] for row in changes)])
    return bool(new) and len(acts) == AGAIN + BATCH


def _of_acts(acts: Iterable[Any]) -> Iterator[Found]:
    for entry in acts:
        kind, _, id = entry.subject.partition(":")
        state = str((entry.after or {}).get("status", ""))
        of_state = f"{kind}.{state}" if entry.act.startswith(f"{kind}.") and state else entry.act
        if of_state in TYPES:
            yield f"audit:{entry.id}", of_state, id, entry.at


def _of_change(change: Any) -> Found:
    order_id, version, at, _ = change
    return f"{order_id}:{version}", "order.updated", order_id, at
