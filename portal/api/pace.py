"""How often one client may use a token that everybody can read, counted in this process.

Quotes are computed and stored nowhere, and so is this count: a house with several processes lets
that many times as much through, which costs computing only.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime
from typing import Final

from carriers.schedule import Budget
from portal.api.refusal import Refusal

RATE: Final = 2.0  # a second, for long
BURST: Final = 60
MOST_CLIENTS: Final = 10_000
_kept: OrderedDict[str, Budget] = OrderedDict()
_counting = threading.Lock()


def keep_pace(who: str, now: datetime) -> None:
    """Count one call. Raises Refusal 429 with the seconds to wait."""
    with _counting:
        budget, wait = _kept.pop(who, Budget.full(RATE, BURST, now)).take(now)
        _kept[who] = budget
        if len(_kept) > MOST_CLIENTS:
            _kept.popitem(last=False)
    if wait:
        seconds = max(1, round(wait.total_seconds()))
        raise Refusal(
            429,
            f"Too many at once. Ask again in {seconds} s.",
            headers={"Retry-After": f"{seconds}"},
        )
