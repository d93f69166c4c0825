"""One request to EasyPost on the wire, and every way it can fail, as one of our errors."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter

from carriers.contract import (
    AuthBroken,
    BadPayload,
    CarrierError,
    NotFound,
    RateLimited,
    Rejected,
    Transient,
)

LARGEST_ANSWER: Final = 8 * 1024 * 1024
LONGEST_WAIT_S: Final = 86_400.0
_CHUNK: Final = 64 * 1024
NOT_SENT: Final = "not_sent"  # the code of a failure before anything went out
_SLOW: Final = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)
_UNREACHED: Final = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.SSLError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
)
_LATER: Final = frozenset({408, 409, 425})
_MOST_FIELDS: Final = 20


class _Unreadable(requests.exceptions.RequestException):
    """The answer is larger than any we use, or no text."""


class OneTry(HTTPAdapter):
    """Sends once, follows nothing, and reads a bounded body within `deadline` seconds."""

    def __init__(self, deadline: float) -> None:
        super().__init__(max_retries=0, pool_maxsize=32)
        self._deadline = deadline

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        """The answer with its body read. Its failures reach the client, which wraps them."""
        ends = time.monotonic() + self._deadline
        response = super().send(request, *args, **(options | {"stream": True}))
        try:
            body = self._read(response, ends)
            body.decode("utf-8")
        except UnicodeDecodeError:
            raise _Unreadable("not UTF-8") from None
        finally:
            response.close()
        response.headers.pop("Location", None)  # so that the session has nowhere to go
        response._content = body
        response.encoding = "utf-8"
        return response

    def _read(self, response: requests.Response, ends: float) -> bytes:
        body = bytearray()
        # read1, not iter_content: that waits for a full chunk, however slowly its bytes come.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise _Unreadable("too large")
            if time.monotonic() > ends:
                raise requests.exceptions.ReadTimeout("the whole answer took too long")
        response._content_consumed = True
        return bytes(body)


def transport_failure(error: BaseException) -> CarrierError:
    """What went wrong on the way. Takes nothing of the error's text, which can quote our key."""
    if any(isinstance(cause, _Unreadable) for cause in _causes(error)):
        return BadPayload("EasyPost sent an answer that cannot be read; nothing of it was used.")
    if any(isinstance(cause, _UNREACHED) for cause in _causes(error)):
        sentence = "EasyPost could not be reached. Nothing was changed; ask again later."
        return Transient(sentence, code=NOT_SENT)
    if any(isinstance(cause, _SLOW) for cause in _causes(error)):
        return Transient("EasyPost did not answer in time. Nothing was changed; ask again later.")
    return Transient("EasyPost could not be reached. Nothing was changed; ask again later.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def refusal(status: int, headers: Mapping[str, str], body: str, *, secret: str) -> CarrierError:
    """The error for an answer that is none. `secret` is blotted out of what is quoted."""
    wait = read_retry_after(headers)
    envelope = _envelope(body)
    code, message, fields = _said(envelope, secret) if envelope is not None else ("", "", ())
    if status == 429:
        return RateLimited("EasyPost asks us to slow down.", retry_after=wait, code=code)
    if status >= 500 or status in _LATER:
        sentence = f"EasyPost has trouble of its own ({status}). Nothing was changed."
        return Transient(sentence, retry_after=wait, code=code)
    if status in (401, 403):
        sentence = "EasyPost refuses our key. Check EASYPOST_API_KEY; no parcel can be asked about."
        return AuthBroken(sentence, code=code)
    if envelope is None or status < 400:
        # A page of HTML with 404 tells of a wrong address, not of a missing parcel.
        return BadPayload(f"Something that is not EasyPost's API answered ({status}).")
    if status in (404, 410):
        return NotFound("EasyPost does not know this parcel.", code=code)
    sentence = f"EasyPost refused: {message or code or status}"
    return Rejected(sentence, code=code, field_errors=fields)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, at most a day. A date is measured against the answer's own Date."""
    told = headers.get("Retry-After", "").strip()
    try:
        seconds = float(told)
    except ValueError:
        try:
            then, sent = (parsedate_to_datetime(text) for text in (told, headers.get("Date", "")))
            seconds = (then - sent).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT_S) if math.isfinite(seconds) else None


def _envelope(body: str) -> Any:
    """What stands under `error`, None when this is no answer of EasyPost's API."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found.get("error") if isinstance(found, dict) else None


def _said(error: Any, secret: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Code, message and (field, message) pairs. Items are objects or plain strings."""
    if not isinstance(error, dict):
        return "", _line(error, secret), ()
    items = error.get("errors")
    fields = [
        (_line(item.get("field"), secret), _line(item.get("message"), secret))
        if isinstance(item, dict)
        else ("", _line(item, secret))
        for item in (items if isinstance(items, list) else [])[:_MOST_FIELDS]
    ]
    return _line(error.get("code"), secret), _line(error.get("message"), secret), tuple(fields)


def _line(value: object, secret: str) -> str:
    """Foreign words cut to one printable line of 200 characters, without our key."""
    words = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    shown = "".join(c if c.isprintable() else " " for c in words.replace(secret, "…"))
    return " ".join(shown.split())[:200]
