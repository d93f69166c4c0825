"""When to ask again, and the arithmetic of a provider's budget."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import FINAL, Status
from carriers.pace import EVERY, Pace, Waits
from carriers.schedule import (
    FORGOTTEN,
    LATEST,
    MOVING,
    PROOF,
    TABLE,
    Budget,
    Hooks,
    Parcel,
    is_expired,
    next_poll,
)

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


HOOKED, NEVER = Hooks(heard_at=NOW), Hooks()


def due(
    status: Status,
    hooks: Hooks = NEVER,
    retry_after: timedelta | None = None,
    pace: Pace = TABLE,
    now: datetime = NOW,
    **more: Any,
) -> timedelta | None:
    """How long after now the next question is due, for a parcel scanned and answered just now."""
    facts = {"created_at": NOW - 3 * DAY, "last_scan_at": NOW, "asked_at": NOW} | more
    parcel = Parcel(status, **facts)
    found = next_poll(parcel, now, hooks=hooks, pace=pace, retry_after=retry_after)
    return None if found is None else found - now


@pytest.mark.parametrize(
    ("status", "minutes"),
    [
        (Status.OUT_FOR_DELIVERY, 30),
        (Status.IN_TRANSIT, 180),
        (Status.EXCEPTION, 180),
        (Status.ATTEMPT_FAILED, 180),
        (Status.AVAILABLE_FOR_PICKUP, 180),
        (Status.RETURN_TO_SENDER, 360),
        (Status.PRE_TRANSIT, 360),
        (Status.UNKNOWN, 360),
        (Status.DELIVERED, None),
        (Status.CANCELLED, None),
        (Status.EXPIRED, None),
    ],
)
def test_each_status_has_its_pace(status: Status, minutes: int | None) -> None:
    assert due(status) == (None if minutes is None else minutes * MINUTE)


def test_every_status_is_either_final_or_asked_about() -> None:
    assert set(EVERY) | FINAL == set(Status)
    assert not set(EVERY) & FINAL


def test_a_parcel_that_is_quiet_for_long_is_asked_about_less_often() -> None:
    waits = [due(Status.IN_TRANSIT, last_scan_at=NOW - n * DAY) for n in (0, 1, 4, 10, 60)]
    assert waits == [timedelta(hours=n) for n in (3, 3, 6, 15, 24)]


def test_while_hooks_arrive_questions_are_a_rare_safety_net() -> None:
    assert due(Status.IN_TRANSIT, HOOKED) == DAY
    assert due(Status.OUT_FOR_DELIVERY, HOOKED) == LATEST, "looked at again, not asked about"
    later = NOW + 4 * timedelta(hours=1)
    assert due(Status.OUT_FOR_DELIVERY, Hooks(later), now=later) == PROOF
    assert due(Status.DELIVERED, HOOKED) is None


def test_where_nothing_says_that_hooks_arrive_what_may_be_delivered_is_asked_about() -> None:
    for hours in (1, 30):
        now = NOW + timedelta(hours=hours)
        quiet = {"hooks": HOOKED, "now": now, "last_scan_at": now, "asked_at": now}
        assert due(Status.OUT_FOR_DELIVERY, **quiet) == LATEST
        assert due(Status.IN_TRANSIT, **quiet) == DAY


def test_where_hooks_are_lost_everything_under_way_is_asked_about_within_half_an_hour() -> None:
    lost = Hooks(heard_at=NOW - DAY, missed_at=NOW)
    for status in MOVING:
        assert due(status, lost) == LATEST
    assert due(Status.PRE_TRANSIT, lost) == LATEST
    assert due(Status.PRE_TRANSIT, lost, last_scan_at=NOW - 8 * DAY) == timedelta(hours=9)
    assert due(Status.RETURN_TO_SENDER, lost) == timedelta(hours=6)
    assert due(Status.IN_TRANSIT, Hooks(heard_at=NOW, missed_at=NOW - DAY)) == DAY, "they are back"


def test_hooks_that_came_long_ago_are_as_none() -> None:
    now = NOW + FORGOTTEN
    asked = {"now": now, "last_scan_at": now, "asked_at": now}
    assert due(Status.IN_TRANSIT, HOOKED, **asked) == timedelta(hours=3)
    assert due(Status.IN_TRANSIT, Hooks(NOW, NOW + DAY), **asked) == timedelta(hours=3)


def test_a_parcel_never_asked_about_or_overdue_is_due_now() -> None:
    assert due(Status.UNKNOWN, asked_at=None) == timedelta(0)
    assert due(Status.IN_TRANSIT, asked_at=NOW - 9 * DAY, last_scan_at=None) == timedelta(0)
    assert due(Status.IN_TRANSIT, asked_at=NOW + 9 * DAY) == timedelta(hours=3)


def test_failures_wait_longer_each_time_up_to_six_hours() -> None:
    waits = [due(Status.IN_TRANSIT, failures=n) for n in (1, 2, 3, 4, 9, 10, 10**9)]
    assert waits == [n * MINUTE for n in (1, 2, 4, 8, 256, 360, 360)]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(timedelta(0), MINUTE), (timedelta(seconds=-9), MINUTE), (9 * MINUTE, 9 * MINUTE)],
)
def test_retry_after_is_honoured_with_a_floor(asked: timedelta, waited: timedelta) -> None:
    assert due(Status.IN_TRANSIT, failures=1, retry_after=asked, seed="p1") == waited
    assert due(Status.IN_TRANSIT, asked_at=None, retry_after=asked) == waited
    assert due(Status.IN_TRANSIT, failures=1, retry_after=timedelta(days=400)) == DAY


def test_ninety_days_without_a_word_are_the_end() -> None:
    edge = NOW - 90 * DAY
    assert due(Status.IN_TRANSIT, created_at=edge, last_scan_at=None) is None
    assert due(Status.IN_TRANSIT, created_at=edge, last_scan_at=NOW - 89 * DAY) is not None
    assert due(Status.IN_TRANSIT, created_at=NOW - 400 * DAY, last_scan_at=edge) is None
    assert is_expired(now=NOW, created_at=edge, last_scan_at=None)
    assert not is_expired(now=NOW, created_at=edge + MINUTE, last_scan_at=NOW - 400 * DAY)


statuses = st.sampled_from(sorted(EVERY))
spans = st.timedeltas(timedelta(0), timedelta(days=80))


moments = st.none() | st.timedeltas(-4 * DAY, DAY).map(lambda ago: NOW + ago)
hooks_known = st.builds(Hooks, moments, moments)


def taught() -> Waits:
    """Parcels that move at night, go out at seven and arrive at noon."""
    waits, begin = Waits(), datetime(2026, 2, 2, 18, tzinfo=UTC)
    night, hour = timedelta(hours=8), timedelta(hours=1)
    for n in range(300):
        at = begin + n * 60 * MINUTE / 300
        last = Status.DELIVERED if n % 9 else Status.EXCEPTION
        moves = [(at, Status.IN_TRANSIT), (at + night, Status.IN_TRANSIT)]
        out = at + night + 5 * hour
        moves += [(out, Status.OUT_FOR_DELIVERY), (out + (3 + n % 5) * hour, last)]
        waits.learn(moves, UTC, at + 3 * DAY)
    return waits


TAUGHT = taught()
PACES = [[Pace(waits, effort) for effort in (0.1, 0.5, 1, 2, 10)] for waits in (None, TAUGHT)]
paces = st.sampled_from([pace for row in PACES for pace in row])


@given(
    status=statuses,
    asked=st.none() | spans,
    scanned=st.none() | spans,
    hooks=hooks_known,
    pace=paces,
    failures=st.integers(0, 10**6),
    retry=st.none() | st.timedeltas(-DAY, 400 * DAY),
    seed=st.text(alphabet="abc123", max_size=8),
)
def test_the_next_question_is_soon_and_never_past(
    status: Status,
    asked: timedelta | None,
    scanned: timedelta | None,
    hooks: Hooks,
    pace: Pace,
    failures: int,
    retry: timedelta | None,
    seed: str,
) -> None:
    facts: dict[str, Any] = {
        "asked_at": None if asked is None else NOW - asked,
        "last_scan_at": None if scanned is None else NOW - scanned,
        "hooks": hooks,
        "pace": pace,
        "failures": failures,
        "retry_after": retry,
        "seed": seed,
    }
    wait = due(status, **facts)
    assert wait is not None
    assert timedelta(0) <= wait <= DAY
    assert wait == due(status, **facts)
    if retry is not None:
        assert wait >= min(max(retry, MINUTE), DAY)


@given(st.sampled_from(sorted(FINAL)), hooks_known, paces)
def test_a_parcel_that_has_ended_is_never_asked_about(
    status: Status, hooks: Hooks, pace: Pace
) -> None:
    assert due(status, hooks, pace=pace, asked_at=None) is None
    assert due(status, hooks, pace=pace, failures=3, retry_after=MINUTE) is None


@given(status=statuses, scanned=spans, row=st.sampled_from(PACES), hooks=hooks_known)
def test_more_effort_never_asks_later(
    status: Status, scanned: timedelta, row: list[Pace], hooks: Hooks
) -> None:
    waits = [due(status, hooks, pace=pace, last_scan_at=NOW - scanned) for pace in row]
    assert waits == sorted(waits, reverse=True)  # type: ignore[type-var]


@given(status=statuses, few=st.integers(0, 40), more=st.integers(0, 40), seed=st.text(max_size=4))
def test_more_failures_never_ask_sooner(status: Status, few: int, more: int, seed: str) -> None:
    fewer, many = sorted((few + 1, more + 1))
    assert due(status, failures=fewer, seed=seed) <= due(status, failures=many, seed=seed)  # type: ignore[operator]


@given(
    status=statuses,
    asked=st.tuples(spans, spans),
    scanned=spans,
    hooks=hooks_known,
    pace=paces,
    seed=st.text(max_size=4),
)
def test_who_was_asked_later_is_asked_again_no_sooner(
    status: Status,
    asked: tuple[timedelta, timedelta],
    scanned: timedelta,
    hooks: Hooks,
    pace: Pace,
    seed: str,
) -> None:
    facts: dict[str, Any] = {"hooks": hooks, "pace": pace, "seed": seed}
    facts["last_scan_at"] = NOW - scanned
    earlier, later = (due(status, asked_at=NOW - ago, **facts) for ago in sorted(asked)[::-1])
    assert earlier <= later + timedelta(seconds=1)  # type: ignore[operator]


@given(
    status=statuses,
    failures=st.integers(0, 20),
    waits=st.tuples(st.timedeltas(-DAY, 3 * DAY), st.timedeltas(-DAY, 3 * DAY)),
)
def test_a_longer_wait_that_was_asked_for_is_never_shorter(
    status: Status, failures: int, waits: tuple[timedelta, timedelta]
) -> None:
    short, long = (due(status, failures=failures, retry_after=wait) for wait in sorted(waits))
    plain = due(status, failures=failures)
    assert plain <= short <= long  # type: ignore[operator]


@given(status=statuses, seed=st.text(max_size=4), asked=spans, pace=paces)
def test_hooks_that_arrive_never_make_questions_more_frequent(
    status: Status, seed: str, asked: timedelta, pace: Pace
) -> None:
    facts: dict[str, Any] = {"asked_at": NOW - asked, "seed": seed, "pace": pace}
    if pace.effort < 1 and status is Status.OUT_FOR_DELIVERY:
        return  # a house that asks rarely still has what may be delivered looked at
    alone, told = (due(status, hooks, **facts) for hooks in (Hooks(), HOOKED))
    assert alone <= max(told, LATEST)  # type: ignore[operator, type-var]


@given(st.lists(st.tuples(statuses, hooks_known, st.integers(0, 3), paces), min_size=1))
def test_time_goes_on_and_no_parcel_is_asked_more_often_than_every_few_minutes(
    told: list[tuple[Status, Hooks, int, Pace]],
) -> None:
    """A parcel's life: each question is asked when it is due, and the next lies after it."""
    now = NOW
    for status, hooks, failures, pace in told:
        parcel = Parcel(status, now - DAY, asked_at=now, failures=failures, seed="parcel")
        found = next_poll(parcel, now, hooks=hooks, pace=pace)
        assert found is not None
        assert found - now >= MINUTE * (0.9 if failures else 5)
        now = found


