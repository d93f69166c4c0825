"""EasyPost's hook: prove who sent it, write it down once, answer. The work is done later.

The shop is the one the address names; the host it came to does not matter.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from flask import Response, abort, jsonify, request

from carriers.contract import BadPayload
from carriers.easypost import Event, read_event, verify_signature
from portal import clock
from portal.db import session, writing
from portal.errors import problem
from portal.jobs import nudge
from portal.jobs.provider import webhook_secret_of
from portal.keys import Unsealable, digest
from portal.models import Shop
from portal.models.due import plan
from portal.models.event import KEY_LENGTH, keep
from portal.models.shipment import key_of

MOST_BYTES = 512 * 1024


def receive(slug: str) -> Response:
    """Take one event; 200 once it is kept, or was kept before."""
    shop = Shop.named(slug) or abort(404, "There is no shop of this name.")
    shop_id = shop.id
    secret = _secret_of(shop)
    session.rollback()  # nothing is held while the body comes in
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)
    now = clock.now()
    if not _is_theirs(body, secret, now):
        abort(401, "The signature is not EasyPost's.")
    told = _told(body, secret, shop_id, now)
    try:
        event = read_event(body)
    except BadPayload as error:
        _keep({**told, "state": "quarantined", "error": str(error)})
        return problem(422, "Unprocessable Content", f"{error} It is kept for staff to look at.")
    state = "received" if event.result else "ignored"
    is_new = _keep({**told, **_about(event, shop_id), "state": state})
    if is_new and state == "received":
        nudge("apply")
    return jsonify(status=state if is_new else "duplicate")


def _secret_of(shop: Shop) -> str:
    """The secret to check with. Answers 503 without one: the sender tries again later."""
    try:
        secret = webhook_secret_of(shop)
    except Unsealable:
        abort(503, "The webhook secret of this shop was sealed with another SECRET_KEY.")
    if not secret:
        abort(503, "EasyPost is not set up here: EASYPOST_WEBHOOK_SECRET is not set.")
    return secret


def _is_theirs(body: bytes, secret: str, now: datetime) -> bool:
    headers = dict(request.headers)
    return verify_signature(
        body, headers, secret, method=request.method, path=request.path, now=now
    )


def _told(body: bytes, secret: str, shop_id: int, now: datetime) -> dict[str, Any]:
    """The columns that any body has."""
    body_digest = hashlib.sha256(body).hexdigest()
    return {
        "provider": "easypost",
        "account": digest(secret),
        "key": _key(shop_id, body_digest),
        "shop_id": shop_id,
        "kind": "",
        "number_key": "",
        "error": "",
        "body": body,
        "body_digest": body_digest,
        "received_at": now,
    }


def _about(event: Event, shop_id: int) -> dict[str, Any]:
    """The columns that only a readable event has."""
    found: dict[str, Any] = {"kind": event.description[:60]}
    if event.id and len(key := _key(shop_id, event.id)) <= KEY_LENGTH:
        found["key"] = key
    if event.result:
        found["number_key"] = key_of(event.result.tracking_number)
    return found


def _key(shop_id: int, name: str) -> str:
    """Once a shop: shops of one account get the same event each, and look for it among their own.

    In front of a digest or an id of the provider's it stays below the column's length.
    """
    return f"{shop_id}:{name}"


def _keep(told: dict[str, Any]) -> bool:
    """Keep the event and plan its work together; False when it was kept before."""
    with writing():
        event_id = keep(told)
        if event_id is not None and told["state"] == "received":
            plan("apply", str(event_id), told["shop_id"], told["received_at"])
    return event_id is not None
