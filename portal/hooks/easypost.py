"""EasyPost's hook: what happened to a parcel."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from carriers.easypost import read_event, verify_signature
from carriers.easypost_claims import named_in
from portal.hooks.intake import Sender, Told, take_in
from portal.jobs.provider import webhook_secret_of
from portal.models.shipment import key_of

MOST_BYTES = 512 * 1024


def receive(slug: str) -> Response:
    """Take one event of EasyPost's."""
    return take_in(EASYPOST, slug)


def _is_theirs(body: bytes, secret: str, now: datetime) -> bool:
    headers = dict(request.headers)
    return verify_signature(
        body, headers, secret, method=request.method, path=request.path, now=now
    )


def _read(body: bytes) -> Told:
    event = read_event(body)
    number_key = key_of(event.result.tracking_number) if event.result else ""
    is_work = event.result is not None or bool(named_in(event.raw)[0])
    return Told(event.id or "", event.description, is_work, number_key)


EASYPOST = Sender(
    provider="easypost",
    name="EasyPost",
    setting="EASYPOST_WEBHOOK_SECRET",
    queue="apply",
    most_bytes=MOST_BYTES,
    secret_of=webhook_secret_of,
    is_theirs=_is_theirs,
    read=_read,
)