def test_what_was_learned_is_asked_for_at_the_hours_when_it_comes() -> None:
    learned, scanned = PACES[1][2], datetime(2026, 3, 10, 2, tzinfo=UTC)
    asked, dues = scanned + MINUTE, []
    while asked < scanned + timedelta(hours=8):
        facts = Parcel(Status.IN_TRANSIT, NOW - DAY, scanned, asked_at=asked)
        found = next_poll(facts, asked, pace=learned)
        assert found is not None
        dues.append(found.hour)
        asked = found
    assert dues[0] >= 6, "nothing ever came before seven"
    assert dues.count(7) >= 2, "then it is asked for twice an hour"


def test_what_was_never_seen_is_asked_about_by_the_table() -> None:
    assert due(Status.AVAILABLE_FOR_PICKUP, pace=PACES[1][2]) == timedelta(hours=3)
    assert due(Status.AVAILABLE_FOR_PICKUP, pace=Pace(effort=2)) == timedelta(hours=1.5)


def test_the_hour_is_that_of_where_the_parcel_goes() -> None:
    learned = PACES[1][2]
    tokyo = ZoneInfo("Asia/Tokyo")
    here = datetime(2026, 3, 10, 6, tzinfo=UTC)
    there = here - timedelta(hours=9)
    waits = []
    for at, zone in ((here, UTC), (there, tokyo), (here, tokyo)):
        parcel = Parcel(Status.IN_TRANSIT, at - DAY, at - 4 * 60 * MINUTE, at, zone=zone)
        found = next_poll(parcel, at, pace=learned)
        assert found is not None
        waits.append(found - at)
    assert waits[0] == waits[1] != waits[2]


