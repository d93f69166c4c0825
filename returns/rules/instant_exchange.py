"""The other article goes out before the first one is back."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Rule, Verdict, sets


@dataclass(frozen=True)
class InstantExchange(Rule):
    """Send the other article at once, against a card that is charged if nothing comes back.

    `days` from the customer's consent to the charge. `at_most_minor` is the most that may be
    charged for one line, in minor units of the policy's currency; 0 for any.
    """

    kind: ClassVar[str] = "instant_exchange"
    title: ClassVar[str] = "Instant exchange"
    example: ClassVar[str] = "The other size goes out before the first one is back, against a card."
    days: Annotated[
        int,
        Field(ge=3, le=28),
        setting("Days until the card is charged", "Counted from the customer's consent."),
    ] = 14
    at_most_minor: Annotated[
        int,
        Field(ge=0, le=10**9),
        setting("For articles of at most", "The most that may be charged for one. 0 for any."),
    ] = 0

    def check(self, facts: FactsAt) -> Verdict:
        return sets(instant_days=self.days, instant_most_minor=self.at_most_minor)
