"""The house with a stand-in for EasyPost on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.sandbox import Box, create_sandbox, running
from tests.jobs.counter import Counter, counter_on, stand_in
from tests.jobs.house import KEY, SECRET, House, house_on
from tests.sandbox.conftest import Door, Hands


@pytest.fixture
def hands() -> Hands:
    """The stand-in's clock."""
    return Hands()


@pytest.fixture
def box(hands: Hands) -> Iterator[Box]:
    app = create_sandbox(api_key=KEY, webhook_secret=SECRET, clock=hands, retries=(0.02,) * 5)
    with running(app) as box:
        yield box


@pytest.fixture
def door(box: Box) -> Door:
    return Door(box.url)


@pytest.fixture
def house(sqlite_url: str, box: Box) -> Iterator[House]:
    with house_on(sqlite_url, box.api_base) as house:
        yield house


@pytest.fixture
def any_house(database_url: str, box: Box) -> Iterator[House]:
    with house_on(database_url, box.api_base) as house:
        yield house


@pytest.fixture(scope="session")
def snapshots(shared_data: Path) -> list[dict[str, Any]]:
    """One recorded parcel, four times: unknown, pre_transit, out_for_delivery, delivered."""
    path = shared_data / "easypost/tracker_states/lifecycle_one_parcel.json"
    return [each["tracker"] for each in json.loads(path.read_text())["snapshots"]]


@pytest.fixture
def both(hands: Hands) -> Iterator[Box]:
    """EasyPost and Stripe on loopback."""
    with stand_in(hands) as box:
        yield box


@pytest.fixture
def counter(sqlite_url: str, both: Box) -> Iterator[Counter]:
    with counter_on(sqlite_url, both) as counter:
        yield counter


@pytest.fixture
def any_counter(database_url: str, both: Box) -> Iterator[Counter]:
    with counter_on(database_url, both) as counter:
        yield counter
