"""By when the next thing happens in a return: the pace we publish, and the days it comes to.

These are what a shop promises unless it is quicker. `/policy` shows them too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from portal.pages.speech import N_, _

DECIDED_IN: Final = 1  # working days until a person has decided
SCANNED_IN: Final = 1  # days from handing it in until the carrier's first scan
BACK_IN: Final = 7  # days from handing it in until it is here
CHECKED_IN: Final = 2  # days from its arrival until it is judged
SEEN_IN: Final = 5  # days until a bank shows what was sent
UNTIL: Final = {
    "label": 0,
    "first_scan": SCANNED_IN,
    "arrival": BACK_IN,
    "inspection": BACK_IN + CHECKED_IN,
}
MOMENTS: Final = {
    "label": N_("As soon as it is approved, by %(day)s."),
    "first_scan": N_("As soon as the carrier has scanned it: by %(day)s, if you send it today."),
    "arrival": N_("As soon as it is back: by %(day)s, if you send it today."),
    "inspection": N_("Once we have looked at it: by %(day)s, if you send it today."),
}


@dataclass(frozen=True, slots=True)
class Way:
    """The days of a return's way, as far as they are known: what has been is not promised."""

    decided: date
    sent: date | None = None
    arrived: date | None = None
    checked: date | None = None

    def money_by(self, step: str, today: date) -> date:
        """The last day its money moves, where it moves at `step`; as if sent today, if it was not.

        Never in the past: what is late is due today.
        """
        if step == "label":
            return max(self.decided, today)
        sent = self.sent or today
        if step == "first_scan":
            return max(sent + timedelta(days=SCANNED_IN), today)
        arrived = self.arrived or max(sent + timedelta(days=BACK_IN), today)
        if step == "arrival":
            return max(arrived, today)
        checked = self.checked or arrived + timedelta(days=CHECKED_IN)
        return max(checked, today)


def visible_by(sent: date) -> date:
    """When a bank usually shows what was sent on this day."""
    return sent + timedelta(days=SEEN_IN)


def decided_by(asked: date) -> date:
    """The working day by which a person has decided."""
    day, left = asked, DECIDED_IN
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


def published() -> Iterator[str]:
    """The pace in sentences, for the policy's page."""
    yield _("What a person decides is decided within %(days)d working day.", days=DECIDED_IN)
    yield _("A parcel is usually back with us %(days)d days after you hand it in.", days=BACK_IN)
    yield _("We look at what came back within %(days)d days.", days=CHECKED_IN)
    yield _("Banks usually show a refund within %(days)d days.", days=SEEN_IN)
