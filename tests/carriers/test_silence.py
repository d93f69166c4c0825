"""Quiet parcels: what counts as a gap, and when one is too long."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import Status
from carriers.silence import (
    Gaps,
    Lane,
    Patience,
    Quiet,
    after_working,
    kept,
    patience_with,
    read_kept,
    working_time,
)
from carriers.workdays import Place, Workdays

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = Workdays()
HOME = Lane("ups", "US")
ABROAD = Lane("ups", "FR", is_abroad=True)
moments = st.integers(0, 63_072_000).map(lambda seconds: FRIDAY + timedelta(seconds=seconds))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Auckland"])
gaps = st.timedeltas(timedelta(), timedelta(days=60))
HOUR = timedelta(hours=1)
LEVELS = [None, Quiet.SILENT, Quiet.PRESUMED_LOST]


def days(number: float) -> timedelta:
    return timedelta(days=number)


def quietness(
    status: Status, gap: float, lane: Lane = HOME, past: list[float] | None = None
) -> Quiet | None:
    """How quiet a parcel is after so many days, where the lane's past gaps are known."""
    learned = Gaps()
    for each in past or []:
        learned.learn(lane, status, days(each))
    patience = patience_with(status, lane, learned.usual())
    return patience.quietness(days(gap)) if patience else None


def test_a_weekend_and_a_holiday_stand_still() -> None:
    monday = FRIDAY + days(3)
    assert working_time(FRIDAY, monday, UTC, WEEK) == days(1)
    closed = Workdays(closed=frozenset({date(2026, 11, 23)}))
    assert working_time(FRIDAY, monday, UTC, closed) == days(0.5)


def test_holidays_are_those_of_where_it_goes() -> None:
    christmas = datetime(2026, 12, 24, 0, tzinfo=UTC)
    german, american = (Workdays(places=(Place(country),)) for country in ("DE", "US"))
    until = christmas + days(5)  # a Tuesday
    assert working_time(christmas, until, UTC, german) == days(2), "24 and 28 December"
    assert working_time(christmas, until, UTC, american) == days(2), "24 and 28 December"
    second = datetime(2025, 12, 26, 0, tzinfo=UTC)  # a Friday
    assert working_time(second, second + days(1), UTC, german) == days(0)
    assert working_time(second, second + days(1), UTC, american) == days(1)


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_was() -> None:
    start = datetime(2026, 10, 23, 0, tzinfo=BERLIN)
    end = datetime(2026, 10, 27, 0, tzinfo=BERLIN)
    assert working_time(start, end, BERLIN, WEEK) == days(2)


@given(moments, gaps, gaps, zones)
def test_working_time_adds_up_and_is_never_more_than_time(
    since: datetime, one: timedelta, two: timedelta, zone: str
) -> None:
    here, middle = ZoneInfo(zone), since + one
    whole = working_time(since, middle + two, here, WEEK)
    parts = (
        working_time(since, middle, here, WEEK),
        working_time(middle, middle + two, here, WEEK),
    )
    assert sum(parts, timedelta()) == whole
    assert timedelta() <= whole <= one + two


@given(moments, st.timedeltas(timedelta(), timedelta(days=40)), zones)
def test_the_moment_after_so_much_working_time_is_when_it_has_passed(
    since: datetime, worked: timedelta, zone: str
) -> None:
    here = ZoneInfo(zone)
    at = after_working(since, worked, here, WEEK)
    assert working_time(since, at, here, WEEK) == worked
    if worked:
        assert working_time(since, at - timedelta(seconds=1), here, WEEK) < worked


@given(
    status=st.sampled_from(list(Status)),
    spans=st.tuples(st.floats(0, 60), st.floats(0, 60)),
    lane=st.sampled_from([HOME, ABROAD]),
    few=st.lists(st.floats(0, 70), max_size=30),
)
def test_a_longer_gap_is_never_less_quiet(
    status: Status, spans: tuple[float, float], lane: Lane, few: list[float]
) -> None:
    for past in ([], few * 40):
        short, long = (quietness(status, gap, lane, past) for gap in sorted(spans))
        assert LEVELS.index(short) <= LEVELS.index(long)


