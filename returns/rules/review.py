"""Leave what the conditions describe to a person."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class Review(Rule):
    """Leave the request to the staff."""

    kind: ClassVar[str] = "review"
    title: ClassVar[str] = "Ask a person"
    example: ClassVar[str] = "Whatever is dearer than 300.00 waits for somebody to look."
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.REVIEW,)
    because: Annotated[
        str,
        setting("Why, as the customer reads it", "Leave it empty for our words."),
    ] = "needs_a_look"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return decides(Outcome.REVIEW, self.because)
