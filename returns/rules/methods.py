"""The ways a parcel may come back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.verdict import Method, Rule, Verdict, sets


@dataclass(frozen=True)
class Methods(Rule):
    """Offer these ways of sending back, in this order, and no others."""

    kind: ClassVar[str] = "methods"
    allow: Annotated[tuple[Method, ...], Field(min_length=1)] = ("label",)

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(methods=self.allow)
