"""A house at work: orders through the API, hooks through the hook, carriers over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from carriers.easypost import sign
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.work import work
from portal.models import HookEvent, Message, Shipment, StoredScan
from portal.models.due import Due
from tests.conftest import bearer, running_app, shop_id

KEY = "EZTKhouse"
SECRET = "hooks-are-signed-with-this"
NUMBER = "1Z999AA10123456784"


@contextmanager
def house_on(url: str, base: str, **more: str) -> Iterator[House]:
    """The site on a database, with a provider at `base` (…/v2)."""
    keys = {"EASYPOST_API_KEY": KEY, "EASYPOST_WEBHOOK_SECRET": SECRET, "EASYPOST_API_BASE": base}
    for app in running_app(url, **keys, **more):
        yield House(app)


@dataclass
class House:
    """The site, and what the world does to it."""

    app: Flask

    def order(
        self, number: str = "1001", *parcels: dict[str, Any], slug: str = "fern", **more: Any
    ) -> dict[str, Any]:
        """Post an order as the shop does; gives the API's reply."""
        document = {
            "number": number,
            "email": "ann@mail.example",
            "placed_at": (clock.now() - timedelta(days=20)).isoformat(),
            "currency": "USD",
            "shipping_address": {"country": "US", "city": "Charleston", "region": "SC"},
            "lines": [{"sku": "A", "title": "Lamp", "quantity": 1, "unit_price_minor": 4500}],
            "shipments": list(parcels) or [{"carrier": "UPS", "tracking_number": NUMBER}],
        } | more
        answer = self._post("/api/v1/orders", json.dumps(document).encode(), bearer(slug))
        assert answer.status_code in (200, 201), answer.text
        told: dict[str, Any] = answer.json
        return told

    def push(
        self,
        tracker: dict[str, Any],
        slug: str = "fern",
        event_id: str | None = None,
        description: str = "tracker.updated",
    ) -> TestResponse:
        """Push an event about a tracker to the hook, signed as EasyPost signs it."""
        return self.push_raw(event(tracker, event_id, description), slug)

    def push_raw(self, body: bytes, slug: str = "fern", **headers: str) -> TestResponse:
        signed = {"X-Hmac-Signature": sign(body, SECRET)}
        return self._post(f"/hooks/easypost/{slug}", body, signed | headers)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> TestResponse:
        client = self.app.test_client()
        # As behind a server: nothing of this thread's context is at hand.
        return Context().run(
            client.post, path, data=body, headers=headers, content_type="application/json"
        )

    def work(self, *queues: str) -> int:
        """Do what is due; how much that was."""
        return sum(work(queue) for queue in queues or ("apply", "poll"))

    def due_now(self, queue: str = "poll") -> None:
        """Have the time of everything in a queue come, as after two quiet days."""
        with every_shop(), writing():
            for answered_at in (Shipment.polled_at, Shipment.hooked_at):
                session.execute(
                    update(Shipment)
                    .where(answered_at.is_not(None))
                    .values({answered_at: clock.now() - timedelta(days=2)})
                    .execution_options(synchronize_session=False)
                )
            session.execute(
                update(Due).where(Due.queue == queue, ~Due.leased).values(at=clock.now())
            )

    def due(self, queue: str = "poll") -> list[Due]:
        with every_shop():
            return list(session.scalars(select(Due).where(Due.queue == queue).order_by(Due.id)))

    def parcel(self, order: dict[str, Any], place: int = 0, slug: str = "fern") -> Parcel:
        """What is kept of an order's parcel."""
        wanted = order["shipments"][place]["id"]
        with inside(shop_id(slug)):
            return Parcel.of(session.get_one(Shipment, wanted))

    def events(self) -> list[tuple[str, str]]:
        """The ledger of hooks: (state, error) in the order they came."""
        with every_shop():
            rows = session.execute(select(HookEvent.state, HookEvent.error).order_by(HookEvent.id))
            return [(state, error) for state, error in rows]


@dataclass(frozen=True)
class Parcel:
    """A parcel as pages and messages would tell of it, comparable between houses."""

    status: str
    detail: str
    status_since: datetime | None
    delivered_at: datetime | None
    eta: tuple[Any, Any]
    signed_by: str
    scans: tuple[tuple[str, str, str, str], ...]
    wanted: tuple[str, ...]
    provider_id: str | None
    carrier_code: str
    problem: tuple[str, str]
    failures: int
    polls: int

    @staticmethod
    def of(parcel: Shipment) -> Parcel:
        columns = (StoredScan.key, StoredScan.status, StoredScan.message, StoredScan.flag)
        scans = session.execute(
            select(*columns).where(StoredScan.shipment_id == parcel.id).order_by(StoredScan.key)
        )
        messages = session.scalars(
            select(Message.kind)
            .where(Message.shipment_id == parcel.id, Message.state == "wanted")
            .order_by(Message.kind)
        )
        return Parcel(
            parcel.status,
            parcel.detail,
            parcel.status_since,
            parcel.delivered_at,
            (parcel.eta_date, parcel.first_eta_date),
            parcel.signed_by,
            tuple(tuple(row) for row in scans),
            tuple(messages),
            parcel.provider_id,
            parcel.carrier_code,
            (parcel.problem, parcel.problem_fix),
            parcel.failures,
            parcel.polls,
        )

    @property
    def observed(self) -> tuple[object, ...]:
        """Everything that must not depend on the order and the way in which it was told."""
        told = (self.status, self.detail, self.status_since, self.delivered_at, self.eta)
        return (*told, self.signed_by, self.scans, self.wanted)


def event(
    tracker: object, event_id: str | None = None, description: str = "tracker.updated"
) -> bytes:
    """The body of EasyPost's webhook about a tracker."""
    return json.dumps(
        {
            "id": event_id or f"evt_{uuid4().hex}",
            "object": "Event",
            "mode": "test",
            "description": description,
            "previous_attributes": {},
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "status": "pending",
            "result": tracker,
        }
    ).encode()
