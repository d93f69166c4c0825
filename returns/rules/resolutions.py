"""What a customer may get for what comes back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import RESOLUTIONS, Resolution, Rule, Verdict, sets


@dataclass(frozen=True)
class Resolutions(Rule):
    """Offer these resolutions and no others."""

    kind: ClassVar[str] = "resolutions"
    title: ClassVar[str] = "What customers may choose"
    example: ClassVar[str] = "Sale articles can be exchanged, but not refunded."
    allow: Annotated[
        tuple[Resolution, ...], Field(min_length=1), setting("What can be chosen", ordered=True)
    ] = RESOLUTIONS

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(resolutions=self.allow)
