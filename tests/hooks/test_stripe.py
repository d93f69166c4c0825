"""Stripe's hook: who may speak, and what is kept. Pushed by the stand-in over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import make_server

from portal.db import every_shop, session, writing
from portal.models import HookEvent, Shop
from portal.models.due import Due
from portal.payments.stripe_hooks import MOST_BYTES
from tests.conftest import running_app, shop_id
from tests.sandbox.conftest import box, door, hands, till, wait_until
from tests.sandbox.stripe_shop import pay

__all__ = ["box", "door", "hands", "till"]

SECRET = "whsec_rehearsal"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "created": 1_795_000_000,
    "type": "refund.failed",
    "data": {"object": {"object": "refund", "id": "re_1"}},
}


@pytest.fixture
def any_site(database_url: str) -> Iterator[Flask]:
    """The site with Stripe's webhook secret, on each database in turn."""
    yield from running_app(database_url, STRIPE_WEBHOOK_SECRET=SECRET)


@pytest.fixture
def site(sqlite_url: str) -> Iterator[Flask]:
    """The same on SQLite alone."""
    yield from running_app(sqlite_url, STRIPE_WEBHOOK_SECRET=SECRET)


@pytest.fixture
def browser(site: Flask) -> FlaskClient:
    return site.test_client()


def push(
    browser: FlaskClient, body: bytes, slug: str = "fern", secret: str = SECRET, **told: Any
) -> Any:
    stamp = int(time.time()) + told.pop("seconds", 0)
    signed = body.decode("utf-8", "replace")
    header = stripe.WebhookSignature.generate_signature_header(signed, secret, stamp)
    headers = {"Stripe-Signature": told.pop("header", header)}
    return browser.post(f"/hooks/stripe/{slug}", data=body, headers=headers)


def event(**more: Any) -> bytes:
    return json.dumps({**EVENT, **more}).encode()


def kept() -> list[HookEvent]:
    session.rollback()
    with every_shop():
        return list(session.scalars(select(HookEvent).order_by(HookEvent.id)))


def test_an_event_is_kept_and_planned_once_for_each_shop(any_site):
    browser = any_site.test_client()
    assert push(browser, event()).json == {"status": "received"}
    assert push(browser, event()).json == {"status": "duplicate"}
    assert push(browser, event(), "volta").json == {"status": "received"}
    assert [(each.provider, each.kind, each.state) for each in kept()] == [
        ("stripe", "refund.failed", "received")
    ] * 2
    assert kept()[0].body == event()
    with every_shop():
        assert session.scalars(select(Due.queue)).all() == ["payment"] * 2


def test_a_kind_without_work_behind_it_is_kept_and_plans_nothing(any_site):
    other = event(type="customer.created")
    assert push(any_site.test_client(), other).json == {"status": "ignored"}
    assert [(each.kind, each.state) for each in kept()] == [("customer.created", "ignored")]
    with every_shop():
        assert session.scalar(select(Due.id)) is None


def test_a_wrong_signature_is_401_and_nothing_is_kept(browser):
    for told in (
        {"secret": "whsec_other"},
        {"seconds": -301},
        {"seconds": 120},
        {"header": ""},
        {"header": "t=1,v1=é"},
        {"header": "t=ten,v1=" + "0" * 64},
    ):
        answer = push(browser, event(), **told)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), told
    assert kept() == []


def test_what_is_signed_and_unreadable_is_kept_for_staff(any_site):
    bodies = [b"[]", b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"id": 1}']
    for body in bodies * 2:
        assert push(any_site.test_client(), body).status_code == 422
    assert [(each.state, each.body) for each in kept()] == [
        ("quarantined", body) for body in bodies
    ]


def test_what_is_too_large_or_for_nobody_is_refused(browser):
    assert push(browser, b" " * (MOST_BYTES + 1)).status_code == 413
    assert push(browser, event(), "nobody").status_code == 404
    assert browser.get("/hooks/stripe/fern").status_code == 405
    assert kept() == []


def test_without_a_secret_the_hook_is_off(client):
    answer = push(client, event(), secret="")
    assert answer.status_code == 503
    assert "STRIPE_WEBHOOK_SECRET" in answer.json["detail"]


def test_a_shop_with_its_own_secret_takes_no_other(browser):
    with writing():
        session.get_one(Shop, shop_id("volta")).keep_key("stripe_webhook_secret", "whsec_own")
    assert push(browser, event(), "volta").status_code == 401
    assert push(browser, event(), "volta", "whsec_own").status_code == 200


def test_what_the_stand_in_pushes_arrives_whole(site, till, door):
    server = make_server("127.0.0.1", 0, site, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/hooks/stripe/fern"
    wanted = ["refund.created", "charge.refunded"]
    hook = till.v1.webhook_endpoints.create({"url": url, "enabled_events": wanted})
    with writing():
        session.get_one(Shop, shop_id("fern")).keep_key("stripe_webhook_secret", hook.secret)
    door.hook_fault("duplicate", times=2)
    till.v1.refunds.create({"payment_intent": pay(till).id})
    wait_until(lambda: door.get("counts")["webhooks"]["waiting"] == 0)
    server.shutdown()
    thread.join()
    server.server_close()
    assert door.get("counts")["webhooks"] == {"sent": 4, "waiting": 0}
    assert [each.kind for each in kept()] == wanted
