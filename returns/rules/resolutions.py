"""What a customer may get for what comes back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.verdict import RESOLUTIONS, Resolution, Rule, Verdict, sets


@dataclass(frozen=True)
class Resolutions(Rule):
    """Offer these resolutions and no others."""

    kind: ClassVar[str] = "resolutions"
    allow: Annotated[tuple[Resolution, ...], Field(min_length=1)] = RESOLUTIONS

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(resolutions=self.allow)
