"""What was promised to customers and not kept shows up at the desk, from the day after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from portal.db import inside, session, writing
from portal.models import Return
from portal.models.rma_acts import arrive
from portal.models.rma_receipt import Count, receive
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought, shirts, sold
from tests.staff.test_signin import joined

DAY = timedelta(days=1)  # NOW is a Friday, seven in the morning in New York


@pytest.fixture
def late(any_app: Flask) -> Callable[[datetime], bool]:
    """Whether return 1001-R1 is listed as late at a moment."""

    def look(at: datetime) -> bool:
        with time_machine.travel(at, tick=False):
            page = joined(any_app).get("/staff/queue?view=late")
        assert page.status_code == 200
        return "1001-R1" in page.text

    return look


def on(id: str, act: Callable[[Return], Any]) -> None:
    with inside(shop_id("fern")), writing():
        found = Return.locked(id)
        assert found is not None
        act(found)


def back(id: str) -> None:
    on(id, lambda rma: receive(rma, [Count("TEE-M", 1, "A", "restock", True)], "staff", NOW))


def test_a_decision_is_late_after_its_working_day(late: Callable[[datetime], bool]) -> None:
    """Asked for on a Friday it is to be decided by Monday, so it is late on Tuesday."""
    ask(bought(), shirts(1, "other"))
    assert not late(NOW + 3 * DAY)
    assert late(NOW + 4 * DAY)


def test_a_look_into_the_parcel_is_late_after_two_days(late: Callable[[datetime], bool]) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    on(id, lambda rma: arrive(rma, "carrier", NOW))
    assert not late(NOW + 2 * DAY)
    assert late(NOW + 3 * DAY)


def test_money_is_late_the_day_after_the_check(late: Callable[[datetime], bool]) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    back(id)
    assert not late(NOW)
    assert late(NOW + DAY)


def test_a_refund_that_nobody_answers_for_is_late(late: Callable[[datetime], bool]) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    back(id)
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW)))
    with inside(shop_id("fern")), writing():
        session.get_one(Return, id).checked_at = NOW + DAY
    assert not late(NOW + DAY - timedelta(hours=1))
    assert late(NOW + 2 * DAY)


def test_a_difference_that_the_customer_owes_is_no_delay_of_ours(
    late: Callable[[datetime], bool],
) -> None:
    sold(price_minor=3_000)
    id = ask(bought(), shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    back(id)
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW)))
    assert not late(NOW + 5 * DAY)
