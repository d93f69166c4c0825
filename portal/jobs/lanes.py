"""Once a day: what a shop's finished parcels teach about those under way, and how windows held."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.models import LaneBook, Shop
from portal.models.due import Lease, finish, holds, plan
from portal.models.lane import MOST, keep, learn
from portal.models.lane_history import AT_ONCE, note_some, record


def plan_lanes(now: datetime) -> None:
    """Plan the learning of every shop. Call it in `every_shop()` and `writing()`."""
    for shop_id in session.scalars(select(Shop.id)).all():
        plan("lanes", f"shop:{shop_id}", shop_id, now)


def perform(lease: Lease) -> None:
    """Learn from one shop's parcels. The first time those are taken in that arrived before."""
    with inside(lease.shop_id):
        if session.scalar(select(LaneBook.id)) is None:
            note_finished(lease.shop_id)
        lanes, parcels = learn()
        with writing():
            if holds(lease):
                keep(lanes, parcels, clock.now())
                record(clock.now())
                finish(lease)


def note_finished(shop_id: int) -> None:
    """Take in the newest finished parcels of the shop in scope, some a transaction.

    Done again it changes nothing.
    """
    zone = session.get_one(Shop, shop_id).timezone
    before: str | None = ""
    for _ in range(MOST // AT_ONCE):
        if before is None:
            break
        with writing(synchronous="NORMAL"):
            before = note_some(before, zone)


def rebuild(shop_id: int) -> int:
    """Take in what arrived and learn from it, at once; how many parcels that are.

    Call it inside the shop.
    """
    note_finished(shop_id)
    lanes, parcels = learn()
    with writing():
        keep(lanes, parcels, clock.now())
        record(clock.now())
    return parcels
