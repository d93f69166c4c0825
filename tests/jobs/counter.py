"""A shop at work with returns: orders paid at the stand-in's Stripe, labels from its EasyPost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
import stripe
from flask import Flask
from sqlalchemy import delete, select, update

from carriers.easypost_claims import ClaimDesk
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.provider import Account
from portal.jobs.work import work
from portal.keys import digest
from portal.models import HookEvent, Label, LedgerEntry, Return, Settlement, Shop
from portal.models.due import Due, Gauge
from portal.models.label import labels_of
from portal.models.ledger import Sums, sums_of
from portal.models.rma_facts import Asked
from portal.models.rma_receipt import Count, receive
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.models.settlement import PENDING, settlements_of
from portal.payments.stripe import Stripe
from portal.sandbox import Box, create_sandbox, running
from tests.conftest import SECRET, running_app, shop_id
from tests.models.bought import PAID_MINOR, ask, bought, rma, shirts
from tests.sandbox.conftest import Door, Hands

KEY = "EZTKcounter"
STRIPE_KEY = "sk_test_counter"
STRIPE_SECRET = "whsec_counter"
WORKS = ("settle", "label", "payment", "expire")
ADDRESS = {
    "name": "Ada Example",
    "line1": "12 Willow Lane",
    "city": "Austin",
    "region": "TX",
    "postcode": "73301",
    "country": "US",
}
RETURN_ADDRESS = {
    "name": "Fern & Fable Returns",
    "line1": "1 Mill Road",
    "city": "Portland",
    "region": "OR",
    "postcode": "97201",
    "country": "US",
}
ONE_SHIRT_MINOR = 2_000 - 100  # a third of the line's discount


@contextmanager
def stand_in(hands: Hands) -> Iterator[Box]:
    """Both providers on loopback."""
    app = create_sandbox(
        api_key=KEY,
        webhook_secret="easypost-hooks",
        stripe_key=STRIPE_KEY,
        stripe_webhook_secret=STRIPE_SECRET,
        clock=hands,
        retries=(0.02,) * 5,
    )
    with running(app) as box:
        yield box


def keys(box: Box) -> dict[str, str]:
    """The settings that lead to the stand-in."""
    return {
        "EASYPOST_API_KEY": KEY,
        "EASYPOST_API_BASE": box.api_base,
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "STRIPE_API_BASE": box.stripe_base,
        "STRIPE_WEBHOOK_SECRET": STRIPE_SECRET,
    }


def environ(url: str, box: Box) -> dict[str, str]:
    """What another process of the same house is given."""
    base = {"SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:8000", "DATABASE_URL": url}
    return {**base, **keys(box)}


@contextmanager
def counter_on(url: str, box: Box, **more: str) -> Iterator[Counter]:
    """The house on a database, its shop with a return address."""
    for app in running_app(url, **{**keys(box), **more}):
        counter = Counter(app, box, Door(box.url))
        counter.settings(return_address=RETURN_ADDRESS)
        yield counter


def hasty(app: Flask, box: Box) -> None:
    """Clients that wait half a second for an answer."""
    times = {"timeout": (1.0, 0.5), "deadline": 2.0}
    app.extensions["banks"] = {STRIPE_KEY: Stripe(STRIPE_KEY, box.stripe_base, **times)}
    desk = ClaimDesk(KEY, box.api_base, **times)
    app.extensions["accounts"] = {KEY: Account(digest(KEY)[:16], desk)}


@dataclass
class Counter:
    """The house, and what customers, staff and providers do to it."""

    app: Flask
    box: Box
    door: Door

    def settings(self, **more: Any) -> None:
        with writing():
            shop = session.get_one(Shop, shop_id("fern"))
            shop.settings = {**shop.settings, **more}

    def paid(self, number: str = "1001", **more: Any) -> str:
        """An order paid at Stripe and delivered; gives its id."""
        reference = f"pi_order_{number}"
        self.door.post(
            "stripe/payments",
            {"reference": reference, "amount": PAID_MINOR, "currency": "usd"} | more.pop("at", {}),
        )
        payment = {"provider": "stripe", "reference": reference, "captured_minor": PAID_MINOR}
        now = clock.now()
        return bought(
            number=number,
            now=now,
            **({"payment": payment, "shipping_address": ADDRESS} | more),
        )

    def returned(self, *asked: Asked, number: str = "1001", **more: Any) -> str:
        """A return of one shirt, approved at once by the rules; gives its id."""
        order_id = more.pop("order_id", None) or self.paid(number)
        asked = asked or (shirts(1, "faulty"),)
        return ask(order_id, *asked, now=clock.now(), **({"method": "label"} | more))

    def received(self, return_id: str, *counts: Count) -> None:
        """It is back and found good."""
        with inside(shop_id("fern")), writing():
            found = Return.locked(return_id)
            assert found is not None
            mine = counts or tuple(
                Count(line.sku, line.quantity, "A", "restock", True) for line in found.lines
            )
            receive(found, list(mine), "staff:test", clock.now())

    def settled(self, return_id: str, choices: Any = None) -> list[str]:
        """Staff settle it; the ids of the new rows."""
        with inside(shop_id("fern")), writing():
            found = Return.locked(return_id)
            assert found is not None
            return [row.id for row in resolve(found, choices, Act("staff:test", clock.now()))]

    def back(self, **more: Any) -> str:
        """A return that is received and to be paid: its id."""
        return_id = self.returned(**more)
        self.received(return_id)
        self.settled(return_id)
        return return_id

    def back_with(self, *asked: Asked, **more: Any) -> str:
        """As `back`, of these articles."""
        return_id = self.returned(*asked, **more)
        self.received(return_id)
        self.settled(return_id)
        return return_id

    def token(self, return_id: str) -> str:
        """Of the return's own page."""
        return self.rma(return_id).token

    def work(self, *queues: str) -> None:
        """Do everything that is due now."""
        while sum(work(queue) for queue in queues or WORKS):
            pass

    def later(self, by: timedelta = timedelta(minutes=2)) -> None:
        """Time passes: what waits is due, what a dead worker held is free."""
        with every_shop(), writing():
            session.execute(update(Due).values(at=clock.now()))
            session.execute(delete(Gauge).where(Gauge.name.startswith("closed:")))
            for row in session.scalars(select(Settlement).where(Settlement.status.in_(PENDING))):
                row.performing_at = row.performing_at and row.performing_at - by

    def until_quiet(self, rounds: int = 12) -> None:
        """Work again and again, until nothing is due any more."""
        for _ in range(rounds):
            self.later()
            self.work()
            if not self.due():
                return

    def due(self, *queues: str) -> list[tuple[str, str]]:
        with every_shop():
            rows = session.execute(
                select(Due.queue, Due.subject).where(Due.queue.in_(queues or ("settle", "label")))
            )
            return [(queue, subject) for queue, subject in rows]

    # --- what is kept -----------------------------------------------------------------------

    def rma(self, return_id: str) -> Return:
        with inside(shop_id("fern")):
            found = rma(return_id)
            session.expunge_all()
            return found

    def rows(self, return_id: str) -> list[Settlement]:
        with inside(shop_id("fern")):
            found = settlements_of(return_id)
            session.expunge_all()
            return found

    def labels(self, return_id: str) -> list[Label]:
        with inside(shop_id("fern")):
            found = labels_of(return_id)
            session.expunge_all()
            return found

    def sums(self, order_id: str) -> Sums:
        with inside(shop_id("fern")):
            return sums_of([order_id])[order_id]

    def order_of(self, return_id: str) -> str:
        return self.rma(return_id).order_id

    def booked(self, order_id: str, kind: str = "refunded") -> list[int]:
        with inside(shop_id("fern")):
            wanted = select(LedgerEntry.amount_minor).where(
                LedgerEntry.order_id == order_id, LedgerEntry.kind == kind
            )
            return list(session.scalars(wanted.order_by(LedgerEntry.id)))

    def events(self) -> list[tuple[str, str]]:
        with every_shop():
            rows = session.execute(select(HookEvent.kind, HookEvent.state).order_by(HookEvent.id))
            return [(kind, state) for kind, state in rows]

    # --- the provider's side ----------------------------------------------------------------

    def effects(self, name: str) -> int:
        """How often the provider really did something."""
        return int(self.door.get("counts")["effects"].get(name, 0))

    def till(self) -> stripe.StripeClient:
        """Stripe's real client, as the shop's dashboard would use it."""
        return stripe.StripeClient(
            STRIPE_KEY,
            base_addresses={"api": self.box.stripe_base},
            http_client=stripe.RequestsClient(timeout=5, session=requests.Session()),
        )

    def refunds(self, number: str = "1001") -> list[Any]:
        rows = self.till().v1.refunds.list({"payment_intent": f"pi_order_{number}", "limit": 100})
        return [row for row in rows.data if row.status in ("succeeded", "pending")]

    def push(self, event: Any) -> int:
        """Push one of the stand-in's events to the hook, signed as Stripe signs it."""
        body = json.dumps(event.to_dict() if hasattr(event, "to_dict") else event)
        header = stripe.WebhookSignature.generate_signature_header(body, STRIPE_SECRET)
        answer = Context().run(
            self.app.test_client().post,
            "/hooks/stripe/fern",
            data=body,
            headers={"Stripe-Signature": str(header)},
            content_type="application/json",
        )
        return answer.status_code

    def stripe_events(self) -> list[Any]:
        """Everything that happened there, oldest first."""
        return list(reversed(self.till().v1.events.list({"limit": 100}).data))
