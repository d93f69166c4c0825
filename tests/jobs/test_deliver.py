"""What happens is told to a shop's systems: signed, in the end once each, and to nobody inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.herald import plan_heralds
from portal.jobs.work import work
from portal.models import WebhookDelivery, WebhookEndpoint
from portal.models.due import Due
from portal.models.webhook import GIVEN_UP_AFTER, WAITS
from tests.api.client import Api, line
from tests.conftest import shop_id


@dataclass
class Receiver:
    """A shop's own system on loopback: keeps what it was sent, answers as it is told."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append(({name.lower(): v for name, v in self.headers.items()}, body))
            self.send_response(found.answers.pop(0) if found.answers else 204)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/in?from=porchlight"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def added(api: Api, receiver: Receiver, **more: Any) -> dict[str, Any]:
    answer = api.post("/webhook-endpoints", {"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def tell(later: bool = False) -> None:
    """One round of the worker; `later`: what waits for its next attempt is due now."""
    if later:
        with every_shop(), writing():
            waiting = update(Due).where(Due.queue == "deliver")
            session.execute(waiting.values(at=clock.now()))
    with every_shop(), writing():
        plan_heralds(clock.now())
    for queue in ("herald", "deliver"):
        work(queue)


def proven(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As the Standard Webhooks libraries check it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{mine}" in headers["webhook-signature"].split(" ")


def asked_back(api: Api, number: str = "1001") -> dict[str, Any]:
    order = api.order(number=number, currency="EUR", lines=[line("A", 2)])
    sent = {"lines": [{"sku": "A", "quantity": 1, "reason": "too_small"}]}
    return dict(api.post(f"/orders/{order['id']}/returns", sent).json)


def test_orders_and_returns_are_told_once_and_signed(any_app: Flask, receiver: Receiver) -> None:
    api = Api(any_app)
    made = added(api, receiver)
    rma = asked_back(api)
    tell()
    tell()
    assert sorted(set(receiver.types)) == ["order.created", "order.updated", "return.declined"]
    assert len(receiver.types) == len({headers["webhook-id"] for headers, _ in receiver.got})
    for headers, body in receiver.got:
        assert proven(made["secret"], headers, body)
    [told] = [json.loads(b) for _, b in receiver.got if b'"return.declined"' in b]
    assert told["data"] == api.get(f"/returns/{rma['id']}").json
    assert told["timestamp"]


def test_only_what_was_asked_for_and_only_from_then_on(app: Flask, receiver: Receiver) -> None:
    api = Api(app)
    asked_back(api)
    added(api, receiver, events=["return.declined"])
    tell()
    assert receiver.types == []
    asked_back(api, "1002")
    tell()
    assert receiver.types == ["return.declined"]


def test_another_shop_hears_nothing(app: Flask, receiver: Receiver) -> None:
    added(Api(app, "volta"), receiver)
    asked_back(Api(app))
    tell()
    assert receiver.got == []


def test_what_was_not_taken_is_sent_again_and_then_taken(app: Flask, receiver: Receiver) -> None:
    api = Api(app)
    made = added(api, receiver, events=["order.created"])
    receiver.answers = [500, 302, 429]
    asked_back(api)
    for _ in range(6):
        tell(later=True)
    assert receiver.types == ["order.created"] * 4
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    [told] = api.get(f"/webhook-endpoints/{made['id']}/deliveries").json["deliveries"]
    assert (told["status"], told["attempts"], told["answer"]) == ("done", 4, 204)


def test_the_waits_grow_to_three_days_in_all() -> None:
    assert list(WAITS) == sorted(WAITS)
    assert timedelta(days=3) <= sum(WAITS, timedelta()) <= timedelta(days=4)


def test_who_takes_nothing_for_days_is_told_no_more_until_enabled(
    app: Flask, receiver: Receiver
) -> None:
    api = Api(app)
    made = added(api, receiver, events=["order.created"])
    receiver.answers = [503] * 2
    asked_back(api)
    tell()
    with inside(shop_id("fern")), writing():
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        assert endpoint.failing_since is not None
        endpoint.failing_since -= GIVEN_UP_AFTER
    tell(later=True)
    told = api.get(f"/webhook-endpoints/{made['id']}").json
    assert told["status"] == "disabled"
    assert "three days" in told["problem"]
    asked_back(api, "1002")
    tell(later=True)
    assert len(receiver.got) == 2
    path = f"/webhook-endpoints/{made['id']}"
    assert api.post(f"{path}/replay", {}).status_code == 409
    assert api.patch(path, {"status": "enabled"}).json["problem"] == ""
    assert api.post(f"{path}/replay", {"only_failed": True}).json == {"planned": 2}
    tell()
    assert len(receiver.got) == 4


def test_410_means_never_again(app: Flask, receiver: Receiver) -> None:
    api = Api(app)
    made = added(api, receiver, events=["order.created"])
    receiver.answers = [410]
    asked_back(api)
    tell(later=True)
    assert api.get(f"/webhook-endpoints/{made['id']}").json["status"] == "disabled"


def test_a_new_secret_signs_beside_the_old_one_for_a_day(app: Flask, receiver: Receiver) -> None:
    api = Api(app)
    made = added(api, receiver)
    renewed = api.post(f"/webhook-endpoints/{made['id']}/secret", {}).json
    assert api.post(f"/webhook-endpoints/{made['id']}/test", {}).json == {"planned": 1}
    tell()
    [(headers, body)] = receiver.got
    assert proven(made["secret"], headers, body)
    assert proven(renewed["secret"], headers, body)
    assert json.loads(body)["type"] == "webhook.test"
    with inside(shop_id("fern")), writing():
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        endpoint.old_until = clock.now()
    api.post(f"/webhook-endpoints/{made['id']}/test", {})
    tell()
    assert not proven(made["secret"], *receiver.got[1])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/in",
        "ftp://example.com/",
        "https://user:pass@example.com/",
        "javascript:alert(1)",
        "https://",
        "",
    ],
)
def test_an_address_that_cannot_be_told_is_refused(app: Flask, url: str) -> None:
    answer = Api(app).post("/webhook-endpoints", {"url": url})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "url"


@pytest.mark.parametrize("host", ["10.0.0.8", "169.254.169.254", "[fd00::1]", "127.0.0.1"])
def test_nothing_inside_is_told_by_a_house_on_the_internet(
    app: Flask, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    api = Api(app)
    monkeypatch.setattr("portal.jobs.deliver.is_loopback", lambda host: False)
    made = api.post("/webhook-endpoints", {"url": f"https://{host}:9/in"}).json
    api.post(f"/webhook-endpoints/{made['id']}/test", {})
    tell()
    [told] = api.get(f"/webhook-endpoints/{made['id']}/deliveries").json["deliveries"]
    assert "not on the open internet" in told["problem"]


def test_a_deleted_endpoint_is_forgotten(app: Flask, receiver: Receiver) -> None:
    api = Api(app)
    made = added(api, receiver)
    asked_back(api)
    with every_shop(), writing():
        plan_heralds(clock.now())
    work("herald")
    assert api.call("DELETE", f"/webhook-endpoints/{made['id']}").status_code == 200
    tell()
    assert receiver.got == []
    with inside(shop_id("fern")):
        assert session.scalars(select(WebhookDelivery)).all() == []
