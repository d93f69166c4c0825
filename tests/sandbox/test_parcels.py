"""The clock of a story: nothing ahead of now, nothing told ever changes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.simulated import KINDS
from portal.sandbox.parcels import Parcel

NOW = datetime(2026, 11, 3, 9, 30, 12, 345678, tzinfo=UTC)


@given(
    kind=st.sampled_from(KINDS),
    days=st.floats(0.01, 30),
    seconds=st.floats(0.5, 3600),
    looks=st.lists(st.tuples(st.floats(0, 1.3), st.booleans()), max_size=30),
)
def test_a_live_story_is_never_ahead_never_rewritten_and_ends_now(kind, days, seconds, looks):
    parcel = Parcel("DEMO", "UPS", kind, days=days, seconds=seconds)
    parcel.start(NOW)
    total = len(parcel.told) + len(parcel.planned)
    before: list = []
    for share, pushed in sorted(looks):
        now = NOW + timedelta(seconds=seconds * share)
        while parcel.tell_next(now):
            pass
        if pushed:
            parcel.advance(now)
        assert parcel.told[: len(before)] == before
        assert all(step["at"] <= now for step in parcel.told)
        assert [step["at"] for step in parcel.told] == sorted(step["at"] for step in parcel.told)
        before = list(parcel.told)
    end = NOW + timedelta(seconds=seconds)
    while parcel.tell_next(end):
        pass
    assert len(parcel.told) == total
    assert parcel.told[-1]["at"] <= end
    if not any(pushed for _, pushed in looks):
        assert end - parcel.told[-1]["at"] < timedelta(seconds=2)


def test_a_live_story_starts_days_ago_and_soon_is_about_now():
    parcel = Parcel("DEMO", "UPS", "on_time", days=12, seconds=60)
    parcel.start(NOW)
    assert len(parcel.told) == 1
    assert NOW - parcel.told[0]["at"] >= timedelta(days=11, hours=23)
    ages = []
    for second in range(61):
        now = NOW + timedelta(seconds=second)
        while parcel.tell_next(now):
            ages.append(now - parcel.told[-1]["at"])
    assert len(ages) == 9
    assert ages == sorted(ages, reverse=True)
    assert ages[5] < timedelta(hours=6)
    assert ages[-2] < timedelta(minutes=5)
    assert parcel.told[-1]["status"] == "delivered"


@pytest.mark.parametrize("kind", KINDS)
def test_a_still_story_is_told_at_once_and_lies_in_the_past(kind):
    parcel = Parcel("DEMO", "UPS", kind)
    parcel.start(NOW)
    assert parcel.planned == []
    assert all(NOW - timedelta(days=12, seconds=1) <= step["at"] <= NOW for step in parcel.told)


def test_what_is_not_shown_waits_for_advance_and_is_dated_with_that_moment():
    parcel = Parcel("DEMO", "UPS", "on_time", shown=2)
    parcel.start(NOW)
    assert len(parcel.told) == 2
    later = NOW + timedelta(days=3)
    assert not parcel.tell_next(later)
    assert parcel.advance(later)
    assert parcel.told[2]["at"] == later.replace(microsecond=0)
    while parcel.advance(later):
        pass
    assert parcel.told[-1]["status"] == "delivered"


def test_a_story_with_a_pinned_end_is_the_same_when_told_again():
    ends = NOW + timedelta(seconds=30)
    first, second = (Parcel("DEMO", "UPS", "on_time", seconds=60, ends=ends) for _ in "ab")
    first.start(NOW)
    while first.tell_next(ends):
        pass
    second.start(NOW + timedelta(hours=5))
    assert second.told == first.told


@pytest.mark.parametrize(
    ("kind", "days"),
    [("on_time", 0), ("delivered", -4), ("late", -1), ("lost_silent", -5), ("pre_transit", 4)],
)
def test_the_promise_fits_the_story(kind, days):
    parcel = Parcel("DEMO", "UPS", kind)
    parcel.start(NOW)
    assert parcel.expected == NOW.replace(microsecond=0) + timedelta(days=days)


def test_a_story_that_ends_ahead_is_told_at_its_true_hours():
    parcel = Parcel("DEMO", "UPS", "on_time", ends=NOW + timedelta(days=2))
    parcel.start(NOW)
    assert (len(parcel.told), parcel.told[-1]["status"]) == (7, "in_transit")
    assert not parcel.tell_next(NOW + timedelta(hours=12))
    assert parcel.tell_next(NOW + timedelta(hours=25))
    assert parcel.told[-1]["at"] == parcel.told[-1]["at"].replace(microsecond=0)
    assert parcel.told[-1]["at"] <= NOW + timedelta(hours=24)
    assert parcel.expected == NOW.replace(microsecond=0) + timedelta(days=2)
