"""What every provider's hook does: prove who sent it, write it down once, answer. Work is later.

The shop is the one the address names; the host it came to does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, abort, jsonify, request

from carriers.contract import BadPayload
from portal import clock
from portal.db import session, writing
from portal.errors import problem
from portal.jobs import nudge
from portal.keys import Unsealable, digest
from portal.models import Shop
from portal.models.due import plan
from portal.models.event import KEY_LENGTH, keep, key_for


@dataclass(frozen=True)
class Told:
    """What a readable event says of itself. `is_work`: somebody has to do something about it."""

    id: str
    kind: str
    is_work: bool
    number_key: str = ""


@dataclass(frozen=True)
class Sender:
    """A provider that pushes to us.

    `secret_of` may raise Unsealable, `read` BadPayload. `queue` is where the work is planned.
    """

    provider: str
    name: str
    setting: str
    queue: str
    most_bytes: int
    secret_of: Callable[[Shop], str]
    is_theirs: Callable[[bytes, str, datetime], bool]
    read: Callable[[bytes], Told]


def take_in(sender: Sender, slug: str) -> Response:
    """Take one event; 200 once it is kept, or was kept before."""
    shop = Shop.named(slug) or abort(404, "There is no shop of this name.")
    shop_id = shop.id
    secret = _secret_of(sender, shop)
    session.rollback()  # nothing is held while the body comes in
    request.max_content_length = sender.most_bytes
    body = request.get_data(cache=False)
    now = clock.now()
    if not sender.is_theirs(body, secret, now):
        abort(401, f"The signature is not {sender.name}'s.")
    columns = _columns(sender, body, secret, shop_id, now)
    try:
        told = sender.read(body)
    except BadPayload as error:
        _keep(sender, {**columns, "state": "quarantined", "error": str(error)})
        return problem(422, "Unprocessable Content", f"{error} It is kept for staff to look at.")
    state = "received" if told.is_work else "ignored"
    is_new = _keep(sender, {**columns, **_about(told, shop_id), "state": state})
    if is_new and told.is_work:
        nudge(sender.queue)
    return jsonify(status=state if is_new else "duplicate")


def _secret_of(sender: Sender, shop: Shop) -> str:
    """The secret to check with. Answers 503 without one: the sender tries again later."""
    try:
        secret = sender.secret_of(shop)
    except Unsealable:
        abort(503, "The webhook secret of this shop was sealed with another SECRET_KEY.")
    if not secret:
        abort(503, f"{sender.name} is not set up here: {sender.setting} is not set.")
    return secret


def _columns(
    sender: Sender, body: bytes, secret: str, shop_id: int, now: datetime
) -> dict[str, Any]:
    """The columns that any body has."""
    body_digest = hashlib.sha256(body).hexdigest()
    return {
        "provider": sender.provider,
        "account": digest(secret),
        "key": key_for(shop_id, body_digest),
        "shop_id": shop_id,
        "kind": "",
        "number_key": "",
        "error": "",
        "body": body,
        "body_digest": body_digest,
        "received_at": now,
    }


def _about(told: Told, shop_id: int) -> dict[str, Any]:
    """The columns that only a readable event has."""
    found: dict[str, Any] = {"kind": told.kind[:60], "number_key": told.number_key}
    if told.id and len(key := key_for(shop_id, told.id)) <= KEY_LENGTH:
        found["key"] = key
    return found


def _keep(sender: Sender, columns: dict[str, Any]) -> bool:
    """Keep the event and plan its work together; False when it was kept before."""
    with writing():
        event_id = keep(columns)
        if event_id is not None and columns["state"] == "received":
            plan(sender.queue, str(event_id), columns["shop_id"], columns["received_at"])
    return event_id is not None
