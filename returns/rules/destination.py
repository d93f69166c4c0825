"""Where the parcel goes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.verdict import Rule, Verdict, sets


@dataclass(frozen=True)
class Destination(Rule):
    """Send the parcel to this one of the shop's addresses."""

    kind: ClassVar[str] = "destination"
    to: Annotated[str, Field(min_length=1, max_length=100)] = "warehouse"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(destination=self.to)
