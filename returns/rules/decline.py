"""Decline what the conditions describe."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from returns.facts import FactsAt
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class Decline(Rule):
    """Decline the request, with the code of its reason."""

    kind: ClassVar[str] = "decline"
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.DECLINE,)
    because: str = "not_returnable"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return decides(Outcome.DECLINE, self.because)
