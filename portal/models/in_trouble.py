"""Parcels that staff should look at: late, silent, lost, sent back, or not to be followed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, true

from portal.db import session
from portal.models.order import Order
from portal.models.shipment import OF_CONCERN, Shipment
from portal.models.trouble import CONCERNS

MOST = 50  # a page


@dataclass(frozen=True, slots=True)
class InTrouble:
    """One such parcel, as a list shows it. `says` tells why in words, `fix` what to do."""

    id: str
    order_id: str
    order: str
    who: str
    carrier: str
    tracking_number: str
    concern: str
    says: str
    text: str
    fix: str
    since: datetime
    last_scan_at: datetime | None
    polls: int


def parcels_in_trouble(
    concerns: Collection[str] = (),
    *,
    after: tuple[datetime, str] | None = None,
    limit: int = MOST,
) -> list[InTrouble]:
    """The shop's parcels in trouble, those that wait longest first.

    `concerns` are codes of `trouble.CONCERNS`; without any, all. `after` is (since, id) of the last
    row of the page before.
    """
    rows = session.execute(
        select(
            *(Shipment.id, Shipment.order_id, Shipment.carrier, Shipment.tracking_number),
            *(Shipment.concern, Shipment.concern_since, Shipment.last_scan_at, Shipment.polls),
            *(Shipment.problem_text, Shipment.problem_fix, Order.number),
            Order.address["name"].as_string().label("who"),
        )
        .join(Order, Order.id == Shipment.order_id)
        .where(is_in_trouble(concerns), _follows(after))
        .order_by(Shipment.concern_since, Shipment.id)
        .limit(limit)
    )
    return [
        InTrouble(
            id=row.id,
            order_id=row.order_id,
            order=row.number,
            who=row.who or "",
            carrier=row.carrier,
            tracking_number=row.tracking_number,
            concern=row.concern,
            says=CONCERNS.get(row.concern, row.concern),
            text=row.problem_text,
            fix=row.problem_fix,
            since=row.concern_since,
            last_scan_at=row.last_scan_at,
            polls=row.polls,
        )
        for row in rows
    ]


def is_in_trouble(concerns: Collection[str] = ()) -> ColumnElement[bool]:
    """What holds of the rows of `Shipment` with one of these concerns; of any without."""
    if not concerns:
        return and_(OF_CONCERN, true())
    return and_(OF_CONCERN, Shipment.concern.in_(concerns))


def concern_counts() -> dict[str, int]:
    """How many parcels of the shop there are of each concern."""
    rows = session.execute(
        select(Shipment.concern, func.count()).where(OF_CONCERN).group_by(Shipment.concern)
    )
    found = {concern: int(count) for concern, count in rows}
    return {concern: found.get(concern, 0) for concern in CONCERNS}


def _follows(after: tuple[datetime, str] | None) -> ColumnElement[bool]:
    if after is None:
        return true()
    since, last = after
    same = and_(Shipment.concern_since == since, Shipment.id > last)
    return or_(Shipment.concern_since > since, same)
