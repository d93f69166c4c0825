"""The daily round of lanes: what arrived before is taken in once, and all is learned from."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import delete, func, select

from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.lanes import plan_lanes
from portal.jobs.sweep import CHORES
from portal.jobs.work import work
from portal.models import LaneBook, LaneParcel
from portal.models.due import Due
from tests.conftest import shop_id
from tests.mail.stories import hears, ordered


def round_of_lanes() -> None:
    with every_shop(), writing():
        plan_lanes(clock.now())
    work("lanes")
    with every_shop():
        assert session.scalar(select(func.count()).where(Due.queue == "lanes")) == 0


def learned() -> dict[int, int]:
    with every_shop():
        rows = session.execute(select(LaneBook.shop_id, LaneBook.parcels))
        return {row.shop_id: row.parcels for row in rows}


def test_every_shop_learns_from_its_own_parcels_also_from_those_before_lanes(
    any_app: Flask,
) -> None:
    _, [parcel] = ordered()
    sent = clock.now() - timedelta(days=1)
    hears(parcel, ("in_transit", sent), ("delivered", clock.now()))
    with inside(shop_id("fern")), writing():
        session.execute(delete(LaneParcel))  # as in a house that is older than lanes
    for _ in range(2):
        round_of_lanes()
        assert learned() == {shop_id("fern"): 1, shop_id("volta"): 0}


def test_it_is_done_once_a_day() -> None:
    assert ("plan_lanes", timedelta(days=1), plan_lanes) in CHORES
