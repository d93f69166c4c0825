"""Where the parcel goes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Rule, Verdict, sets


@dataclass(frozen=True)
class Destination(Rule):
    """Send the parcel to this one of the shop's addresses."""

    kind: ClassVar[str] = "destination"
    title: ClassVar[str] = "Where the parcel goes"
    example: ClassVar[str] = "Faulty goods go to the workshop."
    to: Annotated[
        str,
        Field(min_length=1, max_length=100),
        setting("Address", "The name of one of the return addresses in the settings."),
    ] = "warehouse"

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(destination=self.to)
