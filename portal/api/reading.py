"""Reading a JSON body strictly: what one reader would take otherwise than the next is refused."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from portal.api.refusal import Refusal, invalid

MOST_BYTES: Final = 1024 * 1024
DEEPEST: Final = 32
SURROGATE: Final = re.compile("[\ud800-\udfff]")
ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
# Possessive throughout, so that no text makes it go back and try again.
STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)


def read_body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises Refusal: 415 for another content type or a compressed body, 413 above 1 MiB, 422 for
    anything that is not UTF-8, not JSON, not an object, has a key twice, NaN, Infinity, half a
    character, or more than 32 levels.
    """
    if request.mimetype != "application/json":
        raise Refusal(415, "Send JSON, with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(415, "Send the body as it is, without Content-Encoding.")
    return parse(_within(request))


def _within(request: Request) -> bytes:
    """The body, of which no more is read than may be sent."""
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raw = None
    if raw is None or len(raw) > MOST_BYTES:
        raise Refusal(413, "The body is larger than 1 MiB. Send less at once.")
    return raw


def parse(raw: bytes) -> dict[str, Any]:
    """The object in `raw`, strictly. Raises Refusal 422."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable("The body is not UTF-8.") from None
    if _levels(text) > DEEPEST:  # before the parser, which would run out of stack
        raise _unreadable(f"The body nests more than {DEEPEST} levels.")
    try:
        found = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except ValueError as error:
        raise _unreadable(_why(error)) from error
    if not isinstance(found, dict):
        raise _unreadable("The body must be a JSON object.")
    if ESCAPED_SURROGATE.search(text) and SURROGATE.search(json.dumps(found, ensure_ascii=False)):
        raise _unreadable("The body holds half of a character (a lone surrogate).")
    return found


def _levels(text: str) -> int:
    """How deep the text nests at most; brackets inside strings do not count."""
    deepest = level = 0
    for mark in STRING_OR_BRACKET.finditer(text):
        sign = mark[0]
        if sign in "[{":
            level += 1
            deepest = max(deepest, level)
        elif sign in "]}":
            level -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Told("A key stands twice in one object.")
    return found


def _no_constant(word: str) -> float:
    raise _Told(f"{word} is not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _Told("A number is too large.")
    return number


class _Told(ValueError):
    """A reason in our own words."""


def _why(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"The body is not JSON: line {error.lineno}, column {error.colno}."
    return str(error) if isinstance(error, _Told) else "A number has too many digits."


def _unreadable(message: str) -> Refusal:
    return invalid([{"field": "", "message": message}])
