"""Dates in the reader's form, and the calendar entry."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pages.calendar import calendar
from portal.pages.dates import Calendar, zone
from tests.pages.samples import FERN_ORDER, MOVING, NOW

THU, FRI, DEC = date(2026, 11, 26), date(2026, 11, 27), date(2026, 12, 1)


def cal(locale: str = "en", at: datetime = NOW) -> Calendar:
    return Calendar.at(at, locale, "America/Chicago")


@pytest.mark.parametrize(
    ("locale", "first", "last", "words"),
    [
        ("en", THU, FRI, "Thursday 26 to Friday 27 November"),
        ("en", THU, DEC, "Thursday 26 November to Tuesday 1 December"),
        ("en_US", THU, FRI, "Thursday, November 26 to Friday, November 27"),
        ("en_GB", THU, THU, "Thursday 26 November"),
        ("de", FRI, FRI, "Freitag, 27. November"),
        ("es", THU, THU, "jueves, 26 de noviembre"),
        ("fr", THU, THU, "jeudi 26 novembre"),
        ("no such locale", THU, THU, "Thursday 26 November"),
        ("", THU, THU, "Thursday 26 November"),
    ],
)
def test_a_window_reads_as_people_say_it(locale: str, first: date, last: date, words: str) -> None:
    assert cal(locale).span(first, last) == words


def test_a_date_in_another_year_says_so() -> None:
    assert cal().long(date(2025, 3, 4)) == "Tuesday 4 March 2025"


def test_a_window_that_runs_backwards_is_its_last_day() -> None:
    assert cal().span(FRI, THU) == "Thursday 26 November"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 25), "today"),
        (THU, "Thu 26"),
        (date(2026, 12, 15), "Tue 15"),
        (date(2026, 12, 16), "16 Dec"),
    ],
)
def test_a_short_date_names_the_month_when_far(day: date, words: str) -> None:
    assert cal().short(day) == words


def test_today_is_where_the_reader_is() -> None:
    late = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)  # still the 25th in Chicago
    assert cal(at=late).today == date(2026, 11, 25)
    assert cal(at=late).midnight == datetime(2026, 11, 26, 6, 0, tzinfo=UTC)


def test_midnight_follows_the_clock_change() -> None:
    before = datetime(2026, 11, 1, 4, 59, tzinfo=UTC)  # 23:59 in Chicago, the night clocks go back
    assert cal(at=before).midnight == datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    after = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    assert cal(at=after).midnight == datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "Nowhere/Town", "../etc/passwd", None, "\x00", "America"])
def test_a_zone_that_does_not_exist_falls_back(name: str | None) -> None:
    assert zone(name, "Europe/Berlin").key == "Europe/Berlin"
    assert zone(name).key == "UTC"


@pytest.mark.parametrize(
    ("offset", "name"), [(0, "UTC"), (-360, "UTC−6"), (345, "UTC+5:45"), (-210, "UTC−3:30")]
)
def test_an_offset_is_named(offset: int, name: str) -> None:
    here = cal()
    assert here.full(here.local(NOW, offset)).endswith(name)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_the_calendar_entry_covers_the_window_with_its_last_day() -> None:
    lines = unfolded(calendar(FERN_ORDER, MOVING, NOW, "Fern & Fable"))
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART;VALUE=DATE:20261126" in lines
    assert "DTEND;VALUE=DATE:20261128" in lines
    assert "SUMMARY:Parcel arrives: order 1042" in lines
    assert "DTSTAMP:20261125T163200Z" in lines


def test_without_a_date_there_is_nothing_to_enter() -> None:
    with pytest.raises(ValueError, match="no arrival date"):
        calendar(FERN_ORDER, replace(MOVING, eta_from=None, eta_to=None), NOW)


@given(st.text(max_size=120), st.text(max_size=120))
def test_no_text_breaks_out_of_its_line(number: str, city: str) -> None:
    order = replace(FERN_ORDER, number=number, destination_city=city)
    entry = calendar(order, MOVING, NOW)
    assert all(len(line.encode()) <= 75 for line in entry.split("\r\n"))
    assert "\n" not in entry.replace("\r\n", "")
    names = [line.split(":")[0].split(";")[0] for line in unfolded(entry) if line]
    assert names == [
        "BEGIN", "VERSION", "PRODID", "CALSCALE", "METHOD", "BEGIN", "UID", "DTSTAMP", "DTSTART",
        "DTEND", "SUMMARY", "DESCRIPTION", "LOCATION", "TRANSP", "END", "END",
    ]  # fmt: skip