def test_parcels_are_spread_earlier_never_later() -> None:
    waits = [due(Status.IN_TRANSIT, seed=f"parcel-{n}") for n in range(500)]
    assert all(timedelta(hours=2.7) <= w <= timedelta(hours=3) for w in waits if w)
    assert len(set(waits)) > 490


def test_a_budget_gives_its_burst_then_its_rate() -> None:
    budget = Budget.full(5, 3, NOW)
    for _ in range(3):
        budget, wait = budget.take(NOW)
        assert wait == timedelta(0)
    budget, wait = budget.take(NOW)
    assert wait == timedelta(milliseconds=200)
    budget, wait = budget.take(NOW + wait)
    assert wait == timedelta(0)


@given(
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 20),
    gaps=st.lists(st.integers(-2_000, 2_000), max_size=60),
)
def test_a_budget_never_gives_more_than_it_has(rate: float, burst: int, gaps: list[int]) -> None:
    budget, now, latest, given_out = Budget.full(rate, burst, NOW), NOW, NOW, 0
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        latest = max(latest, now)
        budget, wait = budget.take(now)
        given_out += wait == timedelta(0)
        assert given_out <= burst + (latest - NOW).total_seconds() * rate + 1e-6
        assert 0 <= budget.tokens <= burst


@given(rate=st.floats(0.01, 1000), taken=st.integers(1, 50))
def test_who_waits_as_told_is_served(rate: float, taken: int) -> None:
    budget, now = Budget.full(rate, 1, NOW), NOW
    for _ in range(taken):
        budget, wait = budget.take(now)
        for _ in range(3):  # a microsecond's rounding may ask for a second, tiny wait
            if not wait:
                break
            now += wait
            budget, wait = budget.take(now)
        assert wait == timedelta(0)


