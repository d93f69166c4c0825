"""Parcels that are late or quiet: the one overlay they wear, and the one mail it causes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from carriers.contract import Status
from carriers.silence import Lane
from portal.db import every_shop, inside, session, writing
from portal.jobs.work import work
from portal.models import Due, Shipment
from portal.models.habit import keep, lesson
from tests.conftest import shop_id
from tests.mail.stories import START, hears, kinds, ordered

DAY = timedelta(days=1)  # START is a Monday; its Thursday is a holiday in the United States


@pytest.fixture
def time():
    with time_machine.travel(START, tick=False) as travelled:
        yield travelled


def overlays(parcel: str) -> list[str]:
    with inside(shop_id("fern")):
        return session.get_one(Shipment, parcel).overlays


def test_a_quiet_parcel_is_silent_then_presumed_lost_and_each_is_told_once(
    any_app: Flask, time
) -> None:
    _, [parcel] = ordered()
    time.move_to(START + DAY / 4)
    hears(parcel, ("in_transit", START + DAY / 4))
    seen = []
    for days in (2, 5, 6, 10, 11, 12):
        time.move_to(START + days * DAY)
        hears(parcel, ("in_transit", START + DAY / 4))
        seen.append(overlays(parcel))
    lost = ["presumed_lost"]
    assert seen == [[], ["silent"], ["silent"], ["silent"], lost, lost]
    assert kinds() == ["shipped", "silent", "presumed_lost"]


def test_the_next_scan_clears_it(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(START + 5 * DAY)
    hears(parcel, ("in_transit", START))
    assert overlays(parcel) == ["silent"]
    hears(parcel, ("in_transit", START + 5 * DAY))
    assert overlays(parcel) == []


def test_a_parcel_that_was_never_scanned_grows_silent_too(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    for days, worn in ((7, []), (8, ["silent"])):
        time.move_to(START + days * DAY)
        hears(parcel)
        assert overlays(parcel) == worn
    assert kinds() == ["silent"]


def test_silence_hides_lateness_and_nothing_is_lost_before_its_date(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(START + 2 * DAY)
    hears(parcel, ("in_transit", START), eta=date(2026, 11, 24))
    assert overlays(parcel) == ["delayed"]
    time.move_to(START + 5 * DAY)
    hears(parcel, ("in_transit", START), eta=date(2026, 11, 24))
    assert overlays(parcel) == ["silent"]
    time.move_to(START + 14 * DAY)
    hears(parcel, ("in_transit", START), eta=date(2026, 12, 9))
    assert overlays(parcel) == ["silent"]


def test_a_parcel_abroad_is_waited_for_longer(app: Flask, time) -> None:
    _, [parcel] = ordered(shipping_address={"city": "Lyon", "postcode": "69001", "country": "FR"})
    time.move_to(START + 4 * DAY)
    hears(parcel, ("in_transit", START))
    assert overlays(parcel) == []
    time.move_to(START + 8 * DAY)
    hears(parcel, ("in_transit", START))
    assert overlays(parcel) == ["silent"]


@pytest.mark.parametrize("status", ["delivered", "available_for_pickup", "return_to_sender"])
def test_a_parcel_that_no_carrier_moves_is_never_quiet(app: Flask, time, status: str) -> None:
    _, [parcel] = ordered()
    time.move_to(START + 40 * DAY)
    hears(parcel, (status, START))
    assert overlays(parcel) == []


def test_a_problem_that_was_told_is_not_also_told_as_silence(app: Flask, time) -> None:
    _, [parcel] = ordered()
    for days in (0, 5):
        time.move_to(START + days * DAY)
        hears(parcel, ("exception", START))
    assert kinds() == ["needs_act"]


def test_time_alone_changes_what_is_said_of_a_parcel_whose_carrier_says_nothing(
    any_app: Flask, time
) -> None:
    """Weeks pass, and no answer comes in: the row of due work is enough."""
    _, [parcel] = ordered()
    hears(parcel, ("in_transit", START), eta=date(2026, 11, 24))
    seen = {}
    for hours in range(0, 24 * 20, 3):
        time.move_to(START + timedelta(hours=hours))
        work("quiet")
        seen.setdefault(tuple(overlays(parcel)), hours)
    assert seen == {(): 0, ("delayed",): 39, ("silent",): 99, ("presumed_lost",): 243}
    assert kinds() == ["shipped", "late", "silent", "presumed_lost"]


def test_a_parcel_that_was_never_scanned_is_looked_at_by_the_clock(app: Flask, time) -> None:
    _, [parcel] = ordered()
    for days in range(40):
        time.move_to(START + days * DAY)
        work("quiet")
    assert overlays(parcel) == ["presumed_lost"]
    assert kinds() == ["silent", "presumed_lost"]


def test_a_parcel_that_ends_is_looked_at_no_more(app: Flask, time) -> None:
    _, [parcel] = ordered()
    hears(parcel, ("in_transit", START))
    time.move_to(START + DAY)
    work("quiet")
    assert planned() == [START + 4 * DAY + timedelta(seconds=1)], "three days, one is a holiday"
    hears(parcel, ("delivered", START))
    time.move_to(START + 5 * DAY)
    work("quiet")
    assert planned() == []


def test_what_a_shop_learned_of_its_lanes_moves_the_thresholds(app: Flask, time) -> None:
    with inside(shop_id("fern")), writing():
        taught = lesson()
        lane = Lane("ups", "US")
        for n in range(1200):
            taught.gaps.learn(lane, Status.IN_TRANSIT, 6 * DAY + timedelta(hours=n % 40))
        keep(taught, START)
    _, [parcel] = ordered()
    time.move_to(START + 8 * DAY)  # five working days
    hears(parcel, ("in_transit", START))
    assert overlays(parcel) == []
    time.move_to(START + 12 * DAY)
    hears(parcel, ("in_transit", START))
    assert overlays(parcel) == ["presumed_lost"]


def planned() -> list[datetime]:
    """When parcels are looked at next."""
    with every_shop():
        return list(session.scalars(select(Due.at).where(Due.queue == "quiet")))
