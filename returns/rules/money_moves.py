"""When the money moves."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import RESOLUTIONS, Resolution, Rule, Step, Verdict, sets


@dataclass(frozen=True)
class MoneyMoves(Rule):
    """Settle when the label is made, at its first scan, when it arrives, or once inspected."""

    kind: ClassVar[str] = "money_moves"
    title: ClassVar[str] = "When the money moves"
    example: ClassVar[str] = "Store credit as soon as the carrier has the parcel."
    at: Annotated[
        Step,
        setting(
            "The money moves",
            words={
                "label": "As soon as the return is approved",
                "first_scan": "As soon as the carrier has the parcel",
                "arrival": "As soon as the parcel is back",
                "inspection": "Once what came back was looked at",
            },
        ),
    ] = "inspection"
    resolutions: Annotated[tuple[Resolution, ...], setting("For")] = RESOLUTIONS

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(**{f"moves_at.{resolution}": self.at for resolution in self.resolutions})
