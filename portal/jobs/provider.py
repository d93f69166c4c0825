"""A shop's account at EasyPost: its client, how much it bears, and whether it answers.

Budget and pause are gauges, so that all workers of a house share them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, current_app

from carriers.contract import AuthBroken, CarrierError, RateLimited
from carriers.easypost_claims import ClaimDesk
from carriers.schedule import LONGEST_WAIT, SHORTEST_WAIT, Budget
from portal.keys import Unsealable, digest, settings
from portal.models import Shop
from portal.models.due import read_gauge, set_gauge

BURST = 5
DAY_S = 86_400
SLICE = 24  # a day's questions are given out evenly: so large a part of them at once at most
TRIPS_AT = 5  # failures in a row that are the provider's, not a parcel's
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
KEY_PAUSE = timedelta(minutes=15)  # until a refused key is tried again: somebody may have mended it

_building = threading.Lock()


@dataclass(frozen=True)
class Account:
    """Whom to ask on behalf of a shop. Shops with the same key share it."""

    name: str  # digest of the key: a key itself is written nowhere
    client: ClaimDesk

    def reserve(self, wanted: int, now: datetime) -> tuple[int, timedelta]:
        """Take up to `wanted` questions out of the budgets; with none, how long to wait.

        Call it inside `writing()`.
        """
        budgets = self._budgets(now)
        taken, wait = 0, timedelta(0)
        while taken < wanted:
            tried = {name: budget.take(now) for name, budget in budgets.items()}
            wait = max(waited for _, waited in tried.values())
            if wait:
                break
            budgets = {name: left for name, (left, _) in tried.items()}
            taken += 1
        if taken:
            for name, budget in budgets.items():
                set_gauge(f"{name}:{self.name}", budget.tokens, budget.at)
            self._count(taken, now)
        return taken, timedelta(0) if taken else wait

    def apart(self) -> timedelta:
        """How far apart questions are that wait for the budget."""
        slowest = min(rate for rate, _ in _bears().values())
        return timedelta(seconds=1 / slowest)

    def _budgets(self, now: datetime) -> dict[str, Budget]:
        closed = read_gauge(f"closed:{self.name}")
        found = {}
        for name, (rate, burst) in _bears().items():
            kept = read_gauge(f"{name}:{self.name}", alone=True)
            tokens, at = kept or (float(burst), now)
            until = closed[1] if closed else None
            found[name] = Budget(rate, burst, min(tokens, burst), at, until)
        return found

    def _count(self, asked: int, now: datetime) -> None:
        """How much was asked today, for who watches the house."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        kept = read_gauge(f"asked:{self.name}")
        before = kept[0] if kept and kept[1] == today else 0.0
        set_gauge(f"asked:{self.name}", before + asked, today)

    def answered(self) -> None:
        """It answered: failures before are forgotten, but not for how long it asked us to wait.

        The answer may be to a question from before. Call it inside `writing()`.
        """
        kept = read_gauge(f"closed:{self.name}", alone=True)
        if kept is not None and kept[0]:
            set_gauge(f"closed:{self.name}", 0.0, kept[1])

    def failed(self, error: CarrierError, now: datetime) -> None:
        """It failed. A 429 closes the account for as long as it asks, a row of failures for
        longer and longer, a refused key for a quarter of an hour. Call it inside `writing()`.
        """
        kept = read_gauge(f"closed:{self.name}", alone=True)
        failures, closed_until = (int(kept[0]), kept[1]) if kept else (0, now)
        failures += 1
        pause = _pause(error, failures)
        set_gauge(f"closed:{self.name}", float(failures), max(closed_until, now + pause))

    def closed_until(self) -> datetime | None:
        """Until when it is not asked, as far as is known."""
        kept = read_gauge(f"closed:{self.name}")
        return kept[1] if kept else None


def _bears() -> dict[str, tuple[float, int]]:
    """What an account may be asked: questions a second and at once, by the minute and the day.

    What is given out at once is taken off the day's, so that no 24 hours see more than allowed.
    """
    allowed = settings()
    found = {"budget": (allowed.polls_per_minute / 60, min(BURST, allowed.polls_per_minute))}
    if allowed.polls_per_day:
        at_once = max(1, allowed.polls_per_day // SLICE)
        evenly = max(allowed.polls_per_day - at_once, 0.5)
        found["day"] = (evenly / DAY_S, at_once)
    return found


def _pause(error: CarrierError, failures: int) -> timedelta:
    if isinstance(error, AuthBroken):
        return KEY_PAUSE
    asked = timedelta(seconds=error.retry_after) if error.retry_after else None
    if isinstance(error, RateLimited):
        return min(asked or SHORTEST_WAIT, LONGEST_WAIT)
    if failures < TRIPS_AT:
        return asked or timedelta(0)
    longer: timedelta = FIRST_PAUSE * 2 ** min(failures - TRIPS_AT, 8)
    return max(asked or timedelta(0), min(LONGEST_PAUSE, longer))


def account_of(shop: Shop) -> Account | None:
    """The account a shop's parcels are asked about with; None where the provider is off."""
    key = shop.key("easypost_api_key") or settings().easypost_api_key
    return account_with(key) if key else None


def usable_account(shop: Shop, off: str) -> tuple[Account | None, str]:
    """The account, or a sentence that says why there is none: `off` where the provider is off."""
    try:
        account = account_of(shop)
    except (ValueError, Unsealable) as error:
        return None, f"The EasyPost key cannot be used: {error}"
    return account, "" if account else off


def webhook_secret_of(shop: Shop) -> str:
    """What a shop's hooks are signed with, '' where the provider is off. Raises Unsealable."""
    return shop.key("easypost_webhook_secret") or settings().easypost_webhook_secret


def account_with(key: str) -> Account:
    """The account of a key. Raises ValueError for a key that cannot be meant."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    kept: dict[str, Account] = app.extensions.setdefault("accounts", {})
    with _building:
        if key not in kept:
            client = ClaimDesk(key, settings().easypost_api_base)
            kept[key] = Account(digest(key)[:16], client)
        return kept[key]
