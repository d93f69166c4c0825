"""Stories: scaled into any span, never ahead of their end, told in order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.simulated import KINDS, ROUTES, at, story

ENDS = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
QUIET = {"lost_silent", "pre_transit", "delivered"}


@pytest.mark.parametrize("kind", KINDS)
@given(seconds=st.integers(1, 40 * 86400))
def test_a_story_fits_its_span_in_order(kind: str, seconds: int) -> None:
    span = timedelta(seconds=seconds)
    moments = [step["at"] for step in story(kind, ends=ENDS, span=span)]
    assert moments == sorted(moments)
    assert ENDS - span <= moments[0]
    assert moments[-1] < ENDS if kind in QUIET else moments[-1] == ENDS


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        ("on_time", "delivered"),
        ("exception_weather", "failure"),
        ("pickup", "available_for_pickup"),
        ("return_to_sender", "return_to_sender"),
        ("lost_silent", "in_transit"),
        ("pre_transit", "pre_transit"),
        ("delivered_then_taken_back", "in_transit"),
    ],
)
def test_a_story_ends_in_its_status(kind: str, last: str) -> None:
    assert story(kind, ends=ENDS)[-1]["status"] == last


def test_only_the_missed_door_is_an_attempt() -> None:
    marked = {kind for kind in KINDS if any(s["attempt"] for s in story(kind, ends=ENDS))}
    assert marked == {"attempt_failed"}


def test_a_moment_shows_what_has_happened_by_then() -> None:
    whole = story("customs", ends=ENDS)
    assert at(whole, whole[0]["at"] - timedelta(seconds=1)) == []
    assert at(whole, whole[3]["at"]) == whole[:4]
    assert at(whole, ENDS) == whole
    assert {step["tz_offset_minutes"] for step in whole} >= {120, -420}


def test_a_wrong_kind_names_the_right_ones() -> None:
    with pytest.raises(ValueError, match="on_time"):
        story("on-time", ends=ENDS)


@pytest.mark.parametrize("bad", [{"ends": datetime(2026, 1, 1)}, {"span": timedelta(0)}])  # noqa: DTZ001
def test_a_story_refuses_a_naive_end_and_an_empty_span(bad: dict) -> None:
    with pytest.raises(ValueError, match="aware end"):
        story("on_time", **({"ends": ENDS} | bad))


@pytest.mark.parametrize("kind", KINDS)
def test_a_route_changes_the_towns_and_nothing_else(kind: str) -> None:
    """A parcel for Berlin is never said to be in Brooklyn."""
    place = {"city", "state", "country", "zip", "tz_offset_minutes"}
    as_ever = [{k: v for k, v in step.items() if k not in place} for step in story(kind, ends=ENDS)]
    for route, countries in (("new_york", {"US", "PT", None}), ("berlin", {"DE", "US", None})):
        told = story(kind, ends=ENDS, route=route)
        assert [{k: v for k, v in step.items() if k not in place} for step in told] == as_ever
        assert {step["country"] for step in told} <= countries
        at_the_door = {step["city"] for step in told if step["status"] == "delivered"}
        assert at_the_door <= {{"new_york": "BROOKLYN", "berlin": "Berlin"}[route]}


def test_an_unknown_route_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="new_york, berlin"):
        story("on_time", ends=ENDS, route="moon")
    assert "" in ROUTES
