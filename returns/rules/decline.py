"""Decline what the conditions describe."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict, decides


@dataclass(frozen=True)
class Decline(Rule):
    """Decline the request, with the code of its reason."""

    kind: ClassVar[str] = "decline"
    title: ClassVar[str] = "Decline"
    example: ClassVar[str] = "Underwear cannot come back, unless it is faulty."
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.DECLINE,)
    because: Annotated[
        str,
        setting("Why, as the customer reads it", "Leave it empty for our words."),
    ] = "not_returnable"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return decides(Outcome.DECLINE, self.because)
