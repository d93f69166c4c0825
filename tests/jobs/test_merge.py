"""Any order, any repetition, any mixture of hooks and questions: the same parcel."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.db import every_shop, session, writing
from portal.models import HookEvent, Message, Order, Shipment, StoredScan
from portal.models.due import Due
from tests.carriers.conftest import Server, server
from tests.jobs.house import House, Parcel, house_on

__all__ = ["server"]

THEN = datetime(2024, 7, 2, 9, tzinfo=UTC)  # an hour after the recorded parcel arrived
PLACED = "2024-06-29T10:00:00Z"
MANY = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes a second: none smaller
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ORDERS = list(itertools.permutations(range(4)))


class Provider:
    """Answers questions about the recorded parcel with whatever snapshot is told."""

    def __init__(self, server: Server) -> None:
        self.snapshot: dict[str, Any] = {}
        server.script = lambda handler: handler.send_object(200, self.snapshot)
        self.server = server
        self.base = server.base


@pytest.fixture
def then() -> Iterator[None]:
    with time_machine.travel(THEN, tick=True):
        yield


@pytest.fixture
def told(
    then: None, sqlite_url: str, server: Server, snapshots: list[dict[str, Any]]
) -> Iterator[Telling]:
    provider = Provider(server)
    with house_on(sqlite_url, provider.base) as house:
        yield Telling(house, provider, snapshots)


@pytest.fixture
def told_anywhere(
    then: None, database_url: str, server: Server, snapshots: list[dict[str, Any]]
) -> Iterator[Telling]:
    provider = Provider(server)
    with house_on(database_url, provider.base) as house:
        yield Telling(house, provider, snapshots)


class Telling:
    """Tells a house the recorded parcel's story, piece by piece."""

    def __init__(self, house: House, provider: Provider, snapshots: list[dict[str, Any]]) -> None:
        self.house = house
        self.provider = provider
        self.snapshots = snapshots
        self.places: set[int] = set()  # what was told so far

    def order(self, number: str = "1042") -> dict[str, Any]:
        code = self.snapshots[0]["tracking_code"]
        parcel = {"carrier": "USPS", "tracking_number": code}
        return self.house.order(number, parcel, placed_at=PLACED)

    def hook(self, place: int, event_id: str | None = None, *, at_once: bool = True) -> None:
        answer = self.house.push(self.snapshots[place], event_id=event_id)
        assert answer.status_code == 200
        self.places.add(place)
        if at_once:
            self.house.work("apply")

    def ask(self, place: int) -> None:
        """Have the question's time come; a parcel that is delivered is asked about no more."""
        self.provider.snapshot = self.snapshots[place]
        self.house.due_now()
        before = len(self.provider.server.asked)
        self.house.work("poll")
        if len(self.provider.server.asked) > before:
            self.places.add(place)

    def forget(self) -> None:
        """Begin anew in the same house."""
        self.places.clear()
        with every_shop(), writing():
            for table in (Message, StoredScan, HookEvent, Due):
                session.execute(table.__table__.delete())
            session.query(Shipment).delete()
            for order in session.query(Order):
                session.delete(order)


def parcel_told(telling: Telling, steps: Sequence[tuple[str, int]]) -> Parcel:
    """The parcel after these steps: hook, again (the same event), or ask."""
    order = telling.order()
    for way, place in steps:
        if way == "ask":
            telling.ask(place)
        else:
            telling.hook(place, f"evt_{place:032}" if way == "again" else None)
    return telling.house.parcel(order)


def reference(telling: Telling) -> Parcel:
    """The parcel told by hooks in the order in which things happened."""
    return parcel_told(telling, [("hook", place) for place in range(4)])


def check_orders(telling: Telling, orders: Sequence[tuple[int, ...]]) -> None:
    expected = reference(telling)
    assert expected.status == "delivered"
    assert len(expected.scans) >= 8
    assert expected.wanted == ("delivered",)
    for places in orders:
        telling.forget()
        found = parcel_told(telling, [("hook", place) for place in places])
        assert found.observed == expected.observed, places


def test_all_orders_of_four_snapshots_give_one_parcel(told: Telling) -> None:
    check_orders(told, ORDERS)


def test_orders_of_four_snapshots_give_one_parcel_on_each_database(told_anywhere: Telling) -> None:
    check_orders(told_anywhere, ORDERS[::7])


@pytest.mark.long
def test_all_orders_give_one_parcel_on_each_database(told_anywhere: Telling) -> None:
    check_orders(told_anywhere, ORDERS)


def test_orders_in_one_batch_with_doubles_give_one_parcel(told: Telling) -> None:
    expected = reference(told)
    for places in ORDERS[::5]:
        told.forget()
        order = told.order()
        for place in (*places, *places):
            told.hook(place, f"evt_{place:032}", at_once=False)
        told.house.work("apply")
        assert told.house.parcel(order).observed == expected.observed, places


def test_events_before_the_order_wait_for_it(told_anywhere: Telling) -> None:
    expected = reference(told_anywhere)
    for places in ORDERS[::11]:
        told_anywhere.forget()
        for place in places:
            told_anywhere.hook(place)
        assert {state for state, _ in told_anywhere.house.events()} == {"unmatched"}
        order = told_anywhere.order()
        told_anywhere.house.work("apply")
        assert told_anywhere.house.parcel(order).observed == expected.observed
        assert {state for state, _ in told_anywhere.house.events()} == {"applied"}


steps = st.lists(
    st.tuples(st.sampled_from(["hook", "again", "ask"]), st.integers(0, 3)), max_size=9
)


@settings(MANY, max_examples=6)
@given(
    some=steps, last=st.sampled_from(["hook", "ask"]), shuffled=st.randoms(use_true_random=False)
)
def test_any_mixture_that_holds_the_whole_story_gives_one_parcel(
    told: Telling, some: list[tuple[str, int]], last: str, shuffled: Any
) -> None:
    check_mixture(told, [*some, (last, 3)], shuffled)


@pytest.mark.long
@settings(MANY, max_examples=200)
@given(
    some=steps, last=st.sampled_from(["hook", "ask"]), shuffled=st.randoms(use_true_random=False)
)
def test_very_many_mixtures_give_one_parcel(
    told_anywhere: Telling, some: list[tuple[str, int]], last: str, shuffled: Any
) -> None:
    check_mixture(told_anywhere, [*some, (last, 3)], shuffled)


def check_mixture(telling: Telling, story: list[tuple[str, int]], shuffled: Any) -> None:
    """The story in any order is the parcel that the same snapshots make one after the other."""
    shuffled.shuffle(story)
    telling.forget()
    found = parcel_told(telling, story)
    places = sorted(telling.places)
    telling.forget()
    expected = parcel_told(telling, [("hook", place) for place in places])
    assert found.observed == expected.observed
    assert (found.status, found.wanted) == ("delivered", ("delivered",))


def test_a_delivered_parcel_that_is_told_older_things_stays_delivered(told: Telling) -> None:
    found = parcel_told(told, [("hook", 3), ("hook", 0), ("ask", 1), ("hook", 2), ("again", 0)])
    assert found.status == "delivered"


def test_real_events_in_the_recordings_are_taken_in(told: Telling, shared_data: Path) -> None:
    events = sorted((shared_data / "easypost/webhook_vectors").glob("*webhook*.json"))
    assert events
    for path in events:
        body = path.read_bytes()
        assert told.house.push_raw(body).status_code == 200, path.name
        about = json.loads(body).get("result", {})
        assert about.get("object") == "Tracker"
    told.house.work("apply")
    assert {state for state, _ in told.house.events()} == {"unmatched"}
