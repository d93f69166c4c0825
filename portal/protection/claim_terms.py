"""When something may be claimed, and what is asked for: a shop's published terms, with defaults.

The days are a synthesis of what protection plans publish: lost after 7 days without a scan (20
abroad) and until the 60th, not received after 2 days (5 abroad), everything after delivery until
the 30th.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from returns.setting import setting

KINDS: Final = ("lost", "not_received", "damaged", "missing_item", "wrong_item")
WANTED: Final = ("reship", "refund", "store_credit")
AFTER_DELIVERY: Final = ("not_received", "damaged", "missing_item", "wrong_item")
LONGEST_DAYS: Final = 730
Days = Annotated[int, Field(ge=0, le=LONGEST_DAYS)]
Minor = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Span(_Part):
    """Days after the event that a claim is counted from: the first one and the last one."""

    wait_days: Annotated[Days, setting("Days to wait")] = 0
    wait_days_abroad: Annotated[Days, setting("Days to wait abroad")] = 0
    last_days: Annotated[int, Field(ge=1, le=LONGEST_DAYS), setting("Until day")]

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.last_days < max(self.wait_days, self.wait_days_abroad):
            raise ValueError(
                "A claim would close before it opens. Give a later last day (last_days)."
            )
        return self

    def wait(self, is_abroad: bool) -> int:
        """How many days to wait."""
        return self.wait_days_abroad if is_abroad else self.wait_days


class ClaimTerms(_Part):
    """The terms of one shop. Amounts are minor units of the shop's currency."""

    version: int = Field(1, ge=1)
    lost: Annotated[Span, setting("Lost", "From the last scan on.")] = Span(
        wait_days=7, wait_days_abroad=20, last_days=60
    )
    not_received: Annotated[
        Span, setting("Said to be delivered, but not there", "From delivery on.")
    ] = Span(wait_days=2, wait_days_abroad=5, last_days=30)
    damaged: Annotated[Span, setting("Damaged", "From delivery on.")] = Span(last_days=30)
    missing_item: Annotated[Span, setting("Something is missing", "From delivery on.")] = Span(
        last_days=30
    )
    wrong_item: Annotated[Span, setting("Something else was in it", "From delivery on.")] = Span(
        last_days=30
    )
    # Under cover and below this, what the rules accept is paid at once.
    approve_below_minor: Annotated[
        Minor, setting("Paid at once below", "Where it is covered and the rules accept it.")
    ] = 10_000
    photos_from_minor: Annotated[Minor, setting("Photos are asked for from")] = 2_500
    police_report_from_minor: Annotated[  # None: never
        Annotated[int, Field(ge=1)] | None,
        setting("A police report is asked for from", "Empty: never."),
    ] = 15_000
    review_from_points: Annotated[
        int,
        Field(ge=1, le=100),
        setting("A person decides from so many risk points", unit="points"),
    ] = 40
    # What becomes of "not received" where somebody signed for the parcel.
    signed_deliveries: Annotated[
        Literal["review", "decline"],
        setting(
            "Somebody signed for the parcel, but it is said not to be there",
            words={"review": "A person decides", "decline": "It is declined"},
        ),
    ] = "review"
    appeal_days: Annotated[int, Field(ge=1, le=365), setting("Days to object to a decision")] = 14

    def span(self, kind: str) -> Span:
        """The days of one kind of claim."""
        found: Span = getattr(self, kind)
        return found
