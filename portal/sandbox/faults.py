"""Misbehaviour by script: faults are taken in the order given, each as often as it says."""

import json
import threading
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.sandbox.asked import Asked

Wire = Literal[
    "rate_limited",
    "in_flight",
    "error_500",
    "error_503",
    "error_text",
    "error_null",
    "html_502",
    "html_200",
    "reset",
    "truncated",
    "slow",
    "commit_then_drop",
    "commit_then_500",
    "empty",
    "null",
    "list",
    "wrong_types",
]
# Those that never reach the service behind its front door, and those that it makes itself.
EDGE = frozenset({"rate_limited", "error_503", "html_502", "reset"})
BEFORE = EDGE | {"in_flight", "error_500", "error_text", "error_null"}


class FaultAsked(Asked):
    """A fault for the next `times` requests that fit.

    `route` is the pattern as the log shows it ("POST /v2/shipments/<id>/buy"); `method` and
    `path_prefix` narrow likewise. `retry_after` belongs to rate_limited and error_503, `seconds`
    to slow. reset and the error answers come before anything is done; slow, html_200, truncated,
    commit_then_drop, commit_then_500, empty, null, list and wrong_types come after the work was
    really done.
    """

    fault: Wire
    times: Annotated[int, Field(ge=1, le=10_000)] = 1
    route: str | None = None
    method: str | None = None
    path_prefix: str | None = None
    retry_after: Annotated[float, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0, le=600)] = 1.0

    def fits(self, method: str, path: str, route: str) -> bool:
        return (
            self.route in (None, route)
            and (self.method is None or self.method.upper() == method)
            and path.startswith(self.path_prefix or "")
        )


class HookFaultAsked(Asked):
    """A fault for the next `times` webhook deliveries.

    duplicate sends twice; drop never sends; delay waits `seconds`; reorder holds the delivery back
    until a later one has gone out (or `seconds` have passed).
    """

    fault: Literal["duplicate", "reorder", "delay", "drop"]
    times: Annotated[int, Field(ge=1, le=10_000)] = 1
    seconds: Annotated[float, Field(ge=0, le=600)] = 2.0


@dataclass
class _Waiting:
    fault: FaultAsked | HookFaultAsked
    left: int


class Faults:
    """The script: requests and deliveries take from it. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []

    def add(self, fault: FaultAsked | HookFaultAsked) -> None:
        with self._lock:
            self._waiting.append(_Waiting(fault, fault.times))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{**each.fault.model_dump(), "left": each.left} for each in self._waiting]

    def for_request(self, method: str, path: str, route: str) -> FaultAsked | None:
        with self._lock:
            for each in self._waiting:
                if isinstance(each.fault, FaultAsked) and each.fault.fits(method, path, route):
                    self._take(each)
                    return each.fault
        return None

    def for_delivery(self) -> HookFaultAsked | None:
        with self._lock:
            for each in self._waiting:
                if isinstance(each.fault, HookFaultAsked):
                    self._take(each)
                    return each.fault
        return None

    def _take(self, each: _Waiting) -> None:
        each.left -= 1
        if not each.left:
            self._waiting.remove(each)


def bent(value: Any) -> Any:
    """The same shape with every leaf of another type: words become numbers, numbers words."""
    if isinstance(value, dict):
        return {name: bent(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [bent(inner) for inner in value]
    if isinstance(value, bool):
        return "maybe"
    return {str: 7, int: "seven", float: "seven"}.get(type(value), [])


def bent_body(body: bytes) -> bytes:
    return json.dumps(bent(json.loads(body or b"null"))).encode()
