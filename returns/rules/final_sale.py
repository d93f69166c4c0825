"""Final sale stays sold, unless it is not what was sold."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from returns.facts import FactsAt
from returns.reasons import NOT_AS_SOLD, Reason
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class FinalSale(Rule):
    """Decline items sold as final, except for the reasons given."""

    kind: ClassVar[str] = "final_sale"
    uses: ClassVar[tuple[str, ...]] = ("final_sale", "reason")
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.DECLINE, Outcome.REVIEW)
    unless_reasons: tuple[Reason, ...] = NOT_AS_SOLD
    outcome: Literal["decline", "review"] = "decline"

    def check(self, facts: FactsAt) -> Verdict | None:
        if not facts.final_sale or facts.reason in self.unless_reasons:
            return None
        return decides(Outcome(self.outcome), "final_sale", unless_reasons=self.unless_reasons)
