"""Windows count days of the shop's calendar, through every change of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.window import Days, Holiday, closes_at, days_after, last_day, local_day

ORDERED, SHIPPED, DELIVERED = date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 3)
zones = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"]
).map(ZoneInfo)
moments = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001  # Hypothesis adds the zone itself
    datetime(2030, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("length", "shipped", "delivered", "expected", "counted_from"),
    [
        (Days(30), SHIPPED, DELIVERED, date(2026, 5, 3), "delivery"),
        (Days(30), SHIPPED, None, date(2026, 5, 9), "shipment"),
        (Days(30), None, None, date(2026, 5, 15), "order"),
        (Days(30, "shipment"), SHIPPED, DELIVERED, date(2026, 5, 2), "shipment"),
        (Days(30, "shipment"), None, None, date(2026, 5, 15), "order"),
        (Days(30, "order"), SHIPPED, DELIVERED, date(2026, 5, 1), "order"),
        (Days(0), SHIPPED, DELIVERED, DELIVERED, "delivery"),
        (Days(30, after_shipment_days=3), SHIPPED, None, date(2026, 5, 5), "shipment"),
    ],
)
def test_the_last_day_is_counted_from_the_anchor_or_what_stands_for_it(
    length: Days, shipped: date | None, delivered: date | None, expected: date, counted_from: str
) -> None:
    counted = last_day(length, ordered_on=ORDERED, shipped_on=shipped, delivered_on=delivered)
    assert (counted.last_day, counted.counted_from) == (expected, counted_from)
    assert not counted.extended


@pytest.mark.parametrize(
    ("ordered", "until", "extended"),
    [
        (date(2026, 11, 1), date(2027, 1, 31), True),
        (date(2026, 12, 24), date(2027, 1, 31), True),
        (date(2026, 10, 31), date(2026, 11, 16), False),
        (date(2026, 12, 25), date(2027, 1, 10), False),
    ],
)
def test_a_holiday_extension_takes_in_both_its_ends(
    ordered: date, until: date, extended: bool
) -> None:
    holiday = Holiday(date(2026, 11, 1), date(2026, 12, 24), date(2027, 1, 31))
    delivered = ordered + timedelta(days=2)
    counted = last_day(Days(14), ordered_on=ordered, delivered_on=delivered, holidays=[holiday])
    assert (counted.last_day, counted.extended) == (until, extended)


def test_an_extension_never_shortens_a_window() -> None:
    holiday = Holiday(ORDERED, ORDERED, ORDERED)
    counted = last_day(Days(30), ordered_on=ORDERED, delivered_on=DELIVERED, holidays=[holiday])
    assert counted.last_day == date(2026, 5, 3)
    with pytest.raises(ValueError, match="in that order"):
        Holiday(DELIVERED, ORDERED, DELIVERED)


@given(moments, zones, st.integers(0, 400))
def test_the_last_day_counts_to_its_last_instant(
    delivered: datetime, zone: ZoneInfo, days: int
) -> None:
    last = days_after(local_day(delivered, zone), days)
    end = closes_at(last, zone)
    assert local_day(end - timedelta(microseconds=1), zone) == last
    assert local_day(end, zone) == last + timedelta(days=1)


@given(moments, zones, st.integers(0, 60), moments)
def test_a_window_is_open_until_it_closes(
    delivered: datetime, zone: ZoneInfo, days: int, at: datetime
) -> None:
    last = days_after(local_day(delivered, zone), days)
    assert (local_day(at, zone) <= last) == (at < closes_at(last, zone))


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def test_no_day_is_lost_or_gained_when_clocks_change(zone: str) -> None:
    here = ZoneInfo(zone)
    for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365)):
        for hour in (0, 1, 2, 3, 12, 23):
            delivered = datetime.combine(day, time(hour, 30), tzinfo=here).astimezone(UTC)
            assert days_after(local_day(delivered, here), 30) == day + timedelta(days=30)


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        # The same instant is another day elsewhere; Lord Howe moves its clocks by half an hour.
        (datetime(2026, 5, 3, 22, 30, tzinfo=UTC), "Europe/Berlin", date(2026, 5, 4)),
        (datetime(2026, 5, 3, 22, 30, tzinfo=UTC), "America/New_York", date(2026, 5, 3)),
        (datetime(2026, 10, 3, 13, 29, tzinfo=UTC), "Australia/Lord_Howe", date(2026, 10, 3)),
        (datetime(2026, 10, 3, 13, 30, tzinfo=UTC), "Australia/Lord_Howe", date(2026, 10, 4)),
        (datetime(2026, 4, 5, 12, 59, tzinfo=UTC), "Australia/Lord_Howe", date(2026, 4, 5)),
        (datetime(2026, 4, 5, 13, 30, tzinfo=UTC), "Australia/Lord_Howe", date(2026, 4, 6)),
    ],
)
def test_a_moment_has_the_date_of_the_shops_calendar(at: datetime, zone: str, day: date) -> None:
    assert local_day(at, ZoneInfo(zone)) == day


def test_a_midnight_that_does_not_exist_closes_when_the_clocks_jump() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # on 24 April 2026 the clocks go from 00:00 to 01:00
    assert closes_at(date(2026, 4, 23), cairo) == datetime(2026, 4, 23, 22, tzinfo=UTC)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        local_day(datetime(2026, 5, 3), UTC)  # noqa: DTZ001


def test_the_ends_of_time_do_not_break_the_count() -> None:
    assert days_after(date.max, 30) == date.max
    assert days_after(date.min, -30) == date.min
    assert local_day(datetime.max.replace(tzinfo=UTC), ZoneInfo("Asia/Tokyo")) == date.max
