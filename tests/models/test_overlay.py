"""Parcels that are late or quiet: the one overlay they wear, and the one mail it causes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask

from portal.db import inside, session
from portal.models import Shipment
from tests.conftest import shop_id
from tests.mail.stories import START, hears, kinds, ordered

DAY = timedelta(days=1)  # START is a Monday


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
    for days in (2, 4, 5, 9, 12, 13):
        time.move_to(START + days * DAY)
        hears(parcel, ("in_transit", START + DAY / 4))
        seen.append(overlays(parcel))
    lost = ["presumed_lost"]
    assert seen == [[], ["silent"], ["silent"], ["silent"], lost, lost]
    assert kinds() == ["shipped", "silent", "presumed_lost"]


def test_the_next_scan_clears_it(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(START + 4 * DAY)
    hears(parcel, ("in_transit", START))
    assert overlays(parcel) == ["silent"]
    hears(parcel, ("in_transit", START + 4 * DAY))
    assert overlays(parcel) == []


def test_a_parcel_that_was_never_scanned_grows_silent_too(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    for days, worn in ((4, []), (7, ["silent"])):
        time.move_to(START + days * DAY)
        hears(parcel)
        assert overlays(parcel) == worn
    assert kinds() == ["silent"]


def test_silence_hides_lateness_and_nothing_is_lost_before_its_date(any_app: Flask, time) -> None:
    _, [parcel] = ordered()
    time.move_to(START + 2 * DAY)
    hears(parcel, ("in_transit", START), eta=date(2026, 11, 24))
    assert overlays(parcel) == ["delayed"]
    time.move_to(START + 4 * DAY)
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
    for days in (0, 4):
        time.move_to(START + days * DAY)
        hears(parcel, ("exception", START))
    assert kinds() == ["needs_act"]
