"""The other article goes out before the first one is back."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.verdict import Rule, Verdict, sets


@dataclass(frozen=True)
class InstantExchange(Rule):
    """Send the other article at once, against a card that is charged if nothing comes back.

    `days` from the customer's consent to the charge. `at_most_minor` is the most that may be
    charged for one line, in minor units of the policy's currency; 0 for any.
    """

    kind: ClassVar[str] = "instant_exchange"
    days: Annotated[int, Field(ge=3, le=28)] = 14
    at_most_minor: Annotated[int, Field(ge=0, le=10**9)] = 0

    def check(self, facts: FactsAt) -> Verdict:
        return sets(instant_days=self.days, instant_most_minor=self.at_most_minor)
