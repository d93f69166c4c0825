"""Final sale stays sold, unless it is not what was sold."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from returns.facts import FactsAt
from returns.reasons import NOT_AS_SOLD, Reason
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class FinalSale(Rule):
    """Decline items sold as final, except for the reasons given."""

    kind: ClassVar[str] = "final_sale"
    title: ClassVar[str] = "Final sale"
    example: ClassVar[str] = "What was sold as final cannot come back, unless it is faulty."
    uses: ClassVar[tuple[str, ...]] = ("final_sale", "reason")
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.DECLINE, Outcome.REVIEW)
    unless_reasons: Annotated[tuple[Reason, ...], setting("Except for these reasons")] = NOT_AS_SOLD
    outcome: Annotated[
        Literal["decline", "review"],
        setting(
            "What becomes of them",
            words={"decline": "They cannot come back", "review": "A person decides"},
        ),
    ] = "decline"

    def check(self, facts: FactsAt) -> Verdict | None:
        if not facts.final_sale or facts.reason in self.unless_reasons:
            return None
        return decides(Outcome(self.outcome), "final_sale", unless_reasons=self.unless_reasons)
