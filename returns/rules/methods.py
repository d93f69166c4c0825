"""The ways a parcel may come back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Method, Rule, Verdict, sets


@dataclass(frozen=True)
class Methods(Rule):
    """Offer these ways of sending back, in this order, and no others."""

    kind: ClassVar[str] = "methods"
    title: ClassVar[str] = "Ways back"
    example: ClassVar[str] = "A label to print, or bring it to the shop."
    allow: Annotated[
        tuple[Method, ...], Field(min_length=1), setting("Ways, in this order", ordered=True)
    ] = ("label",)

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(methods=self.allow)
