"""Some things are not worth the way back."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from returns.facts import FactsAt
from returns.verdict import Rule, Verdict, sets

KEPT: Final = sets(keep=True, donate=False)
DONATED: Final = sets(keep=True, donate=True)


@dataclass(frozen=True)
class KeepItem(Rule):
    """Let the customer keep the item, or give it away, and have the money all the same."""

    kind: ClassVar[str] = "keep_item"
    then: Literal["keep", "donate"] = "keep"

    def check(self, facts: FactsAt) -> Verdict:
        return DONATED if self.then == "donate" else KEPT
