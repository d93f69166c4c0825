"""A little more for staying."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Charge, Rule, Verdict, sets


@dataclass(frozen=True)
class Bonus(Rule):
    """Add to each unit's store credit or exchange value: an amount, a share, or both.

    The amount is in minor units of the policy's currency, the share in basis points.
    """

    kind: ClassVar[str] = "bonus"
    title: ClassVar[str] = "Bonus"
    example: ClassVar[str] = "Who takes store credit instead of money gets 10 % more."
    amount_minor: Annotated[
        int, Field(ge=0, le=10**9), setting("Amount for each piece", "0 for none.")
    ] = 0
    share_bps: Annotated[
        int, Field(ge=0, le=10_000), setting("Share of what was paid", "0 for none.")
    ] = 0
    resolutions: Annotated[
        tuple[Literal["store_credit", "exchange"], ...], setting("On top of")
    ] = ("store_credit",)

    def check(self, facts: FactsAt) -> Verdict:
        return self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        charge = Charge(self.amount_minor, self.share_bps)
        return sets(**{f"bonus.{resolution}": charge for resolution in self.resolutions})
