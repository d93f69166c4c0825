"""The worker earns premiums by itself, and counts the year once a day."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from flask import Flask

from portal.db import every_shop, inside, session, writing
from portal.jobs.books import plan_books
from portal.jobs.work import work
from portal.models import CoverRecord, Due, PlanVersion
from tests.api.test_protection import PLAN
from tests.conftest import shop_id
from tests.models.bought import NOW
from tests.models.test_earned import earned
from tests.models.test_premium import PREMIUM, covered


def looked(after: timedelta) -> None:
    """Have the worker look at the books so long after the cover began."""
    with time_machine.travel(NOW + after, tick=False):
        with every_shop(), writing():
            plan_books(NOW + after)
        assert work("books") == 1, "the other shop sells no cover"
    with every_shop():
        assert session.query(Due).filter_by(queue="books").count() == 0


def test_the_worker_earns_each_premium_once_and_counts_the_year_daily(app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        PlanVersion.publish(PLAN, "operator", NOW)
    orders = [covered(f"10{n:02}") for n in range(3)]
    counted = set()
    for hours in (0, 30, 31, 24 * 20):
        looked(timedelta(hours=hours))
        with inside(shop_id("fern")):
            counted.add(session.query(CoverRecord).filter_by(currency="USD").one().counted_at)
    assert [earned(id) for id in orders] == [[PREMIUM]] * 3
    assert len(counted) == 3, "within a day it is not counted again"
    with inside(shop_id("fern")):
        year = session.query(CoverRecord).filter_by(currency="USD").one()
        assert (year.parcels, year.earned_minor) == (3, 3 * PREMIUM)
