"""Premiums become the shop's own when the journey is over: once, and never of given up cover."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from carriers.contract import Status
from portal.db import session
from portal.models.claim import Claim
from portal.models.cover import has_moved
from portal.models.ledger import book
from portal.models.order import Order
from portal.models.parcels import parcel_facts, parcels_of
from portal.models.premium import FREE
from portal.models.protection import COVERING, Protection
from portal.models.settling import order_status
from portal.models.shipment import Shipment

BATCH: Final = 50
ENDED: Final = (Status.DELIVERED.value, Status.RETURN_TO_SENDER.value)
OVER: Final = (*ENDED, Status.CANCELLED.value)
SETTLED: Final = ("approved", "paid")  # a claim that says for good that a parcel is lost


def earn_some(now: datetime, after: str = "") -> str:
    """Book premiums of one batch of covers whose journey is over; where to go on, "" at the end.

    Call it inside the shop and `writing()`, until it gives "". A journey is over once every parcel
    of the order is there, is back, or was paid for as lost; or with the cover's own end. Within the
    day to think it over nothing is earned.
    """
    ids = session.execute(_candidates(now, after)).all()
    for order_id, cover_id in sorted((row.order_id, row.id) for row in ids):
        _earn(order_id, cover_id, now)
    return ids[-1].id if len(ids) == BATCH else ""


def earn(cover_id: str, now: datetime) -> bool:
    """Book the premium of one cover if its journey is over; whether it was booked now."""
    order_id = session.scalar(select(Protection.order_id).where(Protection.id == cover_id))
    return order_id is not None and _earn(order_id, cover_id, now)


def _earn(order_id: str, cover_id: str, now: datetime) -> bool:
    order = Order.locked(order_id)  # whoever gives the cover up locks it too
    cover = session.get(Protection, cover_id, populate_existing=True)
    if order is None or cover is None or not _is_earned(order, cover, now):
        return False
    cover.earned_at = now
    return book(
        order_id,
        "earned",
        cover.premium_minor,
        cover.currency,
        f"{cover.id}:earned",
        now,
        reference=cover.payment or order.payment_reference,
        subject=cover.id,
    )


def _is_earned(order: Order, cover: Protection, now: datetime) -> bool:
    if cover.earned_at is not None or not cover.covers or cover.started_at is None:
        return False
    if cover.status == "ended":
        return order.cancelled_at is None or has_moved(order)
    return now - cover.started_at > FREE and is_over(order)


def is_over(order: Order) -> bool:
    """Whether everything that was ordered has come to the end of its journey."""
    lost = set(session.scalars(_lost().where(Claim.order_id == order.id)))
    ordered = {line.id: line.quantity for line in order.lines}
    pairs = zip(parcels_of(order), parcel_facts(order), strict=True)
    facts = [
        replace(each, status=Status.DELIVERED.value) if _ended(parcel, lost) else each
        for parcel, each in pairs
    ]
    return order_status(facts, ordered) == "delivered"


def _ended(parcel: Shipment, lost: Collection[str]) -> bool:
    return parcel.status in ENDED or parcel.id in lost


def _lost() -> Select[str]:
    return select(Claim.shipment_id).where(Claim.kind == "lost", Claim.status.in_(SETTLED))


def _candidates(now: datetime, after: str) -> Select[str, str]:
    """A batch of covers that may be earned: none of their parcels is on its way any more."""
    done = and_(
        Protection.status == "active",
        Protection.started_at < now - FREE,
        _has_parcel(or_(Shipment.status.in_(ENDED), Shipment.id.in_(_lost()))),
        ~_has_parcel(and_(Shipment.status.not_in(OVER), Shipment.id.not_in(_lost()))),
    )
    wanted = select(Protection.order_id, Protection.id).where(
        Protection.earned_at.is_(None),
        Protection.status.in_(COVERING),
        Protection.id > after,
        or_(Protection.status == "ended", done),
    )
    return wanted.order_by(Protection.id).limit(BATCH)


def _has_parcel(which: ColumnElement[bool]) -> ColumnElement[bool]:
    mine = (Shipment.order_id == Protection.order_id, Shipment.rma_id.is_(None))
    return exists().where(*mine, which)
