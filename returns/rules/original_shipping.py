"""Whether the way there is paid back too."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from returns.facts import FactsAt
from returns.verdict import Rule, Verdict, sets

REFUNDED: Final = sets(refund_shipping=True)
KEPT: Final = sets(refund_shipping=False)


@dataclass(frozen=True)
class OriginalShipping(Rule):
    """Pay back each unit's share of the original shipping: always, for a whole order, or never."""

    kind: ClassVar[str] = "original_shipping"
    uses: ClassVar[tuple[str, ...]] = ("share_bps",)
    refund: Literal["always", "whole_order", "never"] = "whole_order"

    def check(self, facts: FactsAt) -> Verdict:
        whole = facts.share_bps is not None and facts.share_bps >= 10_000
        pays = self.refund == "always" or (self.refund == "whole_order" and whole)
        return REFUNDED if pays else KEPT
