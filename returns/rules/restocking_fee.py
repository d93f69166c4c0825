"""What the shop keeps for its work."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

from pydantic import Field

from returns.facts import FactsAt
from returns.reasons import NOT_AS_SOLD, Reason
from returns.setting import setting
from returns.verdict import NO_CHARGE, Charge, Resolution, Rule, Verdict, sets


@dataclass(frozen=True)
class RestockingFee(Rule):
    """Take a fee off each unit: an amount, a share of what was paid, or both; waived by reason.

    The amount is in minor units of the policy's currency, the share in basis points.
    """

    kind: ClassVar[str] = "restocking_fee"
    title: ClassVar[str] = "Restocking fee"
    example: ClassVar[str] = "5 % is kept of a refund, but never for faulty goods."
    uses: ClassVar[tuple[str, ...]] = ("reason",)
    amount_minor: Annotated[
        int, Field(ge=0, le=10**9), setting("Amount for each piece", "0 for none.")
    ] = 0
    share_bps: Annotated[
        int, Field(ge=0, le=10_000), setting("Share of what was paid", "0 for none.")
    ] = 0
    resolutions: Annotated[tuple[Resolution, ...], setting("Taken off")] = ("refund",)
    waived_for: Annotated[tuple[Reason, ...], setting("Never for these reasons")] = NOT_AS_SOLD

    def check(self, facts: FactsAt) -> Verdict:
        return self._waived if facts.reason in self.waived_for else self._verdict

    @cached_property
    def _verdict(self) -> Verdict:
        charge = Charge(self.amount_minor, self.share_bps)
        return sets(**{f"fee.{resolution}": charge for resolution in self.resolutions})

    @cached_property
    def _waived(self) -> Verdict:
        waived = {f"fee.{resolution}": NO_CHARGE for resolution in self.resolutions}
        return sets("waived_for_reason", **waived)
