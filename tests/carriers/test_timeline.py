"""Scans in any order and any number of times give one state, by the rules of a parcel's state."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.contract import Scan, Status, Tracking
from carriers.easypost import normalise
from carriers.simulated import KINDS, story
from carriers.timeline import RANK, State, begins, merge, newest_top, read

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def scan(hours: float, status: Status = Status.IN_TRANSIT, **more: object) -> Scan:
    return Scan(**({"at": NOW + HOUR * hours, "status": status, "message": "moved"} | more))  # type: ignore[arg-type]


def answer(status: Status, hours: float | None = -1, *scans: Scan, detail: str = "") -> Tracking:
    stamp = None if hours is None else NOW + HOUR * hours
    return Tracking("trk_1", "USPS", "1", status, detail, scans, updated_at=stamp)


def messages(state: State) -> list[str]:
    return [seen.scan.message for seen in state.shown]


def test_every_order_of_the_recorded_life_ends_the_same(shared_data: Path) -> None:
    path = shared_data / "easypost/tracker_states/lifecycle_one_parcel.json"
    snapshots = [normalise(s["tracker"]) for s in json.loads(path.read_bytes())["snapshots"]]
    now = datetime(2024, 8, 1, tzinfo=UTC)
    ended = set()
    for order in permutations(snapshots):
        for told in (order, order + order, order + order[::-1], (*order, order[0], order[0])):
            known: tuple[Scan, ...] = ()
            for snapshot in told:
                known = merge(known, snapshot.scans)
            top = newest_top(told)
            ended.add((known, read(known, now=now, top=top)))
            assert read([s for t in told for s in t.scans], now=now, top=top) == read(
                known, now=now, top=top
            )
    ((known, state),) = ended
    assert len(known) == len({s.key() for t in snapshots for s in t.scans})
    assert state.status is Status.DELIVERED
    assert state.delivered_at == max(s.at for t in snapshots for s in t.scans)


towns = st.sampled_from([None, "", "Berlin", "BERLIN", "Köln"])
scans = st.builds(
    Scan,
    at=st.integers(-400, 60).map(lambda h: NOW + h * HOUR),
    status=st.sampled_from(list(Status)),
    offset_minutes=st.sampled_from([None, 0, 60, -420]),
    detail=st.sampled_from(["", "held"]),
    code=st.sampled_from(["", "X1"]),
    message=st.sampled_from(["", "Moved", "moved", "Here"]),
    city=towns,
    source=st.sampled_from(["USPS", ""]),
    raw=st.dictionaries(st.sampled_from("ab"), st.integers(0, 2)),
)
piles = st.lists(scans, max_size=12)


@settings(max_examples=300)
@given(pile=piles, data=st.data())
def test_order_and_doubling_change_nothing(pile: list[Scan], data: st.DataObject) -> None:
    doubled = pile + data.draw(st.lists(st.sampled_from(pile), max_size=8) if pile else st.just([]))
    shuffled = data.draw(st.permutations(doubled))
    cut = data.draw(st.integers(0, len(shuffled)))
    known = merge(merge((), shuffled[:cut]), shuffled[cut:])
    assert known == merge(pile, ())
    assert merge(known, known) == known
    edge = data.draw(st.sampled_from([None, NOW - 100 * HOUR]))
    state = read(shuffled, now=NOW, not_before=edge)
    assert state == read(pile, now=NOW, not_before=edge)
    assert state == read(known, now=NOW, not_before=edge)
    assert [seen.scan for seen in state.seen] == list(known)


@given(pile=piles)
def test_the_state_follows_from_the_scans_that_may_decide(pile: list[Scan]) -> None:
    edge = NOW - 100 * HOUR
    may = [s for s in pile if edge <= s.at <= NOW + 24 * HOUR and s.status is not Status.UNKNOWN]
    state = read(pile, now=NOW, not_before=edge)
    if not may:
        assert (state.status, state.since, state.delivered_at) == (Status.UNKNOWN, None, None)
        return
    newest = max(may, key=lambda s: (s.at, RANK[s.status]))
    assert state.status is newest.status
    assert state.delivered_at == (newest.at if newest.status is Status.DELIVERED else None)
    assert state.since is not None
    assert state.since <= newest.at


@given(pile=piles, extra=piles)
def test_a_message_with_fewer_scans_removes_none(pile: list[Scan], extra: list[Scan]) -> None:
    before = {s.key() for s in merge(pile, ())}
    assert before <= {s.key() for s in merge(pile, extra)}


def test_the_newest_by_its_own_instant_decides_not_the_last_to_come() -> None:
    late_news = [scan(-1, Status.DELIVERED), scan(-30, Status.OUT_FOR_DELIVERY)]
    assert read(late_news, now=NOW).status is Status.DELIVERED


@pytest.mark.parametrize("order", [1, -1])
def test_at_equal_instants_the_furthest_along_decides(order: int) -> None:
    pair = [scan(-1, Status.DELIVERED, message="a"), scan(-1, Status.OUT_FOR_DELIVERY, message="b")]
    assert read(pair[::order], now=NOW).status is Status.DELIVERED


def test_one_instant_in_two_zones_is_one_scan() -> None:
    told = datetime.fromisoformat("2026-03-10T12:00:00+01:00")
    pair = [Scan(told, Status.IN_TRANSIT), Scan(told.astimezone(UTC), Status.IN_TRANSIT)]
    assert len(merge(pair, ())) == 1


def test_a_parcel_taken_back_is_open_again() -> None:
    delivered = scan(-5, Status.DELIVERED)
    taken = scan(-2, Status.IN_TRANSIT)
    again = scan(-1, Status.DELIVERED)
    assert read([delivered], now=NOW).delivered_at == delivered.at
    opened = read([delivered, taken], now=NOW)
    assert (opened.status, opened.delivered_at) == (Status.IN_TRANSIT, None)
    assert read([again, delivered, taken], now=NOW).delivered_at == again.at


def test_a_scan_from_the_future_waits_for_its_time() -> None:
    pile = [scan(-1), scan(25, Status.DELIVERED)]
    today = read(pile, now=NOW)
    assert today.status is Status.IN_TRANSIT
    assert today.last_scan_at == pile[0].at
    assert [seen.flags for seen in today.seen] == [frozenset(), frozenset({"future"})]
    assert read(pile, now=NOW + HOUR).status is Status.DELIVERED


def test_an_unknown_word_is_kept_shown_and_decides_nothing() -> None:
    state = read([scan(-3, Status.DELIVERED), scan(-1, Status.UNKNOWN, message="?")], now=NOW)
    assert state.status is Status.DELIVERED
    assert state.shown[-1].flags == {"unknown"}
    assert state.last_scan_at == NOW - HOUR


def test_an_older_parcel_with_the_same_number_is_kept_aside() -> None:
    shipped = NOW - 48 * HOUR
    edge = begins(shipped)
    assert shipped - edge == timedelta(days=10)
    old = Scan(edge - timedelta(seconds=1), Status.DELIVERED, message="old")
    first = Scan(edge, Status.PRE_TRANSIT, message="first")
    only_old = read([old], now=NOW, not_before=edge)
    assert (only_old.status, only_old.last_scan_at) == (Status.UNKNOWN, None)
    both = read([old, first], now=NOW, not_before=edge)
    assert both.status is Status.PRE_TRANSIT
    assert messages(both) == ["first"]
    assert [seen.flags for seen in both.seen] == [frozenset({"older_parcel"}), frozenset()]


def test_the_top_counts_only_where_it_brings_no_scans() -> None:
    bare = answer(Status.PRE_TRANSIT, detail="label_created")
    alone = read([], now=NOW, top=bare)
    assert (alone.status, alone.detail, alone.since) == (
        Status.PRE_TRANSIT,
        "label_created",
        bare.updated_at,
    )
    assert read([scan(-3)], now=NOW, top=bare).status is Status.IN_TRANSIT
    with_scans = answer(Status.DELIVERED, -1, scan(-3, Status.UNKNOWN))
    assert read(with_scans.scans, now=NOW, top=with_scans).status is Status.UNKNOWN
    assert read([], now=NOW, top=answer(Status.DELIVERED)).delivered_at is None
    assert read([], now=NOW, top=answer(Status.DELIVERED, 30)).status is Status.UNKNOWN


@given(st.permutations([answer(s, h) for s in Status for h in (None, -5, -1)]))
def test_the_newest_known_top_wins_in_any_order(answers: list[Tracking]) -> None:
    top = newest_top(answers)
    assert top is not None
    assert (top.status, top.updated_at) == (Status.DELIVERED, NOW - HOUR)


def test_an_event_told_twice_with_another_status_is_shown_once() -> None:
    first = scan(-1, Status.EXCEPTION, city="Berlin", message="No access")
    refined = scan(-1, Status.ATTEMPT_FAILED, city="Berlin", message="No access")
    state = read([refined, first], now=NOW)
    assert state.status is Status.ATTEMPT_FAILED
    assert [seen.scan.status for seen in state.shown] == [Status.ATTEMPT_FAILED]
    assert len(state.seen) == 2
    silent = [scan(-1, Status.PRE_TRANSIT, message=""), scan(-1, message="")]
    assert len(read(silent, now=NOW).shown) == 2


def test_since_is_the_first_scan_of_the_present_run() -> None:
    pile = [scan(-9), scan(-8, Status.EXCEPTION), scan(-5), scan(-3), scan(-1)]
    assert read(pile, now=NOW).since == NOW - 5 * HOUR


def test_a_scan_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Scan(datetime(2026, 1, 1), Status.IN_TRANSIT)  # noqa: DTZ001


@pytest.mark.parametrize(
    "change", [{"raw": {"by": "hook"}}, {"offset_minutes": 60}, {"source": "X"}]
)
def test_the_key_does_not_depend_on_how_it_came(change: dict[str, object]) -> None:
    assert scan(0, city="Köln").key() == scan(0, city="Köln", **change).key()


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOW + timedelta(microseconds=1)},
        {"status": Status.EXCEPTION},
        {"detail": "held"},
        {"code": "X"},
        {"message": "Moved on"},
        {"city": "Berlin"},
        {"region": "BE"},
        {"country": "DE"},
        {"postcode": "10997"},
    ],
)
def test_the_key_depends_on_what_is_said(change: dict[str, object]) -> None:
    assert scan(0).key() != scan(0, **change).key()


TOLD = {
    "on_time": Status.DELIVERED,
    "late": Status.IN_TRANSIT,
    "exception_weather": Status.EXCEPTION,
    "attempt_failed": Status.ATTEMPT_FAILED,
    "pickup": Status.AVAILABLE_FOR_PICKUP,
    "return_to_sender": Status.RETURN_TO_SENDER,
    "lost_silent": Status.IN_TRANSIT,
    "pre_transit": Status.PRE_TRANSIT,
    "delivered": Status.DELIVERED,
    "delivered_then_taken_back": Status.IN_TRANSIT,
    "customs": Status.DELIVERED,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_story_read_through_easypost_ends_as_told(kind: str) -> None:
    steps = story(kind, ends=NOW)
    attempt = next((step["at"].isoformat() for step in steps if step["attempt"]), None)
    tracker = {
        "id": "trk_1",
        "tracking_code": "1",
        "carrier_detail": {"initial_delivery_attempt": attempt},
        "tracking_details": [
            {
                "datetime": step["at"].isoformat(),
                "status": step["status"],
                "status_detail": step["status_detail"],
                "message": step["message"],
                "tracking_location": {
                    name: step[name] for name in ("city", "state", "country", "zip")
                },  # type: ignore[literal-required]
            }
            for step in steps
        ],
    }
    state = read(normalise(tracker).scans, now=NOW)
    assert state.status is TOLD[kind]
    assert len(state.shown) == len(steps)
