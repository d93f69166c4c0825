"""What Stripe pushes to us: who sent it, and what it says."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from carriers.contract import BadPayload
from carriers.reading import read_object
from portal.payments.contract import PaymentEvent

MOST_BYTES: Final = 512 * 1024
LONGEST_HEADER: Final = 4096
OLDEST: Final = timedelta(seconds=300)
NEWEST: Final = timedelta(seconds=60)
_STAMP: Final = re.compile(r"t=([0-9]{1,12})")
_SIGNATURE: Final = re.compile(r"v1=([0-9a-f]{64})")


def verify_signature(body: bytes, header: str, secret: str, now: datetime) -> bool:
    """Whether Stripe sent `body`, at most 300 s ago and 60 s ahead of `now`; never raises.

    Several v1 signatures are allowed, for a secret being rolled over. An empty secret proves
    nothing. The client's own check takes any stamp ahead, and raises at odd bytes.
    """
    parts = [part.strip() for part in header[:LONGEST_HEADER].split(",")]
    stamps = [match[1] for part in parts if (match := _STAMP.fullmatch(part))]
    given = [match[1] for part in parts if (match := _SIGNATURE.fullmatch(part))]
    if not secret or len(stamps) != 1:
        return False
    age = now.timestamp() - int(stamps[0])
    if not -NEWEST.total_seconds() <= age <= OLDEST.total_seconds():
        return False
    signed = stamps[0].encode() + b"." + body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(wanted, each) for each in given)


def read_event(body: bytes) -> PaymentEvent:
    """The event in `body`. Raises BadPayload for anything else."""
    found = read_object(body, at_most=MOST_BYTES, sender="Stripe")
    thing = (found.get("data") or {}).get("object") if _is_event(found) else None
    if not isinstance(thing, dict):
        raise BadPayload("Stripe sent something that is no event; nothing of it was used.")
    return PaymentEvent(
        id=found["id"],
        kind=found["type"],
        about=_word(thing, "id"),
        payment=_payment(thing),
        created_at=datetime.fromtimestamp(found["created"], UTC),
        api_version=_word(found, "api_version"),
        is_live=found.get("livemode") is True,
        object=thing,
    )


def _is_event(found: Mapping[str, Any]) -> bool:
    created = found.get("created")
    return (
        found.get("object") == "event"
        and bool(_word(found, "id"))
        and bool(_word(found, "type"))
        and isinstance(found.get("data"), dict)
        and isinstance(created, int)
        and 0 <= created < 10**11
    )


def _payment(thing: Mapping[str, Any]) -> str:
    """The payment an object is, or belongs to; a charge without one stands for itself."""
    if thing.get("object") == "payment_intent":
        return _word(thing, "id")
    named = _word(thing, "payment_intent") or _word(thing, "charge")
    return named or (_word(thing, "id") if thing.get("object") == "charge" else "")


def _word(thing: Mapping[str, Any], name: str) -> str:
    value = thing.get(name)
    return value if isinstance(value, str) else ""
