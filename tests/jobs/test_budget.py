"""What a provider's account may be asked, by the minute and by the day, by all workers together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from portal.db import every_shop, writing
from portal.jobs.provider import Account, account_with
from portal.models.due import read_gauge
from tests.conftest import running_app
from tests.jobs.house import House
from tests.sandbox.conftest import Door

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def thrifty(sqlite_url: str) -> Iterator[Flask]:
    yield from running_app(sqlite_url, POLLS_PER_MINUTE="6", POLLS_PER_DAY="48")


def granted(account: Account, wanted: int, now: datetime) -> tuple[int, timedelta]:
    with every_shop(), writing():
        return account.reserve(wanted, now)


def test_a_minute_and_a_day_bear_only_so_much(thrifty: Flask) -> None:
    """Two workers that ask whenever they may, for two days."""
    workers = [account_with("EZTKkey"), Account(account_with("EZTKkey").name, None)]  # type: ignore[arg-type]
    given: list[datetime] = []
    now = NOW
    while now < NOW + 2 * DAY:
        waits = []
        for worker in workers:
            taken, wait = granted(worker, 10, now)
            given += [now] * taken
            waits.append(wait)
        now += max(min(waits), 10 * MINUTE)
    for span, most in ((MINUTE, 6 + 5), (DAY, 48)):
        for place, begin in enumerate(given):
            within = sum(at < begin + span for at in given[place:])
            assert within <= most
    assert len(given) >= 88, "what is allowed is used"
    with every_shop():
        kept = read_gauge(f"asked:{workers[0].name}")
    assert kept is not None
    assert kept[1] == datetime(2026, 11, 27, tzinfo=UTC)
    assert kept[0] == sum(at >= kept[1] for at in given)


def test_without_a_limit_a_day_only_the_minute_counts(app: Flask) -> None:
    account = account_with("EZTKkey")
    assert granted(account, 50, NOW) == (5, timedelta(0))
    assert granted(account, 50, NOW)[1] == timedelta(milliseconds=200)
    assert granted(account, 50, NOW + MINUTE) == (5, timedelta(0))


def test_what_has_to_wait_is_asked_about_one_after_the_other_the_door_first(
    house: House, door: Door
) -> None:
    numbers = [f"1Z999AA1012345{n:04}" for n in range(4)]
    for n, number in enumerate(numbers):
        door.parcel(number, kind="on_time", shown=3)
        house.order(f"40{n}", {"carrier": "UPS", "tracking_number": number})
    settings = house.app.extensions["porchlight"]
    house.app.extensions["porchlight"] = type(settings)(**{**vars(settings), "polls_per_minute": 2})
    house.work("poll")
    rows = sorted(row.at for row in house.due())
    asked = sum(
        count for route, count in door.get("counts")["routes"].items() if "trackers" in route
    )
    assert asked == 2, "two are asked about at once"
    waiting = rows[:2]
    assert waiting[1] - waiting[0] == timedelta(seconds=30), "no crowd comes back at one moment"
