"""What the shop lost on the way, by lane, from its own parcels and claims."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from portal.db import session
from portal.models.claim import Claim
from portal.models.line import OrderLine, Unit
from portal.models.order import Order
from portal.models.shipment import Shipment
from portal.protection.suggest import CAUSES, Losses

LOOKED_BACK: Final = timedelta(days=365)
ACCEPTED: Final = ("approved", "paid")
ALL: Final = "all"


def losses_by_lane(currency: str, now: datetime) -> list[Losses]:
    """Of the last year: all together first, then every lane (carrier and country) by its parcels.

    An order in several parcels counts its value to the lane of its first one. Only orders in
    `currency`.
    """
    since = now - LOOKED_BACK
    parcels: Counter[str] = Counter()
    value: Counter[str] = Counter()
    lanes: dict[str, str] = {}
    sent = (
        select(
            Shipment.id, Shipment.order_id, Shipment.carrier, Order.address["country"].as_string()
        )
        .join(Order, Order.id == Shipment.order_id)
        .where(Shipment.rma_id.is_(None), Order.placed_at >= since, Order.currency == currency)
        .order_by(Shipment.position, Shipment.id)
    )
    worth = _worth(currency, since)
    for shipment_id, order_id, carrier, country in session.execute(sent):
        lane = f"{carrier} to {country or '?'}"
        lanes[shipment_id] = lane
        value[lane] += worth.pop(order_id, 0)
        parcels[lane] += 1
    counts, amounts = _claimed(currency, since, lanes)
    found = [_lane(lane, parcels, value, counts, amounts) for lane, _ in parcels.most_common()]
    return [_sum(found), *found]


def _worth(currency: str, since: datetime) -> dict[str, int]:
    """The value of each order's pieces after every discount."""
    rows = session.execute(
        select(Order.id, func.sum(Unit.price_minor - Unit.discount_minor))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Unit, Unit.line_id == OrderLine.id)
        .where(Order.placed_at >= since, Order.currency == currency)
        .group_by(Order.id)
    )
    return {order_id: int(total) for order_id, total in rows}


Claims = dict[str, Counter[str]]


def _claimed(currency: str, since: datetime, lanes: dict[str, str]) -> tuple[Claims, Claims]:
    """How many claims were accepted, and of what value, by lane and cause."""
    counts: Claims = defaultdict(Counter)
    amounts: Claims = defaultdict(Counter)
    wanted = (
        select(Claim)
        .join(Order, Order.id == Claim.order_id)
        .where(
            Claim.status.in_(ACCEPTED),
            Claim.currency == currency,
            Claim.kind.in_(CAUSES),
            Order.placed_at >= since,
        )
    )
    for claim in session.scalars(wanted):
        lane = lanes.get(claim.shipment_id)
        if lane is not None:
            counts[lane][claim.kind] += 1
            amounts[lane][claim.kind] += claim.payout_minor
    return counts, amounts


def _lane(
    lane: str, parcels: Counter[str], value: Counter[str], counts: Claims, amounts: Claims
) -> Losses:
    return Losses(lane, parcels[lane], value[lane], dict(counts[lane]), dict(amounts[lane]))


def _sum(lanes: list[Losses]) -> Losses:
    claims: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for each in lanes:
        claims.update(each.claims)
        amounts.update(each.claimed_minor)
    return Losses(
        ALL,
        sum(each.parcels for each in lanes),
        sum(each.value_minor for each in lanes),
        dict(claims),
        dict(amounts),
    )
