"""When to ask a carrier again, and how many questions a second a provider bears. Pure.

Hooks come first: while they arrive, questions are a rare safety net. Where none came for a while,
the provider is asked what it sent; if it cannot say, parcels that may be delivered any minute are
asked about as if there were no hooks, and if hooks were lost in a row, every parcel under way is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from carriers.contract import FINAL, Status
from carriers.pace import EVERY, LONGEST, Pace, seconds_of_day

__all__ = ["EVERY", "Budget", "Hooks", "Parcel", "is_expired", "next_poll"]

TABLE: Final = Pace()  # nothing learned
NET: Final = 0.1  # the share of the effort that is spent while hooks arrive
QUIET: Final = timedelta(minutes=15)  # without a hook, until the provider is asked what it sent
PROOF: Final = timedelta(minutes=22)  # for how long it is believed that they arrive
LATEST: Final = timedelta(minutes=25)  # between two questions about what matters, hooks missing
HOOK_GRACE: Final = timedelta(minutes=5)  # a hook may follow its news so much later
OUTAGE: Final = 2  # hooks lost in a row that are no accident any more
ASKED_FOR_ONE: Final = 12  # parcels asked about for one that was lost by accident
FORGOTTEN: Final = timedelta(days=3)  # without a hook, as if there were none
GIVES_UP: Final = timedelta(days=90)
FIRST_RETRY: Final = timedelta(minutes=1)
LAST_RETRY: Final = timedelta(hours=6)
SHORTEST_WAIT: Final = timedelta(minutes=1)
SHORTEST_PAUSE: Final = timedelta(minutes=5)  # between two questions that were answered
LONGEST_WAIT: Final = timedelta(days=1)
JITTER: Final = 0.1  # the most that is taken off, so that no promise above is missed
AWAITED: Final = timedelta(days=7)  # for so long a label may become a parcel any hour
_DOUBLINGS: Final = 12
MOVING: Final = frozenset(
    {
        Status.IN_TRANSIT,
        Status.OUT_FOR_DELIVERY,
        Status.ATTEMPT_FAILED,
        Status.AVAILABLE_FOR_PICKUP,
        Status.EXCEPTION,
    }
)
WAITING: Final = frozenset({Status.UNKNOWN, Status.PRE_TRANSIT})


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is known of a shop's hooks.

    `heard_at`: when it was last sure that they arrive, as one did or nothing else had been sent.
    `missed_at`: when it was last found that several in a row had not.
    """

    heard_at: datetime | None = None
    missed_at: datetime | None = None

    def are_known(self, now: datetime) -> bool:
        """Whether there are hooks at all; a shop without any is asked about at full pace."""
        return self.heard_at is not None and now - self.heard_at < FORGOTTEN

    def are_missing(self, now: datetime) -> bool:
        """Whether news is known to come without them."""
        if self.heard_at is None or self.missed_at is None or not self.are_known(now):
            return False
        return self.missed_at > self.heard_at


@dataclass(frozen=True, slots=True)
class Parcel:
    """What decides when to ask about a parcel. `asked_at` is of the newest answer, however it came.

    `failures` counts questions in a row that went wrong, the last one just now. `zone` is where it
    goes. `seed` (its id) spreads parcels by up to a tenth, always earlier, and always the same way.
    """

    status: Status
    created_at: datetime
    last_scan_at: datetime | None = None
    asked_at: datetime | None = None
    failures: int = 0
    zone: tzinfo = UTC
    seed: str = ""

    def is_under_way(self, now: datetime) -> bool:
        """Whether news that matters may come any hour."""
        newest = self.last_scan_at or self.created_at
        return self.status in MOVING or (self.status in WAITING and now - newest < AWAITED)


def next_poll(
    parcel: Parcel,
    now: datetime,
    *,
    hooks: Hooks = Hooks(),
    pace: Pace = TABLE,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """When to look next whether to ask; None for never again. Not before `now`.

    Failures wait a minute, two, four, up to six hours. `retry_after` is honoured whatever else
    holds, between a minute and a day. A hook may still move a parcel that is asked about no more.
    """
    if parcel.status in FINAL or is_expired(
        now=now, created_at=parcel.created_at, last_scan_at=parcel.last_scan_at
    ):
        return None
    if parcel.failures > 0:
        pause = min(LAST_RETRY, FIRST_RETRY * 2 ** min(parcel.failures - 1, _DOUBLINGS))
        due = now + _earlier(pause, parcel.seed)
    elif parcel.asked_at is None:
        due = now
    else:
        due = _after_answer(parcel, min(parcel.asked_at, now), now, hooks, pace)
    if retry_after is not None:
        due = max(due, now + min(max(retry_after, SHORTEST_WAIT), LONGEST_WAIT))
    return max(due, now)


def _after_answer(
    parcel: Parcel, asked_at: datetime, now: datetime, hooks: Hooks, pace: Pace
) -> datetime:
    """When the next question is due after one that was answered."""
    if not hooks.are_known(now):
        return asked_at + _pause(parcel, asked_at, pace, 1.0)
    if hooks.are_missing(now):
        pause = _pause(parcel, asked_at, pace, 1.0)
        return asked_at + (min(pause, _soon(parcel)) if parcel.is_under_way(now) else pause)
    rare = asked_at + _pause(parcel, asked_at, pace, NET)
    if parcel.status is not Status.OUT_FOR_DELIVERY or hooks.heard_at is None:
        return rare
    return min(rare, max(asked_at + _soon(parcel), hooks.heard_at + PROOF))


def _soon(parcel: Parcel) -> timedelta:
    return _earlier(LATEST, parcel.seed)


def _pause(parcel: Parcel, asked_at: datetime, pace: Pace, share: float) -> timedelta:
    news_at = parcel.last_scan_at or parcel.created_at
    quiet = max(0, int((asked_at - news_at).total_seconds()))
    wait = pace.wait(parcel.status, quiet, seconds_of_day(news_at, parcel.zone), share)
    pause = timedelta(seconds=min(wait, LONGEST.total_seconds()))
    return max(SHORTEST_PAUSE, _earlier(pause, parcel.seed))


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
    def full(cls, rate: float, burst: int, now: datetime) -> Budget:
        """A budget nothing was taken from. Raises ValueError for one that never allows anything."""
        if not rate > 0 or burst < 1:
            raise ValueError("A budget needs a rate above zero and a burst of one or more.")
        return cls(rate, burst, float(burst), now)

    def take(self, now: datetime) -> tuple[Budget, timedelta]:
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

    def refused(self, now: datetime, retry_after: timedelta | None) -> Budget:
        """After a 429: empty, and closed for as long as was asked, a minute where nothing was."""
        wait = SHORTEST_WAIT if retry_after is None else retry_after
        until = now + min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)
        closed = until if self.closed_until is None else max(until, self.closed_until)
        return replace(self._at(now), tokens=0.0, closed_until=closed)

    def _at(self, now: datetime) -> Budget:
        gained = max((now - self.at).total_seconds(), 0.0) * self.rate
        tokens = min(self.tokens + gained, float(self.burst))
        return replace(self, tokens=tokens, at=max(now, self.at))
