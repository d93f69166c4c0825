"""A history that a person should look at; never a refusal by itself."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class RiskReview(Rule):
    """Leave requests with this many risk points or more to the staff."""

    kind: ClassVar[str] = "risk_review"
    title: ClassVar[str] = "Look at the history"
    example: ClassVar[str] = "Requests with 50 risk points or more wait for a person."
    uses: ClassVar[tuple[str, ...]] = ("risk_points",)
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.REVIEW,)
    from_points: Annotated[
        int, Field(ge=1, le=1000), setting("From so many risk points", unit="points")
    ] = 50

    def check(self, facts: FactsAt) -> Verdict | None:
        if facts.risk_points is None or facts.risk_points < self.from_points:
            return None
        return decides(Outcome.REVIEW, "needs_a_look", risk_points=facts.risk_points)
