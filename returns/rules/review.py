"""Leave what the conditions describe to a person."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from returns.facts import FactsAt
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class Review(Rule):
    """Leave the request to the staff."""

    kind: ClassVar[str] = "review"
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.REVIEW,)
    because: str = "needs_a_look"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return decides(Outcome.REVIEW, self.because)
