"""When to ask a carrier again, and how many questions a second a provider bears. Pure."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from carriers.contract import FINAL, Status

EVERY: Final = {
    Status.OUT_FOR_DELIVERY: timedelta(minutes=30),
    Status.IN_TRANSIT: timedelta(hours=3),
    Status.EXCEPTION: timedelta(hours=3),
    Status.ATTEMPT_FAILED: timedelta(hours=3),
    Status.AVAILABLE_FOR_PICKUP: timedelta(hours=3),
    Status.RETURN_TO_SENDER: timedelta(hours=6),
    Status.PRE_TRANSIT: timedelta(hours=6),
    Status.UNKNOWN: timedelta(hours=6),
}
WITH_HOOKS: Final = timedelta(days=1)
GIVES_UP: Final = timedelta(days=90)
FIRST_RETRY: Final = timedelta(minutes=1)
LAST_RETRY: Final = timedelta(hours=6)
SHORTEST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(days=1)
JITTER: Final = 0.1  # the most that is taken off, so that no promise above is missed
_DOUBLINGS: Final = 12


def next_poll(
    status: Status,
    *,
    now: datetime,
    created_at: datetime,
    last_scan_at: datetime | None = None,
    last_polled_at: datetime | None = None,
    hooks_arriving: bool = False,
    failures: int = 0,
    retry_after: timedelta | None = None,
    seed: str = "",
) -> datetime | None:
    """When to ask next; None for never again. Not before `now`.

    `failures` counts questions in a row that went wrong, the last one just now: they wait a minute,
    two, four, up to six hours. `retry_after` is honoured whatever else holds, between a minute and
    a day. `seed` (the parcel's id) spreads parcels by up to a tenth, always earlier, and the same
    way each time. A hook may still move a parcel that is asked about no more.
    """
    if status in FINAL or is_expired(now=now, created_at=created_at, last_scan_at=last_scan_at):
        return None
    if failures > 0:
        pause = min(LAST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, _DOUBLINGS))
        due = now + _earlier(pause, seed)
    else:
        pause = WITH_HOOKS if hooks_arriving else EVERY[status]
        due = now if last_polled_at is None else min(last_polled_at, now) + _earlier(pause, seed)
    if retry_after is not None:
        due = max(due, now + min(max(retry_after, SHORTEST_WAIT), LONGEST_WAIT))
    return max(due, now)


def is_expired(*, now: datetime, created_at: datetime, last_scan_at: datetime | None) -> bool:
    """Whether nothing was heard for 90 days, so that we stop asking and say so."""
    heard = created_at if last_scan_at is None else max(created_at, last_scan_at)
    return now - heard >= GIVES_UP


def _earlier(pause: timedelta, seed: str) -> timedelta:
    if not seed:
        return pause
    share = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=4).digest()) / 2**32
    return pause * (1 - JITTER * share)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a provider bears: `rate` questions a second, `burst` at once. State in, state out.

    `at` is when `tokens` was right. `closed_until` is set by a 429.
    """

    rate: float
    burst: int
    tokens: float
    at: datetime
    closed_until: datetime | None = None

    @classmethod
    def full(cls, rate: float, burst: int, now: datetime) -> "Budget":
        """A budget nothing was taken from. Raises ValueError for one that never allows anything."""
        if not rate > 0 or burst < 1:
            raise ValueError("A budget needs a rate above zero and a burst of one or more.")
        return cls(rate, burst, float(burst), now)

    def take(self, now: datetime) -> tuple["Budget", timedelta]:
        """The budget after one question, and how long to wait; zero means: ask now.

        With a wait nothing is taken. A clock that went back neither gives nor takes.
        """
        grown = self._at(now)
        if grown.closed_until is not None and grown.closed_until > now:
            return grown, grown.closed_until - now
        if grown.tokens >= 1:
            return replace(grown, tokens=grown.tokens - 1, closed_until=None), timedelta(0)
        lacking = timedelta(seconds=(1 - grown.tokens) / grown.rate)
        return grown, max(lacking, timedelta(microseconds=1))

    def refused(self, now: datetime, retry_after: timedelta | None) -> "Budget":
        """After a 429: empty, and closed for as long as was asked, a minute where nothing was."""
        wait = SHORTEST_WAIT if retry_after is None else retry_after
        until = now + min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)
        closed = until if self.closed_until is None else max(until, self.closed_until)
        return replace(self._at(now), tokens=0.0, closed_until=closed)

    def _at(self, now: datetime) -> "Budget":
        gained = max((now - self.at).total_seconds(), 0.0) * self.rate
        tokens = min(self.tokens + gained, float(self.burst))
        return replace(self, tokens=tokens, at=max(now, self.at))