@pytest.mark.parametrize(
    ("status", "gap", "lane", "level"),
    [
        (Status.IN_TRANSIT, 3, HOME, None),
        (Status.IN_TRANSIT, 3.1, HOME, Quiet.SILENT),
        (Status.IN_TRANSIT, 4, ABROAD, None),
        (Status.IN_TRANSIT, 7.1, HOME, Quiet.PRESUMED_LOST),
        (Status.IN_TRANSIT, 7.1, ABROAD, Quiet.SILENT),
        (Status.PRE_TRANSIT, 4.1, HOME, Quiet.SILENT),
        (Status.UNKNOWN, 20.1, HOME, Quiet.PRESUMED_LOST),
        (Status.AVAILABLE_FOR_PICKUP, 30, HOME, None),
        (Status.DELIVERED, 60, HOME, None),
    ],
)
def test_without_a_past_the_defaults_hold(
    status: Status, gap: float, lane: Lane, level: Quiet | None
) -> None:
    assert quietness(status, gap, lane) is level


def test_a_lane_that_is_often_quiet_is_not_called_silent() -> None:
    slow = [gap / 100 for gap in range(1000)]
    assert quietness(Status.IN_TRANSIT, 9, past=slow) is None
    assert quietness(Status.IN_TRANSIT, 9.6, past=slow) is Quiet.SILENT
    assert quietness(Status.IN_TRANSIT, 10, past=slow) is Quiet.PRESUMED_LOST


def test_thin_data_moves_only_what_it_can_carry() -> None:
    assert quietness(Status.IN_TRANSIT, 4, past=[5] * 99) is Quiet.SILENT, "too thin for anything"
    assert quietness(Status.IN_TRANSIT, 4, past=[5] * 200) is None
    assert quietness(Status.IN_TRANSIT, 7.5, past=[5] * 200) is Quiet.PRESUMED_LOST


def test_no_lane_is_so_quick_that_half_a_day_is_silence() -> None:
    assert quietness(Status.IN_TRANSIT, 0.9, past=[0.1] * 2000) is None
    assert quietness(Status.IN_TRANSIT, 1.1, past=[0.1] * 2000) is Quiet.SILENT
    assert quietness(Status.IN_TRANSIT, 3.1, past=[0.1] * 2000) is Quiet.PRESUMED_LOST


def test_a_thin_lane_leans_on_the_broader_one_and_borders_part_them() -> None:
    learned, other = Gaps(), Lane("dhl", "US")
    for _ in range(200):
        learned.learn(other, Status.IN_TRANSIT, days(5))
    usual = learned.usual()
    assert patience_with(Status.IN_TRANSIT, HOME, usual) == Patience(days(5) + HOUR, days(7))
    assert patience_with(Status.IN_TRANSIT, ABROAD, usual) == Patience(days(5), days(20))
    for _ in range(100):
        learned.learn(HOME, Status.IN_TRANSIT, days(2))
    assert patience_with(Status.IN_TRANSIT, HOME, learned.usual()) == Patience(
        days(2) + HOUR, days(7)
    )


def test_what_is_learned_does_not_grow_with_what_was_seen_and_can_be_stored() -> None:
    learned = Gaps()
    for n in range(20_000):
        lane = Lane(f"carrier {n % 5000}", "US")
        learned.learn(lane, Status.IN_TRANSIT, timedelta(hours=n))
    assert len(learned.counts) <= 3001
    assert all(len(counts) <= 1441 for counts in learned.counts.values())
    usual = learned.usual()
    assert usual
    assert read_kept(json.loads(json.dumps(kept(usual)))) == usual


@given(st.lists(st.integers(0, 1200), min_size=10, max_size=20), st.randoms())
def test_the_order_in_which_gaps_are_learned_changes_nothing(
    some: list[int], shuffled: Random
) -> None:
    past = [timedelta(hours=hours) for hours in some * 10]
    one, two, other = Gaps(), Gaps(), list(past)
    shuffled.shuffle(other)
    for learned, told in ((one, past), (two, other)):
        for gap in told:
            learned.learn(HOME, Status.IN_TRANSIT, gap)
    assert one.usual() == two.usual()
    silent = one.usual()["ups>US in_transit"].silent
    assert sum(gap > silent for gap in past) <= 0.05 * len(past)
