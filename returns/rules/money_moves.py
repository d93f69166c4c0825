"""When the money moves."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from returns.facts import FactsAt
from returns.verdict import RESOLUTIONS, Resolution, Rule, Step, Verdict, sets


@dataclass(frozen=True)
class MoneyMoves(Rule):
    """Settle when the label is made, at its first scan, when it arrives, or once inspected."""

    kind: ClassVar[str] = "money_moves"
    at: Step = "inspection"
    resolutions: tuple[Resolution, ...] = RESOLUTIONS

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(**{f"moves_at.{resolution}": self.at for resolution in self.resolutions})
