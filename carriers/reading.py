"""Reading JSON that strangers wrote: one strict way, for answers and for hooks."""

import json
import math
import re
from typing import Any, Final

from carriers.contract import BadPayload

DEEPEST: Final = 50
_UNKEEPABLE: Final = re.compile("[\\0\\ud800-\\udfff]")
_SUSPECT: Final = (b"\\u0000", b"\\ud", b"\\uD")


def read_object(body: bytes, *, at_most: int, sender: str) -> dict[str, Any]:
    """The JSON object in `body`. Raises BadPayload for anything else.

    Refused: more than `at_most` bytes, not UTF-8, not JSON, not an object, the same key twice,
    NaN or Infinity (also as 1e999), more than 50 levels. Characters that databases cannot keep
    (NUL, lone surrogates) become U+FFFD.
    """
    if len(body) > at_most:
        raise BadPayload(f"{sender} sent more than {at_most} bytes; nothing of it was used.")
    try:
        found = STRICT.decode(body.decode("utf-8"))
        too_deep = _deeper(found, DEEPEST)
    except (ValueError, RecursionError) as error:
        reason = type(error).__name__
    else:
        if isinstance(found, dict) and not too_deep:
            suspect = any(mark in body for mark in _SUSPECT)
            return _storable(found) if suspect else found
        reason = "too deep" if too_deep else f"a {type(found).__name__}, not an object"
    raise BadPayload(f"{sender} sent something unreadable ({reason}); nothing of it was used.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


# Refuses what readers take differently: the same key twice, NaN, Infinity, 1e999.
STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
)


def _deeper(value: Any, levels: int) -> bool:
    """Whether containers nest more than `levels` deep; breadth first, so no recursion."""
    row = [value]
    for _ in range(levels):
        row = [
            child
            for node in row
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not row:
            return False
    return any(isinstance(node, dict | list) for node in row)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNKEEPABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
