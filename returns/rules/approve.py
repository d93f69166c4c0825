"""Approve what the conditions describe."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class Approve(Rule):
    """Approve the request without a person looking at it."""

    kind: ClassVar[str] = "approve"
    title: ClassVar[str] = "Approve"
    example: ClassVar[str] = "What costs less than 50.00 is approved at once."
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.APPROVE,)
    because: Annotated[
        str,
        setting("Why, as the customer reads it", "Leave it empty for our words."),
    ] = "within_the_rules"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return decides(Outcome.APPROVE, self.because)
