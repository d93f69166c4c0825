"""Once a day: what a shop's own scans teach of when to ask and which silences are usual."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.models import Order, Shipment, Shop
from portal.models.due import Lease, finish, holds, plan
from portal.models.habit import AT_ONCE, MOST, RECENT, keep, lesson


def plan_habits(now: datetime) -> None:
    """Plan the learning of every shop. Call it in `every_shop()` and `writing()`."""
    for shop_id in session.scalars(select(Shop.id)).all():
        plan("habit", f"shop:{shop_id}", shop_id, now)


def perform(lease: Lease) -> None:
    """Learn from one shop's newest parcels, some at a time; nothing is held between."""
    now = clock.now()
    with inside(lease.shop_id):
        taught = lesson()
        for parcels in _pages(now):
            taught.take_in(parcels, now)
            session.rollback()
        with writing():
            if holds(lease):
                keep(taught, now)
                finish(lease)


def _pages(now: datetime) -> Iterator[Any]:
    """The newest parcels to customers, a page at a time."""
    before = ""
    for _ in range(MOST // AT_ONCE):
        wanted = (
            select(
                *(Shipment.id, Shipment.carrier, Shipment.carrier_code),
                *(Shipment.created_at, Shipment.shipped_at, Order.address, Order.timezone),
            )
            .join(Order, Order.id == Shipment.order_id)
            .where(Shipment.rma_id.is_(None), Shipment.created_at > now - RECENT)
            .order_by(Shipment.id.desc())
            .limit(AT_ONCE)
        )
        rows = session.execute(wanted.where(Shipment.id < before) if before else wanted).all()
        if not rows:
            return
        yield rows
        before = rows[-1].id
