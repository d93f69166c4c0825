"""When something may be claimed, and what is asked for: a shop's published terms, with defaults.

The days are a synthesis of what protection plans publish: lost after 7 days without a scan (20
abroad) and until the 60th, not received after 2 days (5 abroad), everything after delivery until
the 30th.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

KINDS: Final = ("lost", "not_received", "damaged", "missing_item", "wrong_item")
WANTED: Final = ("reship", "refund", "store_credit")
AFTER_DELIVERY: Final = ("not_received", "damaged", "missing_item", "wrong_item")
LONGEST_DAYS: Final = 730


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Span(_Part):
    """Days after the event that a claim is counted from: the first one and the last one."""

    wait_days: int = Field(0, ge=0, le=LONGEST_DAYS)
    wait_days_abroad: int = Field(0, ge=0, le=LONGEST_DAYS)
    last_days: int = Field(ge=1, le=LONGEST_DAYS)

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.last_days < max(self.wait_days, self.wait_days_abroad):
            raise ValueError("A claim would close before it opens. Give more last_days.")
        return self

    def wait(self, is_abroad: bool) -> int:
        """How many days to wait."""
        return self.wait_days_abroad if is_abroad else self.wait_days


class ClaimTerms(_Part):
    """The terms of one shop. Amounts are minor units of the shop's currency."""

    version: int = Field(1, ge=1)
    lost: Span = Span(wait_days=7, wait_days_abroad=20, last_days=60)
    not_received: Span = Span(wait_days=2, wait_days_abroad=5, last_days=30)
    damaged: Span = Span(last_days=30)
    missing_item: Span = Span(last_days=30)
    wrong_item: Span = Span(last_days=30)
    # Under cover and below this, what the rules accept is paid at once.
    approve_below_minor: int = Field(10_000, ge=0)
    photos_from_minor: int = Field(2_500, ge=0)
    police_report_from_minor: int | None = Field(15_000, ge=1)  # None: never
    review_from_points: int = Field(40, ge=1, le=100)
    # What becomes of "not received" where somebody signed for the parcel.
    signed_deliveries: Literal["review", "decline"] = "review"
    appeal_days: int = Field(14, ge=1, le=365)

    def span(self, kind: str) -> Span:
        """The days of one kind of claim."""
        found: Span = getattr(self, kind)
        return found
