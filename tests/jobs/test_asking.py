"""Hooks and questions together: real jobs, a stand-in for the provider, and days that pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from carriers.pace import MATTERS
from carriers.schedule import ASKED_FOR_ONE, HOOK_GRACE, LATEST, QUIET, Hooks
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.models import Pulse, Shipment, StoredScan
from portal.models.due import Due, plan
from portal.models.lost_hooks import doubt
from portal.models.pulse import hooks_in
from portal.sandbox import Box
from tests.conftest import SECRET as SECRET_KEY
from tests.conftest import shop_id
from tests.jobs.house import KEY, SECRET, House
from tests.sandbox.conftest import Door, Hands

ROOT = Path(__file__).resolve().parents[2]
MONDAY = datetime(2026, 11, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
QUEUES = ("apply", "pulse", "poll", "quiet")


@pytest.fixture
def time() -> Iterator[Any]:
    with time_machine.travel(MONDAY, tick=True) as travelled:
        yield travelled


@dataclass
class World:
    """A house whose hooks arrive or not, and days that pass from one thing to the next."""

    house: House
    box: Box
    door: Door
    time: Any
    pushed: set[str] = field(default_factory=set)

    def parcel(self, number: str, ends: datetime, **more: Any) -> dict[str, Any]:
        """A parcel whose scans come at their hours, its last one at `ends`; the shop's order."""
        self.door.parcel(number, days=3, ends=ends.isoformat(), **more)
        placed = (clock.now() - timedelta(hours=1)).isoformat()
        parcel = {"carrier": "UPS", "tracking_number": number}
        return self.house.order(number, parcel, placed_at=placed)

    def live(self, until: datetime, *, hooks: bool) -> None:
        """Go from one thing that is due to the next; hooks arrive, or are lost on their way."""
        while (now := clock.now()) < until:
            soonest = min([until, *self._due(), *self._scans()])
            self.time.move_to(max(soonest, now + timedelta(seconds=1)))
            self.door.get("parcels")
            while self._pushed(hooks) or self.house.work(*QUEUES):
                pass

    def _pushed(self, hooks: bool) -> int:
        """Send on what the provider has sent since; how much that was."""
        new = [e for e in list(self.box.account.events.values()) if e.id not in self.pushed]
        self.pushed |= {event.id for event in new}
        for event in new if hooks else ():
            self.house.push_raw(json.dumps(event.posted()).encode())
        return len(new)

    def _due(self) -> list[datetime]:
        with every_shop():
            return list(session.scalars(select(Due.at).where(Due.queue.in_(QUEUES))))

    def _scans(self) -> list[datetime]:
        planned = (parcel.planned for parcel in self.box.account.parcels.values())
        return [scan.due for scans in planned for scan in scans[:1] if scan.due is not None]

    def lags(self, since: datetime) -> list[timedelta]:
        """How long after it happened each thing that matters was known, from `since` on."""
        with inside(shop_id("fern")):
            rows = session.execute(
                select(StoredScan.at, StoredScan.seen_at).where(
                    StoredScan.at >= since, StoredScan.status.in_(MATTERS)
                )
            )
            return [seen_at - at for at, seen_at in rows]

    def pulse(self) -> Pulse:
        with inside(shop_id("fern")):
            found = session.scalars(select(Pulse)).one()
            session.expunge(found)
            return found


@pytest.fixture
def world(house: House, box: Box, door: Door, time: Any) -> World:
    return World(house, box, door, time)


def numbers(count: int) -> list[str]:
    return [f"1Z999AA1012345{n:04}" for n in range(count)]


@pytest.mark.parametrize(
    "hours", [7, pytest.param(24, marks=pytest.mark.long)], ids=lambda hours: f"{hours} h"
)
def test_lost_hooks_are_made_up_for_within_half_an_hour(world: World, hours: int) -> None:
    """Six parcels, of which some come to the door while no hook arrives."""
    ends = [MONDAY + timedelta(hours=4 + hours * n / 5) for n in range(6)]
    orders = [
        world.parcel(number, end, kind="exception_weather" if n == 3 else "on_time")
        for n, (number, end) in enumerate(zip(numbers(6), ends, strict=True))
    ]
    lost_from = MONDAY + timedelta(hours=2)
    world.live(lost_from, hooks=True)
    asked_before = sum(world.house.parcel(order).polls for order in orders)
    assert asked_before <= 6 * 2, "while hooks arrive few questions are asked"
    world.live(lost_from + timedelta(hours=hours + 2), hooks=False)
    lags = world.lags(lost_from)
    assert len(lags) >= 6
    assert max(lags) <= timedelta(minutes=30)
    assert sum(world.house.parcel(order).status == "delivered" for order in orders) >= 4


def test_where_hooks_arrive_nobody_asks_though_it_is_quiet(world: World) -> None:
    order = world.parcel(numbers(1)[0], MONDAY + 3 * DAY)
    world.live(MONDAY + 4 * HOUR, hooks=True)
    assert world.house.parcel(order).polls == 1, "the tracker was opened, no more"
    looks = world.door.get("counts")["routes"]["GET /v2/events"]
    assert looks >= 10, "the provider was asked what it had sent"
    assert clock.now() - world.pulse().heard_at <= QUIET + timedelta(minutes=1)


