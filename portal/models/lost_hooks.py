"""Hooks that were sent and never came: which they are, and which parcels are in doubt for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from carriers.pace import MATTERS
from carriers.schedule import (
    ASKED_FOR_ONE,
    AWAITED,
    HOOK_GRACE,
    MOVING,
    OUTAGE,
    WAITING,
)
from portal.db import session
from portal.models.due import plan_all
from portal.models.event import HookEvent, key_for
from portal.models.pulse import Pulse
from portal.models.shipment import Shipment
from portal.tenancy import shop_in_scope

AT_ONCE: Final = 500  # parcels put in doubt in a transaction
LOOKS_BACK: Final = timedelta(hours=1)  # hooks lost longer ago are left to the safety net


def is_anything_under_way(now: datetime) -> bool:
    """Whether the shop in scope has parcels of which a hook may speak."""
    return session.scalar(select(Shipment.id).where(_under_way(now)).limit(1)) is not None


def lost_at(
    sent: Mapping[str, datetime], pulse: Pulse, account: str, now: datetime
) -> list[datetime]:
    """When those were sent that never came, the oldest first; each is told once.

    `sent` are the provider's events by id. What is younger than five minutes may still come.
    """
    since = max(pulse.looked_until or now - LOOKS_BACK, now - LOOKS_BACK)
    shop_id = shop_in_scope()
    due = {key: at for key, at in sent.items() if since < at <= now - HOOK_GRACE}
    asked = {key_for(shop_id, key): at for key, at in due.items()}
    came = select(HookEvent.key).where(
        HookEvent.provider == "easypost",
        HookEvent.account == account,
        HookEvent.key.in_(asked),
    )
    arrived = set(session.scalars(came))
    return sorted(at for key, at in asked.items() if key not in arrived)


def doubt(lost: datetime, most: int, now: datetime) -> int:
    """Have parcels asked about at once that nobody has answered for since `lost`.

    Those about which the news may matter come first. Gives how many, up to `most`, so that the
    caller goes on until none is left. Call it inside `writing()`.
    """
    since = func.coalesce(Shipment.checked_at, Shipment.created_at)
    rows = session.execute(
        select(Shipment.id, Shipment.status)
        .where(
            _under_way(now),
            since < lost,
            or_(Shipment.doubted_at.is_(None), Shipment.doubted_at < lost),
        )
        .order_by(case((Shipment.status.in_(MATTERS), 0), else_=1), since, Shipment.id)
        .limit(most)
        # Whoever holds a row is writing an answer into it.
        .with_for_update(skip_locked=True)
    ).all()
    session.execute(
        update(Shipment)
        .where(Shipment.id.in_([row.id for row in rows]))
        .values(doubted_at=lost)
        .execution_options(synchronize_session=False)
    )
    shop_id = shop_in_scope()
    plan_all([("poll", row.id, shop_id, _place(row.status, now)) for row in rows])
    return len(rows)


def note_look(pulse: Pulse, lost: Sequence[datetime], now: datetime) -> None:
    """Write down what the look has shown. Call it inside `writing()`."""
    pulse.looked_until = now - HOOK_GRACE
    pulse.lost += len(lost)
    if not lost:
        pulse.heard_at = now
    elif pulse.lost >= OUTAGE:
        pulse.missed_at = now


def how_many(pulse: Pulse, lost: Sequence[datetime]) -> int:
    """How many parcels are asked about for what was lost: a few for one, all in an outage."""
    return ASKED_FOR_ONE if pulse.lost + len(lost) < OUTAGE else AT_ONCE


def _under_way(now: datetime) -> ColumnElement[bool]:
    newest = func.coalesce(Shipment.last_scan_at, Shipment.created_at)
    return and_(
        Shipment.number_key != "",
        or_(
            Shipment.status.in_(MOVING),
            and_(Shipment.status.in_(WAITING), newest > now - AWAITED),
        ),
    )


def _place(status: Any, now: datetime) -> datetime:
    """What matters is asked about a moment before the rest."""
    return now if status in MATTERS else now + timedelta(seconds=1)
