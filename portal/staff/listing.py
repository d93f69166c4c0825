"""What every list of the desk shares: how many rows, and how old they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MOST: Final = 50  # rows a page


def age(waits: timedelta) -> str:
    """How long something waits, in its largest unit: 12 min, 5 h, 3 d."""
    minutes = int(waits.total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
