"""Business days: weekends, holidays of countries and regions, and what counting them costs."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.workdays import EVERY_DAY, Place, Workdays, holidays_during, weekend_of

DAY = timedelta(days=1)
BAVARIA = Place("DE", "Bayern")
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
calendars = st.builds(
    Workdays,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(
        st.sampled_from([Place("DE"), BAVARIA, Place("US", "CA"), Place("JP"), Place("XX")]),
        max_size=2,
    ).map(tuple),
)


def test_a_region_has_holidays_that_its_country_has_not() -> None:
    epiphany = date(2026, 1, 6)
    assert BAVARIA.is_holiday(epiphany)
    assert not Place("DE").is_holiday(epiphany)
    assert not Place("DE", "Berlin").is_holiday(epiphany)


@pytest.mark.parametrize("region", ["BY", "by", "DE-BY", " Bayern ", "BAYERN"])
def test_a_region_is_known_by_its_code_and_its_name(region: str) -> None:
    assert Place("de", region).holidays(2026) == BAVARIA.holidays(2026)


def test_an_unknown_region_has_the_holidays_of_its_country_and_an_unknown_country_none() -> None:
    assert Place("DE", "Atlantis").holidays(2026) == Place("DE").holidays(2026)
    assert Place("XX", "BY").holidays(2026) == Place("").holidays(2026) == frozenset()


def test_a_state_s_holiday_that_closes_offices_alone_is_none() -> None:
    assert Place("US", "TX").holidays(2026) == Place("US").holidays(2026)


def test_a_holiday_on_a_weekend_is_observed_even_in_the_year_before() -> None:
    assert date(2021, 12, 31) in Place("US").holidays(2021)


def test_a_weekend_is_the_country_s_own() -> None:
    assert weekend_of("SA") == {4, 5}
    assert weekend_of("DE") == weekend_of("") == {5, 6}


def test_days_are_counted_around_weekends_and_the_holidays_of_all_places() -> None:
    both = Workdays(places=(Place("DE"), Place("US")))
    wednesday = date(2026, 11, 25)  # Thanksgiving follows
    assert both.after(wednesday, 0) == wednesday
    assert both.after(wednesday, 1) == date(2026, 11, 27)
    assert both.after(wednesday, 2) == date(2026, 11, 30)
    assert both.first_from(date(2026, 12, 25)) == date(2026, 12, 28)
    assert both.last_until(date(2026, 12, 27)) == date(2026, 12, 24)


def test_the_holidays_of_a_time_are_those_of_all_its_places_and_years() -> None:
    found = holidays_during(date(2026, 12, 30), date(2027, 1, 2), [Place("DE"), BAVARIA])
    assert {date(2026, 12, 25), date(2027, 1, 1), date(2027, 1, 6)} <= found
    assert {day.year for day in found} == {2026, 2027}


@given(calendars, days, st.integers(1, 40))
def test_counting_forward_and_counting_between_agree(
    calendar: Workdays, day: date, count: int
) -> None:
    reached = calendar.after(day, count)
    assert reached in calendar
    assert calendar.between(day, reached) == count
    assert calendar.between(reached, day) == 0
    assert calendar.after(calendar.after(day, count), 1) == calendar.after(day, count + 1)


@given(calendars, days)
def test_the_nearest_business_day_has_none_before_it(calendar: Workdays, day: date) -> None:
    ahead, behind = calendar.first_from(day), calendar.last_until(day)
    assert behind <= day <= ahead
    assert (ahead == day) == (behind == day) == (day in calendar)
    assert not any(behind + n * DAY in calendar for n in range(1, (ahead - behind).days))


@pytest.mark.parametrize("weekdays", [frozenset(), EVERY_DAY | {7}])
def test_a_calendar_without_business_days_is_refused(weekdays: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="one or more of 0"):
        Workdays(weekdays)


@pytest.mark.parametrize("count", [-1, 401])
def test_a_count_that_cannot_be_meant_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="business days can be counted"):
        Workdays().after(date(2026, 1, 1), count)


def test_the_package_of_holidays_is_not_loaded_before_it_is_asked() -> None:
    code = (
        "import sys, datetime, carriers.workdays as w;"
        "print('holidays' in sys.modules, w.Place('DE').is_holiday(datetime.date(2026, 1, 1)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]
