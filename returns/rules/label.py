"""Who pays for the way back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from returns.facts import FactsAt
from returns.reasons import NOT_AS_SOLD, Reason
from returns.setting import setting
from returns.verdict import Method, Rule, Verdict, sets

Cost = Annotated[int, Field(ge=0, le=10**9)]


@dataclass(frozen=True)
class Label(Rule):
    """Say who pays the label and what each way costs; some reasons are always free.

    Costs are minor units of the policy's currency, once a return.
    """

    kind: ClassVar[str] = "label"
    title: ClassVar[str] = "Who pays the way back"
    example: ClassVar[str] = "The customer pays 4.99 for the label, unless it is our fault."
    uses: ClassVar[tuple[str, ...]] = ("reason",)
    paid_by: Annotated[
        Literal["shop", "customer"],
        setting("Who pays", words={"shop": "The shop", "customer": "The customer"}),
    ] = "shop"
    cost_minor: Annotated[
        Mapping[Method, Cost],
        setting("What each way costs", "Once a return. Where the customer pays, it is taken off."),
    ] = field(default_factory=dict)
    free_for: Annotated[
        tuple[Reason, ...], setting("Always free for", "Whoever pays, the shop does for these.")
    ] = NOT_AS_SOLD

    def check(self, facts: FactsAt) -> Verdict:
        return self._free if facts.reason in self.free_for else self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        return sets(label_paid_by=self.paid_by, method_costs=dict(self.cost_minor))

    @cached_property
    def _free(self) -> Verdict:
        return sets("free_for_reason", label_paid_by="shop", method_costs=dict(self.cost_minor))
