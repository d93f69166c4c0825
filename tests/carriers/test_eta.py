"""Arrivals learned from finished parcels: what they say, and what they cannot know."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.backtest import Finished, Plain, backtest
from carriers.eta import ENOUGH, Arrivals, Trip, quantile

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def trip(day: int = 0, **known: str) -> Trip:
    lane = {"origin": "HH", "destination": "BY"} | known
    return Trip(START + timedelta(days=day), **lane)  # type: ignore[arg-type]


def taught(days: list[int], **known: str) -> Arrivals:
    arrivals = Arrivals()
    for took in days:
        arrivals.learn(trip(**known), START + timedelta(days=took))
    return arrivals


def test_too_few_parcels_tell_nothing() -> None:
    assert taught([3] * (ENOUGH - 1)).estimate(trip()) is None


def test_a_lane_always_as_long_is_told_as_long() -> None:
    said = taught([4] * 200).estimate(trip())
    assert said is not None
    assert (said.first, said.last, said.basis, said.parcels) == (4, 4, "lane", 200)


def test_a_lane_of_few_parcels_stands_on_its_destination_and_then_on_all() -> None:
    arrivals = taught([4] * ENOUGH)
    near, far = arrivals.estimate(trip(origin="BE")), arrivals.estimate(trip(destination="SN"))
    assert near is not None
    assert far is not None
    assert (near.basis, near.parcels) == ("destination", ENOUGH)
    assert (far.basis, far.parcels) == ("all", ENOUGH)


def test_a_slower_season_is_followed_within_weeks() -> None:
    arrivals = taught([3] * 1000)
    before = arrivals.estimate(trip())
    for day in range(28):
        for _ in range(40):
            arrivals.learn(trip(day), START + timedelta(days=day + 9))
    after = arrivals.estimate(trip(28))
    assert before is not None
    assert after is not None
    assert before.last < 9 <= after.last


def test_a_parcel_that_arrives_before_it_sets_out_is_refused() -> None:
    with pytest.raises(ValueError, match="before it was handed over"):
        Arrivals().learn(trip(), START - timedelta(days=1))


@given(st.lists(st.integers(0, 400), min_size=ENOUGH, max_size=120), st.sampled_from("ABC"))
def test_quantiles_never_cross_and_nothing_arrives_in_the_past(days: list[int], to: str) -> None:
    said = taught(days).estimate(trip(destination=to))
    assert said is not None
    assert 0 <= said.tenth <= said.median <= said.ninetieth
    assert 0 <= said.first <= said.last


@given(st.lists(st.floats(-5, 5), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_is_never_a_smaller_value(some: list[float], a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert quantile(sorted(some), low) <= quantile(sorted(some), high) + 1e-9


def test_what_arrives_later_changes_nothing_that_was_told_before() -> None:
    dice = random.Random(4)
    parcels = [
        Finished(trip(day), START + timedelta(days=day + dice.randint(1, 9)))
        for day in range(120)
        for _ in range(3)
    ]
    cut = START + timedelta(days=100)
    other = [
        Finished(p.trip, p.delivered_at + timedelta(days=90)) if p.delivered_at >= cut else p
        for p in parcels
    ]
    since = START + timedelta(days=60)
    for model in (Arrivals, Plain):
        told = [_told(model(), list(some), since, cut) for some in (parcels, other)]
        assert told[0] == told[1]
        assert told[0]


def _told(model: Arrivals | Plain, some: list[Finished], since: datetime, cut: datetime) -> object:
    heard: list[object] = []

    class Kept:
        def learn(self, trip: Trip, delivered_at: datetime) -> None:
            model.learn(trip, delivered_at)

        def estimate(self, trip: Trip) -> object:
            said = model.estimate(trip)
            if trip.handed_over_at < cut:
                heard.append(said)
            return said

    backtest(Kept(), some, since)  # type: ignore[arg-type]
    return heard
