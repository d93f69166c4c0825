"""What has not arrived cannot be sent back."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict, decides

BEFORE: Final = setting(
    "Before that", words={"decline": "It cannot be sent back yet", "review": "A person decides"}
)


@dataclass(frozen=True)
class Delivered(Rule):
    """Wait for the delivery. Days after shipment, if given, count as one nobody reported."""

    kind: ClassVar[str] = "delivered"
    title: ClassVar[str] = "Wait for the delivery"
    example: ClassVar[str] = "A return can be started once the parcel has arrived."
    uses: ClassVar[tuple[str, ...]] = ("delivered_on", "days_since_shipment")
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.DECLINE, Outcome.REVIEW)
    or_days_after_shipment: Annotated[
        Annotated[int, Field(ge=1, le=365)] | None,
        setting(
            "Taken as delivered after",
            "So many days after dispatch, where no carrier reported it. Empty: never.",
        ),
    ] = None
    outcome: Annotated[Literal["decline", "review"], BEFORE] = "decline"

    def check(self, facts: FactsAt) -> Verdict | None:
        if facts.delivered_on is not None:
            return None
        days, enough = facts.days_since_shipment, self.or_days_after_shipment
        if days is not None and enough is not None and days >= enough:
            return None
        return decides(Outcome(self.outcome), "not_delivered_yet", or_days_after_shipment=enough)
