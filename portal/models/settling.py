"""Where an order stands, from where its parcels stand. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from carriers.contract import Status

RIGHTS: Final = timedelta(
    days=30
)  # how long after its end something can still be asked of an order
NOT_YET: Final = frozenset({Status.UNKNOWN, Status.PRE_TRANSIT})


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """One parcel: what its carrier says, when the shop gave it away, and how many of which line."""

    status: str
    shipped_at: datetime | None = None
    since: datetime | None = None
    delivered_at: datetime | None = None
    holds: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_shipped(self) -> bool:
        """Whether it is on its way: its carrier has it, or the shop says when it left."""
        return self.status not in NOT_YET or self.shipped_at is not None


def order_status(parcels: Sequence[ParcelFacts], ordered: Mapping[int, int]) -> str:
    """`placed partially_shipped shipped partially_delivered delivered returned`.

    `ordered` is the quantity of each line. Where every parcel says what it holds, an order is whole
    when all pieces are; else when all parcels are. Cancelled parcels do not count.
    """
    active = [each for each in parcels if each.status != Status.CANCELLED]
    shipped = [each for each in active if each.is_shipped]
    there = [each for each in active if each.status == Status.DELIVERED]
    back = [each for each in active if each.status == Status.RETURN_TO_SENDER]
    if not shipped:
        return "placed"
    if _whole(back, active, ordered):
        return "returned"
    if _whole(there, active, ordered):
        return "delivered"
    if there:
        return "partially_delivered"
    return "shipped" if _whole(shipped, active, ordered) else "partially_shipped"


def _whole(
    some: Sequence[ParcelFacts], active: Sequence[ParcelFacts], ordered: Mapping[int, int]
) -> bool:
    if not some:
        return False
    if not all(each.holds for each in active):
        return len(some) == len(active)
    held: Counter[int] = Counter()
    for each in some:
        held.update(each.holds)
    return all(held[line] >= quantity for line, quantity in ordered.items())


def rights_end(
    status: str, parcels: Sequence[ParcelFacts], cancelled_at: datetime | None
) -> datetime | None:
    """When the last right on an order ends; None while it is under way."""
    if status == "cancelled":
        ends = [cancelled_at]
    elif status == "delivered":
        ends = [each.delivered_at for each in parcels]
    elif status == "returned":
        ends = [each.since for each in parcels]
    else:
        return None
    last = max((end for end in ends if end), default=None)
    return last + RIGHTS if last else None
