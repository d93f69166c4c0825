"""What a shop's own scans teach, from the database and back into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import select

from carriers.contract import Status
from carriers.schedule import TABLE
from portal.db import every_shop, inside, session, writing
from portal.jobs.habit import plan_habits
from portal.jobs.work import work
from portal.models import Habit, Order, Shipment, StoredScan
from portal.models.asking import Asking
from portal.models.habit import habits_in_force
from tests.conftest import shop_id

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACES = {"city": "Austin", "region": "TX", "country": "US"}


def lived(slug: str, count: int) -> None:
    """Parcels of a shop that were out at eight in the morning and came at noon."""
    with inside(shop_id(slug)), writing():
        for n in range(count):
            begun = datetime(2026, 10, 5, 18, n % 60, tzinfo=UTC) + timedelta(days=n % 3)
            order = Order(
                number=f"{n}", number_key=f"{n}", placed_at=begun, currency="USD", address=PLACES
            )
            session.add(order)
            session.flush()
            parcel = Shipment(
                order_id=order.id, carrier="UPS", carrier_code="UPS", created_at=begun,
                number_key=f"1Z{n}", status="delivered",
            )  # fmt: skip
            session.add(parcel)
            session.flush()
            told = (
                (1, Status.PRE_TRANSIT), (3, Status.IN_TRANSIT), (14, Status.OUT_FOR_DELIVERY),
                (18, Status.DELIVERED),
            )  # fmt: skip
            session.add_all(
                StoredScan(
                    shipment_id=parcel.id, key=f"{n}-{hours}", at=begun + hours * HOUR,
                    status=status.value, raw={},
                )
                for hours, status in told
            )  # fmt: skip


def test_a_shop_learns_from_its_own_parcels_alone_and_asks_accordingly(any_app: Flask) -> None:
    lived("fern", 120)
    with time_machine.travel(NOW, tick=False):
        with every_shop(), writing():
            plan_habits(NOW)
        assert work("habit") == 2
        with inside(shop_id("volta")):
            assert habits_in_force().usual == {}
        with inside(shop_id("fern")):
            assert session.scalars(select(Habit.parcels)).one() == 120
            learned = habits_in_force()
            asking = Asking.at_present(NOW)
        assert learned.usual["UPS>US in_transit"].gaps == 120
        assert learned.usual["UPS>US in_transit"].silent == 12 * HOUR
        assert learned.usual["home unknown"].gaps == 120
        waited = [pace.wait(Status.IN_TRANSIT, 0, 21 * 3600) for pace in (TABLE, asking.pace)]
        assert waited[1] > 2 * waited[0], "nothing ever came within ten hours"
        with every_shop(), writing():
            plan_habits(NOW)
        work("habit")
        with inside(shop_id("fern")):
            assert session.scalars(select(Habit.parcels)).one() == 120, "learned anew, not twice"
