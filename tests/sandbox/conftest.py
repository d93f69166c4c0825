"""A served stand-in, the real client at it, its back door, and a receiver of webhooks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import easypost
import pytest
import requests
import stripe

from portal.sandbox import Box, create_sandbox, running

KEY = "EZTKrehearsal"
STRIPE_KEY = "sk_test_rehearsal"


@dataclass
class Hands:
    """A clock that runs, and can be moved on."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class Door:
    """The back door: /_sandbox."""

    url: str

    def post(self, path: str, body: dict[str, Any] | None = None, status: int = 0) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body or {}, timeout=5)
        assert answer.status_code == status if status else answer.ok, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}/_sandbox/{path}", timeout=5).json()

    def parcel(self, code: str, kind: str = "on_time", carrier: str = "UPS", **more: Any) -> Any:
        return self.post(
            "parcels", {"tracking_code": code, "carrier": carrier, "kind": kind} | more
        )

    def fault(self, fault: str, **more: Any) -> None:
        self.post("faults", {"fault": fault} | more, 201)

    def clear_faults(self) -> None:
        requests.delete(f"{self.url}/_sandbox/faults", timeout=5)

    def hook_fault(self, fault: str, **more: Any) -> None:
        self.post("faults", {"on": "webhooks", "fault": fault} | more, 201)


@dataclass
class Receiver:
    """Takes webhooks; answers with the statuses given, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def events(self) -> list[Any]:
        return [json.loads(body) for _, body in list(self.got)]

    def wait_for(self, number: int) -> list[Any]:
        wait_until(lambda: len(self.got) >= number)
        return self.events()


def wait_until(happened: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def box(hands: Hands) -> Iterator[Box]:
    app = create_sandbox(
        api_key=KEY,
        webhook_secret="fallback",
        stripe_key=STRIPE_KEY,
        clock=hands,
        retries=(0.02,) * 5,
    )
    with running(app) as box:
        yield box


@pytest.fixture
def door(box: Box) -> Door:
    return Door(box.url)


@pytest.fixture
def client(box: Box) -> Iterator[easypost.EasyPostClient]:
    client = easypost.EasyPostClient(KEY, api_base=box.api_base, timeout=5)
    yield client
    client._requests_session.close()


@pytest.fixture
def till(box: Box) -> Iterator[stripe.StripeClient]:
    """Stripe's real client, which sends once and waits five seconds."""
    session = requests.Session()
    yield stripe.StripeClient(
        STRIPE_KEY,
        base_addresses={"api": box.stripe_base},
        http_client=stripe.RequestsClient(timeout=5, session=session),
        max_network_retries=0,
    )
    session.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    seen = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.got.append((dict(self.headers.items()), body))
            self.send_response(seen.answers.pop(0) if seen.answers else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_port}/hooks/easypost/fern"
    yield seen
    server.shutdown()
    thread.join()
    server.server_close()
