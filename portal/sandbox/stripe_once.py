"""Idempotency as Stripe keeps it: one answer a key, also when it was a failure, for a day."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portal.sandbox.refusals import Json
from portal.sandbox.stripe_refusals import StripeRefusal, key_in_use

KEPT: Final = timedelta(hours=24)
LONGEST_KEY: Final = 255
NOT_KEPT: Final = frozenset({401, 404, 409, 429})


@dataclass
class Kept:
    """A key in use: what was asked, and once it was answered, the answer."""

    path: str
    asked: Json
    at: datetime
    request_id: str
    answer: tuple[int, bytes] | None = None


class Once:
    """The keys of one account. Safe between threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[str, Kept] = {}

    def begin(self, key: str, path: str, asked: Json, request_id: str) -> Kept | None:
        """The answer kept under `key`; None where this request is the first and may go on.

        Raises StripeRefusal: 400 for a key used for something else, 409 while it is in use.
        """
        if len(key) > LONGEST_KEY:
            raise _misused("Idempotency keys have at most 255 characters.")
        with self._lock:
            self._forget()
            known = self._kept.get(key)
            if known is None:
                self._kept[key] = Kept(path, asked, self._now(), request_id)
                return None
            if known.path != path or known.asked != asked:
                raise _misused(_other(key, known, path))
            if known.answer is None:
                raise key_in_use(key)
            return known

    def end(self, key: str, status: int, body: bytes, *, executed: bool) -> None:
        """Keep the answer of the request that began under `key`, or forget that it was asked."""
        with self._lock:
            if not executed or status in NOT_KEPT:
                self._kept.pop(key, None)
            elif key in self._kept:
                # The day counts from here: a key in use is never forgotten as it is answered.
                self._kept[key].at = self._now()
                self._kept[key].answer = (status, body)

    def _forget(self) -> None:
        oldest = self._now() - KEPT
        for key in [key for key, kept in self._kept.items() if kept.answer and kept.at <= oldest]:
            del self._kept[key]


def _misused(message: str) -> StripeRefusal:
    return StripeRefusal(400, message, kind="idempotency_error", executed=False)


def _other(key: str, known: Kept, path: str) -> str:
    if known.path != path:
        return (
            f"Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{path}' vs '{known.path}'). Try using a key other than '{key}' if you "
            "meant to execute a different request."
        )
    return (
        "Keys for idempotent requests can only be used with the same parameters they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different "
        "request."
    )