@pytest.mark.long
def test_one_lost_hook_costs_a_few_questions_and_ends_no_trust(world: World) -> None:
    orders = [world.parcel(number, MONDAY + 3 * DAY) for number in numbers(ASKED_FOR_ONE + 2)]
    world.live(MONDAY + HOUR / 2, hooks=True)
    before = [world.house.parcel(order).polls for order in orders]
    world.door.post(f"parcels/{numbers(1)[0]}/advance")
    world.pushed |= set(world.box.account.events)
    world.live(clock.now() + HOUR / 2, hooks=True)
    after = [world.house.parcel(order).polls for order in orders]
    assert sum(after) - sum(before) == ASKED_FOR_ONE
    assert world.pulse().missed_at is None


def test_a_provider_that_cannot_say_what_it_sent_is_asked_about_what_is_at_the_door(
    world: World,
) -> None:
    order = world.parcel(numbers(1)[0], MONDAY + 2 * HOUR, shown=0)
    while world.house.parcel(order).status != "out_for_delivery":
        world.door.post(f"parcels/{numbers(1)[0]}/advance")
        world.live(clock.now() + timedelta(minutes=1), hooks=True)
    polls = world.house.parcel(order).polls
    world.door.fault("error_500", route="GET /v2/events", times=100)
    world.live(clock.now() + 1.5 * HOUR, hooks=True)
    assert world.house.parcel(order).polls - polls >= 2


def test_hooks_that_somebody_switched_off_are_missed_for_days_not_for_ever() -> None:
    pulse = Pulse(came_at=MONDAY, heard_at=MONDAY + DAY, missed_at=MONDAY + HOUR, lost=9)
    assert hooks_in(pulse, MONDAY + 2 * DAY).are_known(MONDAY + 2 * DAY)
    assert hooks_in(pulse, MONDAY + 4 * DAY) == Hooks()
    quiet = Pulse(came_at=MONDAY, heard_at=MONDAY + 4 * DAY, missed_at=None, lost=0)
    assert hooks_in(quiet, MONDAY + 4 * DAY).are_known(MONDAY + 4 * DAY), "nothing was sent"


def test_a_look_that_is_done_twice_does_no_harm(any_house: House, time: Any) -> None:
    for number in numbers(3):
        any_house.order(number, {"carrier": "UPS", "tracking_number": number})
    with inside(shop_id("fern")), writing():
        session.execute(
            update(Shipment).values(status="in_transit", checked_at=MONDAY, polled_at=MONDAY)
        )
        session.execute(update(Due).where(Due.queue == "poll").values(at=MONDAY + DAY))
    lost = MONDAY + HOUR
    counts = []
    for most in (2, 500, 500):
        with inside(shop_id("fern")), writing():
            counts.append(doubt(lost, most, lost + HOOK_GRACE))
    assert counts == [2, 1, 0]
    assert all(row.at <= lost + HOOK_GRACE + timedelta(seconds=1) for row in any_house.due("poll"))
    with inside(shop_id("fern")):
        assert set(session.scalars(select(Shipment.doubted_at))) == {lost}


@pytest.mark.parametrize(
    "point", [8, *(pytest.param(n, marks=pytest.mark.long) for n in (*range(1, 8), *range(9, 25)))]
)
def test_a_worker_killed_while_it_goes_after_lost_hooks_loses_nothing(
    house: House, box: Box, door: Door, hands: Hands, sqlite_url: str, point: int
) -> None:
    """Nobody tells of the newest scan but the provider's list; the clock is the real one."""
    number = numbers(1)[0]
    hands.move(minutes=-10)
    door.parcel(number, shown=3)
    order = house.order(number, {"carrier": "UPS", "tracking_number": number})
    house.work("poll")
    before = house.parcel(order)
    while door.post(f"parcels/{number}/advance")["advanced"]:
        pass
    hour_ago = clock.now() - HOUR
    with inside(shop_id("fern")), writing():
        session.add(Pulse(came_at=hour_ago, heard_at=hour_ago))
        session.execute(update(Shipment).values(checked_at=hour_ago, polled_at=hour_ago))
        plan("pulse", "shop:1", shop_id("fern"), hour_ago)
    environ = {
        "DATABASE_URL": sqlite_url,
        "SECRET_KEY": SECRET_KEY,
        "BASE_URL": "http://127.0.0.1:8000",
        "EASYPOST_API_KEY": KEY,
        "EASYPOST_API_BASE": box.api_base,
        "EASYPOST_WEBHOOK_SECRET": SECRET,
        "KILLED_QUEUES": "pulse poll",
    }
    command = [sys.executable, "-m", "tests.jobs.killed", str(point)]
    subprocess.run(command, env={**os.environ, **environ}, cwd=ROOT, timeout=60, check=False)
    with every_shop(), writing():
        session.execute(update(Due).where(Due.leased).values(at=clock.now()))
    house.work("pulse")
    with every_shop(), writing():  # what is put in doubt is asked about a moment later
        session.execute(update(Due).where(Due.at < clock.now() + HOUR).values(at=clock.now()))
    house.work("poll")
    after = house.parcel(order)
    assert (before.status, after.status) == ("in_transit", "delivered")
    assert len(after.scans) > len(before.scans)
    assert not any(row.leased for row in house.due("pulse"))


def test_the_pause_between_questions_when_hooks_are_lost_keeps_the_promise() -> None:
    assert QUIET + HOOK_GRACE < LATEST < timedelta(minutes=30)
