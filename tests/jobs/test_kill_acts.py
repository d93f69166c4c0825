"""kill -9 at any write of an approval and of an exchange: repeated, each has one effect."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.db import db, inside, session
from portal.models import AuditEntry, Exchange, Message, Order, UnitClaim, Variant
from portal.sandbox import Box
from tests.api.client import PREFIX, Api
from tests.conftest import shop_id
from tests.jobs.counter import ONE_SHIRT_MINOR, Counter, counter_on, environ
from tests.models.bought import shirts, sold

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
CHEAPER_MINOR = 1_000
KEY = "one-act"


@pytest.fixture
def scene(database_url: str, both: Box) -> Iterator[Scene]:
    with counter_on(database_url, both) as counter:
        yield Scene(counter, database_url)


class Scene:
    """One shirt to be exchanged for the last piece of a cheaper one; staff have to look at it."""

    def __init__(self, counter: Counter, url: str) -> None:
        self.counter, self.url, self.api = counter, url, Api(counter.app)
        sold(price_minor=CHEAPER_MINOR)
        wish = shirts(1, "other", resolution="exchange", exchange_sku="TEE-L")
        self.id = counter.returned(wish)

    def _die_at(self, point: int, act: str, body: dict[str, Any]) -> bool:
        """Send it to a process that dies at that point; False where it ended before."""
        session.remove()
        db.engine.dispose()
        headers = self.api.headers | {"Idempotency-Key": KEY}
        call = {"path": f"{PREFIX}/returns/{self.id}/{act}", "body": body, "headers": headers}
        given = {
            **os.environ,
            **environ(self.url, self.counter.box),
            "KILLED_CALL": json.dumps(call),
        }
        command = [sys.executable, "-m", "tests.jobs.killed", str(point)]
        code = subprocess.run(command, cwd=ROOT, env=given, timeout=60, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        return code != 0

    def act(self, point: int, act: str, body: dict[str, Any]) -> bool:
        """The act, cut off at that point, and repeated by who sent it."""
        died = self._die_at(point, act, body)
        answer = self.api.post(f"/returns/{self.id}/{act}", body, key=KEY)
        assert answer.status_code in (200, 202), answer.text
        again = self.api.post(f"/returns/{self.id}/{act}", body, key=KEY)
        assert again.json == answer.json
        self.counter.until_quiet()
        return died

    def count(self, wanted: type, *where: Any) -> int:
        with inside(shop_id("fern")):
            return session.scalar(select(func.count()).select_from(wanted).where(*where)) or 0

    def kept(self) -> tuple[int | None, list[str]]:
        """What is left of the other shirt, and how the exchange stands."""
        with inside(shop_id("fern")):
            left = session.scalars(select(Variant.available)).one()
            return left, list(session.scalars(select(Exchange.status)))

    def check_approval(self, point: int) -> bool:
        died = self.act(point, "approval", {"note": "Fine."})
        assert self.counter.rma(self.id).status == "approved"
        assert self.kept() == (0, ["reserved"])
        (label,) = self.counter.labels(self.id)
        assert (label.status, self.counter.effects("label.bought")) == ("done", 1)
        assert self.count(AuditEntry, AuditEntry.act == "return.approve") == 1
        assert self.count(Message, Message.kind == "return_approved") == 1
        assert self.count(UnitClaim) == 1
        return died

    def check_exchange(self, point: int) -> bool:
        self.api.post(f"/returns/{self.id}/approval", {}, key="approval")
        self.counter.until_quiet()
        self.counter.received(self.id)
        died = self.act(point, "resolution", {})
        assert self.counter.rma(self.id).status == "settled"
        assert self.kept() == (0, ["ordered"])
        assert self.count(Order, Order.number == "1001-X1") == self.count(Order) - 1 == 1
        rest = ONE_SHIRT_MINOR - CHEAPER_MINOR
        assert [each.amount for each in self.counter.refunds()] == [rest]
        order_id = self.counter.order_of(self.id)
        assert self.counter.booked(order_id) == [rest]
        assert self.counter.booked(order_id, "exchanged") == [CHEAPER_MINOR]
        assert self.counter.due() == []
        return died


@pytest.mark.parametrize("point", [6, 14])
def test_an_approval_killed_at_some_write_is_made_once(scene: Scene, point: int) -> None:
    assert scene.check_approval(point), "it has to die there"


@pytest.mark.parametrize("point", [6, 20])
def test_an_exchange_killed_at_some_write_is_made_once(scene: Scene, point: int) -> None:
    assert scene.check_exchange(point), "it has to die there"


@pytest.mark.long
@pytest.mark.parametrize("point", range(1, 60))
def test_an_approval_killed_at_any_write_is_made_once(scene: Scene, point: int) -> None:
    if not scene.check_approval(point):
        assert point > 14, "an approval without enough points proves nothing"


@pytest.mark.long
@pytest.mark.parametrize("point", range(1, 80))
def test_an_exchange_killed_at_any_write_is_made_once(scene: Scene, point: int) -> None:
    if not scene.check_exchange(point):
        assert point > 20, "an exchange without enough points proves nothing"
