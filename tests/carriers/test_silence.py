"""Quiet parcels: what counts as a gap, and when one is too long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import Status
from carriers.silence import Quiet, quietness, working_time

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
moments = st.integers(0, 63_072_000).map(lambda seconds: FRIDAY + timedelta(seconds=seconds))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Auckland"])
gaps = st.timedeltas(timedelta(), timedelta(days=60))
LEVELS = [None, Quiet.SILENT, Quiet.PRESUMED_LOST]


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_a_weekend_and_a_holiday_stand_still() -> None:
    monday = FRIDAY + days(3)
    assert working_time(FRIDAY, monday, UTC) == days(1)
    assert working_time(FRIDAY, monday, UTC, {date(2026, 11, 23)}) == days(0.5)


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_was() -> None:
    start = datetime(2026, 10, 23, 0, tzinfo=BERLIN)
    end = datetime(2026, 10, 27, 0, tzinfo=BERLIN)
    assert working_time(start, end, BERLIN) == days(2)


@given(moments, gaps, gaps, zones)
def test_working_time_adds_up_and_is_never_more_than_time(
    since: datetime, one: timedelta, two: timedelta, zone: str
) -> None:
    here, middle = ZoneInfo(zone), since + one
    whole = working_time(since, middle + two, here)
    assert working_time(since, middle, here) + working_time(middle, middle + two, here) == whole
    assert timedelta() <= whole <= one + two


@given(st.sampled_from(list(Status)), gaps, gaps, st.booleans(), st.lists(gaps, max_size=30))
def test_a_longer_gap_is_never_less_quiet(
    status: Status, one: timedelta, two: timedelta, is_abroad: bool, few: list[timedelta]
) -> None:
    for past in ([], sorted(few * 40)):
        short, long = (
            quietness(status, gap, is_abroad=is_abroad, past=past) for gap in sorted((one, two))
        )
        assert LEVELS.index(short) <= LEVELS.index(long)


@pytest.mark.parametrize(
    ("status", "gap", "is_abroad", "level"),
    [
        (Status.IN_TRANSIT, 3, False, None),
        (Status.IN_TRANSIT, 3.1, False, Quiet.SILENT),
        (Status.IN_TRANSIT, 4, True, None),
        (Status.IN_TRANSIT, 7.1, False, Quiet.PRESUMED_LOST),
        (Status.IN_TRANSIT, 7.1, True, Quiet.SILENT),
        (Status.PRE_TRANSIT, 4.1, False, Quiet.SILENT),
        (Status.UNKNOWN, 20.1, False, Quiet.PRESUMED_LOST),
        (Status.AVAILABLE_FOR_PICKUP, 30, False, None),
        (Status.DELIVERED, 60, False, None),
    ],
)
def test_without_a_past_the_defaults_hold(
    status: Status, gap: float, is_abroad: bool, level: Quiet | None
) -> None:
    assert quietness(status, days(gap), is_abroad=is_abroad) is level


def test_a_lane_that_is_often_quiet_is_not_called_silent() -> None:
    slow = [days(gap / 100) for gap in range(1000)]
    assert quietness(Status.IN_TRANSIT, days(9), past=slow) is None
    assert quietness(Status.IN_TRANSIT, days(9.6), past=slow) is Quiet.SILENT
    assert quietness(Status.IN_TRANSIT, days(9.96), past=slow) is Quiet.PRESUMED_LOST


def test_thin_data_moves_only_what_it_can_carry() -> None:
    slow = [days(5)] * 200
    assert quietness(Status.IN_TRANSIT, days(4), past=slow) is None
    assert quietness(Status.IN_TRANSIT, days(7.5), past=slow) is Quiet.PRESUMED_LOST
