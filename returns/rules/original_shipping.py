"""Whether the way there is paid back too."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Rule, Verdict, sets

REFUNDED: Final = sets(refund_shipping=True)
KEPT: Final = sets(refund_shipping=False)


@dataclass(frozen=True)
class OriginalShipping(Rule):
    """Pay back each unit's share of the original shipping: always, for a whole order, or never."""

    kind: ClassVar[str] = "original_shipping"
    title: ClassVar[str] = "Shipping to the customer"
    example: ClassVar[str] = "What was paid for shipping is paid back with a whole order."
    uses: ClassVar[tuple[str, ...]] = ("share_bps",)
    refund: Annotated[
        Literal["always", "whole_order", "never"],
        setting(
            "It is paid back",
            words={
                "always": "Always, a share for each piece",
                "whole_order": "When the whole order comes back",
                "never": "Never",
            },
        ),
    ] = "whole_order"

    def check(self, facts: FactsAt) -> Verdict:
        whole = facts.share_bps is not None and facts.share_bps >= 10_000
        pays = self.refund == "always" or (self.refund == "whole_order" and whole)
        return REFUNDED if pays else KEPT
