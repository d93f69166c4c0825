"""When to ask again, and the arithmetic of a provider's budget."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import FINAL, Status
from carriers.schedule import EVERY, Budget, is_expired, next_poll

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def due(status: Status, **more: Any) -> timedelta | None:
    """How long after now the next question is due, for a parcel asked about just now."""
    facts = {"now": NOW, "created_at": NOW - 3 * DAY, "last_polled_at": NOW} | more
    found = next_poll(status, **facts)
    return None if found is None else found - NOW


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


def test_with_hooks_a_question_a_day_is_enough_and_kept() -> None:
    assert due(Status.OUT_FOR_DELIVERY, hooks_arriving=True) == DAY
    assert due(Status.DELIVERED, hooks_arriving=True) is None


def test_a_parcel_never_asked_about_or_overdue_is_due_now() -> None:
    assert due(Status.UNKNOWN, last_polled_at=None) == timedelta(0)
    assert due(Status.IN_TRANSIT, last_polled_at=NOW - 9 * DAY) == timedelta(0)
    assert due(Status.IN_TRANSIT, last_polled_at=NOW + 9 * DAY) == timedelta(hours=3)


def test_failures_wait_longer_each_time_up_to_six_hours() -> None:
    waits = [due(Status.IN_TRANSIT, failures=n) for n in (1, 2, 3, 4, 9, 10, 10**9)]
    assert waits == [n * MINUTE for n in (1, 2, 4, 8, 256, 360, 360)]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(timedelta(0), MINUTE), (timedelta(seconds=-9), MINUTE), (9 * MINUTE, 9 * MINUTE)],
)
def test_retry_after_is_honoured_with_a_floor(asked: timedelta, waited: timedelta) -> None:
    assert due(Status.IN_TRANSIT, failures=1, retry_after=asked, seed="p1") == waited
    assert due(Status.IN_TRANSIT, last_polled_at=None, retry_after=asked) == waited
    assert due(Status.IN_TRANSIT, failures=1, retry_after=timedelta(days=400)) == DAY


def test_ninety_days_without_a_word_are_the_end() -> None:
    edge = NOW - 90 * DAY
    assert due(Status.IN_TRANSIT, created_at=edge) is None
    assert due(Status.IN_TRANSIT, created_at=edge, last_scan_at=NOW - 89 * DAY) is not None
    assert due(Status.IN_TRANSIT, created_at=NOW - 400 * DAY, last_scan_at=edge) is None
    assert is_expired(now=NOW, created_at=edge, last_scan_at=None)
    assert not is_expired(now=NOW, created_at=edge + MINUTE, last_scan_at=NOW - 400 * DAY)


statuses = st.sampled_from(sorted(EVERY))
spans = st.timedeltas(timedelta(0), timedelta(days=80))


@given(
    status=statuses,
    polled=st.none() | spans,
    hooks=st.booleans(),
    failures=st.integers(0, 10**6),
    retry=st.none() | st.timedeltas(-DAY, 400 * DAY),
    seed=st.text(alphabet="abc123", max_size=8),
)
def test_the_next_question_is_soon_and_never_past(
    status: Status,
    polled: timedelta | None,
    hooks: bool,
    failures: int,
    retry: timedelta | None,
    seed: str,
) -> None:
    facts: dict[str, Any] = {
        "last_polled_at": None if polled is None else NOW - polled,
        "hooks_arriving": hooks,
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


@given(status=statuses, few=st.integers(0, 40), more=st.integers(0, 40), seed=st.text(max_size=4))
def test_more_failures_never_ask_sooner(status: Status, few: int, more: int, seed: str) -> None:
    fewer, many = sorted((few + 1, more + 1))
    assert due(status, failures=fewer, seed=seed) <= due(status, failures=many, seed=seed)  # type: ignore[operator]


@given(
    status=statuses,
    asked=st.tuples(spans, spans),
    hooks=st.booleans(),
    retry=st.none() | st.timedeltas(-DAY, 2 * DAY),
    seed=st.text(max_size=4),
)
def test_who_was_asked_later_is_asked_again_no_sooner(
    status: Status,
    asked: tuple[timedelta, timedelta],
    hooks: bool,
    retry: timedelta | None,
    seed: str,
) -> None:
    facts: dict[str, Any] = {"hooks_arriving": hooks, "retry_after": retry, "seed": seed}
    earlier, later = (due(status, last_polled_at=NOW - ago, **facts) for ago in sorted(asked)[::-1])
    assert earlier <= later  # type: ignore[operator]


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


@given(status=statuses, seed=st.text(max_size=4), polled=st.none() | spans)
def test_hooks_never_make_questions_more_frequent(
    status: Status, seed: str, polled: timedelta | None
) -> None:
    last = None if polled is None else NOW - polled
    alone, told = (due(status, last_polled_at=last, hooks_arriving=h, seed=seed) for h in (0, 1))
    assert alone <= told  # type: ignore[operator]


@given(st.lists(st.tuples(statuses, st.booleans(), st.integers(0, 3)), min_size=1, max_size=40))
def test_time_goes_on_and_no_parcel_is_asked_more_often_than_its_pace(
    told: list[tuple[Status, bool, int]],
) -> None:
    """A parcel's life: each question is asked when it is due, and the next lies after it."""
    now = NOW
    for status, hooks, failures in told:
        found = next_poll(
            status,
            now=now,
            created_at=now - DAY,
            last_polled_at=now,
            hooks_arriving=hooks,
            failures=failures,
            seed="parcel",
        )
        assert found is not None
        assert found - now >= MINUTE * 0.9
        now = found


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
