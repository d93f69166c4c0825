"""What EasyPost pushes to us: who sent it, and what it says. No clock, no request objects."""

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from carriers.contract import Tracking
from carriers.easypost_facts import normalise, read_time
from carriers.reading import read_object

LARGEST_EVENT: Final = 1024 * 1024
TOLERANCE: Final = timedelta(minutes=5)
_PREFIX: Final = "hmac-sha256-hex="
_V1: Final = "x-hmac-signature"
_V2: Final = ("x-timestamp", "x-path", "x-hmac-signature-v2")


@dataclass(frozen=True, slots=True)
class Event:
    """One message. `kind` is the object it is about; `result` only where that is a tracker."""

    id: str
    description: str  # such as tracker.updated
    kind: str  # such as Tracker
    created_at: datetime | None
    result: Tracking | None
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)


def read_event(body: bytes) -> Event:
    """The event in a hook's raw body; raises BadPayload as `read_object` and `normalise` do.

    Types and objects we do not know are no error: they come back without a `result`.
    """
    raw = read_object(body, at_most=LARGEST_EVENT, sender="EasyPost")
    about = raw.get("result")
    kind = about.get("object") if isinstance(about, dict) else ""
    return Event(
        id=_word(raw.get("id")),
        description=_word(raw.get("description")),
        kind=_word(kind),
        created_at=read_time(raw.get("created_at"))[0],
        result=normalise(about) if isinstance(about, dict) and kind == "Tracker" else None,
        raw=raw,
    )


def verify_signature(
    raw: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    method: str,
    path: str,
    now: datetime,
) -> bool:
    """Whether EasyPost, which alone shares `secret`, sent `raw` to this method and path.

    One good signature is needed. Where all of the second version's headers are present it must
    hold too, with a stamp within five minutes of `now`. An empty secret proves nothing: False.
    """
    if not secret:
        return False
    key = _key(secret)
    given = {name.lower(): value for name, value in headers.items()}
    checks = []
    if _V1 in given:
        checks.append(_same(given[_V1], _signed(key, raw)))
    if all(name in given for name in _V2):
        stamp, told_path, signature = (given[name] for name in _V2)
        message = f"{stamp}{method.upper()}{path}".encode("utf-8", "surrogatepass") + raw
        fresh = told_path == path and _fresh(stamp, now)
        checks.append(_same(signature, _signed(key, message)) and fresh)
    return bool(checks) and all(checks)


def sign(raw: bytes, secret: str) -> str:
    """The value of X-Hmac-Signature for `raw`; what a stand-in for EasyPost sends."""
    return _signed(_key(secret), raw)


def _key(secret: str) -> bytes:
    return unicodedata.normalize("NFKD", secret).encode("utf-8", "surrogatepass")


def _signed(key: bytes, message: bytes) -> str:
    return _PREFIX + hmac.new(key, message, hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    # As bytes: compare_digest raises for text that is not ASCII, and that is but a wrong signature.
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _fresh(stamp: str, now: datetime) -> bool:
    try:
        sent = parsedate_to_datetime(stamp)
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    if sent.tzinfo is None:  # "-0000": UTC of an unnamed place
        sent = sent.replace(tzinfo=UTC)
    return abs(now - sent) <= TOLERANCE


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
