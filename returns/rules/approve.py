"""Approve what the conditions describe."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from returns.facts import FactsAt
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class Approve(Rule):
    """Approve the request without a person looking at it."""

    kind: ClassVar[str] = "approve"
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.APPROVE,)
    because: str = "within_the_rules"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return decides(Outcome.APPROVE, self.because)
