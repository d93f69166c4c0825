"""Send what happened to a shop's systems, in the form of Standard Webhooks, until they took it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from portal import clock
from portal.api.claims import claim_reply
from portal.api.replies import order_replies, with_lines
from portal.api.return_replies import return_reply
from portal.config import is_loopback
from portal.db import inside, session, writing
from portal.fetch import FetchError, Network, post
from portal.keys import settings
from portal.models import Claim, Return, Shop
from portal.models.due import Lease, finish, holds
from portal.models.webhook import (
    GIVEN_UP_AFTER,
    WAITS,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)

GONE: Final = 410  # the specification: never again
HERE: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
LONGEST: Final = 300  # of what is kept of a problem


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent: to where, the bytes, and the headers that prove whose they are."""

    url: str
    body: bytes
    headers: dict[str, str]


def perform(lease: Lease) -> None:
    """Send one delivery; plan it again where it was not taken."""
    now = clock.now()
    with inside(lease.shop_id):
        letter = _letter(lease, now)
    answer, problem = (None, "") if letter is None else _sent(letter)
    with inside(lease.shop_id), writing():
        if holds(lease):
            finish(lease, again_at=_noted(lease.subject, letter, answer, problem, clock.now()))


def signature(secret: str, id: str, stamp: int, body: bytes) -> str:
    """`v1,` and the base64 HMAC-SHA256 of `id.stamp.body` under the secret's bytes."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def allowed() -> Sequence[Network]:
    """Networks inside that may be told: this machine's own, where the house itself is on it."""
    return HERE if is_loopback(urlsplit(settings().base_url).hostname) else ()


def _letter(lease: Lease, now: datetime) -> Letter | None:
    """What to send; None where nothing is to be sent any more."""
    delivery = session.get(WebhookDelivery, lease.subject)
    if delivery is None or delivery.status != "wanted":
        return None
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    event = session.get_one(WebhookEvent, delivery.event_id)
    data = _data(event, session.get_one(Shop, lease.shop_id).origin)
    if endpoint.status != "enabled" or data is None:
        return None
    told = {"type": event.type, "timestamp": event.at.isoformat(), "data": data}
    body = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    stamp = int(now.timestamp())
    signed = [signature(each, event.id, stamp, body) for each in endpoint.secrets(now)]
    return Letter(
        endpoint.url,
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": event.id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": " ".join(signed),
        },
    )


def _data(event: WebhookEvent, origin: str) -> dict[str, Any] | None:
    """The thing as the API shows it now; None where it is gone."""
    if event.subject.startswith("ord_"):
        order = with_lines(event.subject)
        return order_replies([order], origin)[0].model_dump(mode="json") if order else None
    if event.subject.startswith("ret_"):
        rma = Return.read(event.subject)
        return return_reply(rma, origin).model_dump(mode="json") if rma else None
    if event.subject.startswith("clm_"):
        claim = Claim.read(event.subject)
        return claim_reply(claim, origin).model_dump(mode="json") if claim else None
    return {"id": event.subject}


def _sent(letter: Letter) -> tuple[int | None, str]:
    try:
        status = post(letter.url, letter.body, letter.headers, allowed())
    except FetchError as error:
        return None, str(error)
    return status, "" if 200 <= status < 300 else f"The server answered {status}."


def _noted(
    id: str, letter: Letter | None, answer: int | None, problem: str, now: datetime
) -> datetime | None:
    """Keep what came of it; when to try again, None for never."""
    delivery = session.get(WebhookDelivery, id)
    if delivery is None or delivery.status != "wanted":
        return None
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    if letter is None:
        delivery.status, delivery.problem = "failed", "Nothing is told there any more."
        return None
    delivery.attempts += 1
    delivery.answer, delivery.problem = answer, problem[:LONGEST]
    if not problem:
        delivery.status, delivery.done_at, endpoint.failing_since = "done", now, None
        return None
    endpoint.failing_since = endpoint.failing_since or now
    if answer == GONE:
        endpoint.disable("It answered 410: it does not want to be told any more.", "job")
    elif now - endpoint.failing_since >= GIVEN_UP_AFTER:
        endpoint.disable(f"It took nothing for three days. The last time: {problem}", "job")
    if endpoint.status != "enabled" or delivery.attempts > len(WAITS):
        delivery.status = "failed"
        return None
    return now + WAITS[delivery.attempts - 1]


def bury(lease: Lease, now: datetime) -> None:
    """Something of ours kept it from being sent, such as a secret under a lost key."""
    with inside(lease.shop_id), writing():
        delivery = session.get(WebhookDelivery, lease.subject)
        if delivery is not None:
            delivery.status = "failed"
            delivery.problem = "It could not be made ready. Look into the worker's log."
        finish(lease)