def test_a_refusal_closes_the_budget_for_as_long_as_asked() -> None:
    closed = Budget.full(5, 10, NOW).refused(NOW, timedelta(seconds=30))
    after, wait = closed.take(NOW + timedelta(seconds=10))
    assert wait == timedelta(seconds=20)
    after, wait = after.refused(NOW, timedelta(seconds=5)).take(NOW + timedelta(seconds=29))
    assert wait == timedelta(seconds=1)
    opened, wait = after.take(NOW + timedelta(seconds=30))
    assert (wait, opened.closed_until) == (timedelta(0), None)
    assert Budget.full(5, 10, NOW).refused(NOW, None).take(NOW)[1] == MINUTE
    assert Budget.full(5, 10, NOW).refused(NOW, timedelta(0)).take(NOW)[1] == timedelta(seconds=1)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1)])
def test_a_budget_that_allows_nothing_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="budget"):
        Budget.full(rate, burst, NOW)


@given(
    waits=st.lists(st.none() | st.timedeltas(-DAY, 3 * DAY), min_size=1, max_size=8),
    later=st.timedeltas(timedelta(0), DAY),
)
def test_a_refusal_holds_for_as_long_as_the_longest_that_was_said(
    waits: list[timedelta | None], later: timedelta
) -> None:
    budget = Budget.full(5, 5, NOW)
    for wait in waits:
        budget = budget.refused(NOW, wait)
    until = max(min(max(w or MINUTE, timedelta(seconds=1)), DAY) for w in waits)
    _, wait = budget.take(NOW + later)
    assert (wait == timedelta(0)) == (later >= until)


@given(rate=st.floats(0.1, 100), burst=st.integers(1, 20), asked=st.integers(1, 60))
def test_waiting_as_told_is_always_enough(rate: float, burst: int, asked: int) -> None:
    budget, now = Budget.full(rate, burst, NOW), NOW
    for _ in range(asked):
        budget, wait = budget.take(now)
        now += wait + timedelta(microseconds=1)
        if wait:
            budget, wait = budget.take(now)
            assert wait == timedelta(0)
