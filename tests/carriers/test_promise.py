"""A shop's promise: cut-off, processing, the rule that fits, and days on which nothing moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.promise import Promise, Transit
from carriers.workdays import EVERY_DAY, Place, Workdays

BERLIN = ZoneInfo("Europe/Berlin")
RULES = (
    Transit(4, 9),
    Transit(1, 2, country="DE"),
    Transit(1, 1, country="DE", carrier="DHLPaket"),
    Transit(3, 3, country="DE", region="BY"),
    Transit(1, 1, service="Express"),
)
PROMISE = Promise(BERLIN, Workdays(places=(Place("DE"),)), RULES)
HOME = Place("DE", "BE")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(), timedelta(days=1500)).map(lambda past: BEGIN + past)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("placed", "leaves"),
    [
        (at(16, 13, 59), date(2026, 11, 17)),  # a Monday before the cut-off
        (at(16, 14, 0), date(2026, 11, 18)),
        (at(20, 15), date(2026, 11, 24)),  # Friday afternoon
        (at(21, 9), date(2026, 11, 24)),  # Saturday
    ],
)
def test_an_order_counts_for_its_day_until_the_cut_off(placed: datetime, leaves: date) -> None:
    assert PROMISE.handed_over(placed) == leaves


def test_a_cut_off_is_local_time_on_both_sides_of_a_change_of_the_clocks() -> None:
    for day in (23, 26):  # 2026-10-25: one hour back
        before = datetime(2026, 10, day, 13, 59, tzinfo=BERLIN)
        after = before + timedelta(minutes=1)
        assert PROMISE.handed_over(before) < PROMISE.handed_over(after)


@pytest.mark.parametrize(
    ("to", "way", "days"),
    [
        (Place("FR"), ("", ""), (4, 9)),
        (HOME, ("UPS", ""), (1, 2)),
        (HOME, ("DHLPaket", ""), (1, 1)),
        (Place("de", "by"), ("UPS", ""), (3, 3)),
        (Place("DE", "BY"), ("DHLPaket", "Express"), (3, 3)),  # as many fields: the destination
        (Place("FR"), ("UPS", "express"), (1, 1)),
    ],
)
def test_the_rule_that_names_most_holds(
    to: Place, way: tuple[str, str], days: tuple[int, int]
) -> None:
    window = PROMISE.window(at(16, 9), at(16, 18), to, *way)
    assert window is not None
    there = Workdays(places=(to,))
    assert (window.first, window.last) == tuple(there.after(date(2026, 11, 16), n) for n in days)


def test_where_no_rule_is_meant_for_it_nothing_is_promised() -> None:
    only = Promise(BERLIN, Workdays(), RULES[1:4])
    assert only.window(at(16, 9), None, Place("FR")) is None


def test_holidays_of_both_ends_are_left_out() -> None:
    placed = datetime(2026, 12, 22, 9, tzinfo=BERLIN)
    found = PROMISE.window(placed, None, Place("GB"))
    assert PROMISE.handed_over(placed) == date(2026, 12, 23)
    assert found is not None
    # The 25th and the 28th (for the 26th, a Saturday) are holidays there.
    assert found.first == date(2026, 12, 31)


@given(
    moments,
    st.timedeltas(timedelta(), timedelta(days=9)),
    st.sampled_from(["Europe/Berlin", "Pacific/Auckland", "America/St_Johns", "UTC"]),
    st.integers(0, 5),
    st.times(),
    st.frozensets(st.sampled_from(sorted(EVERY_DAY)), min_size=1),
)
def test_a_promise_is_kept_by_later_orders_too_and_never_lies_before_the_order(
    placed: datetime,
    wait: timedelta,
    zone: str,
    processing: int,
    cutoff: time,
    weekdays: frozenset[int],
) -> None:
    here = ZoneInfo(zone)
    promise = Promise(here, Workdays(weekdays, (Place("DE"),)), RULES, cutoff, processing, weekdays)
    one = promise.window(placed, None, HOME, "UPS")
    two = promise.window(placed + wait, None, HOME, "UPS")
    assert one is not None
    assert two is not None
    assert placed.astimezone(here).date() <= promise.handed_over(placed) <= one.first <= one.last
    assert one.first <= two.first
    assert one.last <= two.last
    assert one == promise.window(placed.astimezone(ZoneInfo("Asia/Tokyo")), None, HOME, "UPS")
