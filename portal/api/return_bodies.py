"""What is posted about returns. Prices, fees and states are ours: as fields they are unknown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from portal.models.rma_choice import Choice
from portal.models.rma_facts import Asked
from portal.models.rma_receipt import Count
from portal.sources.document import MOST_LINES, Empty, Money, Plain, Posted, Quantity, Sku
from returns.reasons import REASON_OF, REASONS, reason_and_detail
from returns.verdict import Method


def _reason(code: str) -> str:
    if code not in REASONS and code not in REASON_OF:
        raise ValueError(f"We know no such reason. Send one of: {', '.join(REASONS)}.")
    return code


Code = Annotated[str, Field(max_length=40), Plain]
Reason = Annotated[Code, AfterValidator(_reason)]
Note = Annotated[str, Field(max_length=2000), Empty]
ExchangeSku = Annotated[str, Field(max_length=120), Plain, Empty]
Wanted = Literal["refund", "store_credit", "exchange", "keep"]


class QuotedLine(Posted):
    """How many of one article, why, and what for instead. A detail may be sent as the reason."""

    sku: Sku
    quantity: Quantity
    reason: Reason | None = None
    detail: Code | None = None
    resolution: Wanted | None = None
    exchange_sku: ExchangeSku = ""

    @model_validator(mode="after")
    def _has_a_known_reason(self) -> QuotedLine:
        if self.reason is not None:
            reason_and_detail(self.reason, self.detail)
        elif self.detail is not None:
            raise ValueError("Send the reason that this detail belongs to.")
        return self

    def asked(self, method: str | None) -> Asked:
        """The line as the models take it."""
        more = {"resolution": self.resolution, "exchange_sku": self.exchange_sku, "method": method}
        return Asked.of(self.sku, self.quantity, self.reason or "", self.detail or "", **more)


class AskedLine(QuotedLine):
    """A line of a return. `fallback` says what is done where the other article is not to be had:
    refund, store_credit, wait, or variant: and another sku.
    """

    reason: Reason
    statement: Note = ""
    fallback: Annotated[
        str, Field(max_length=140, pattern=r"^(refund|store_credit|wait|variant:.{1,120})?$")
    ] = ""

    def asked(self, method: str | None) -> Asked:
        """The line as the models take it."""
        more = {"resolution": self.resolution, "exchange_sku": self.exchange_sku, "method": method}
        words = {"statement": self.statement, "fallback": self.fallback}
        return Asked.of(self.sku, self.quantity, self.reason, self.detail or "", **more, **words)


class QuoteBody(Posted):
    """What somebody thinks of sending back. Without lines: everything that was ordered."""

    lines: list[QuotedLine] = Field(default=[], max_length=MOST_LINES)
    method: Method | None = None


class ReturnBody(Posted):
    """A return: its lines, and the way back."""

    lines: Annotated[list[AskedLine], Field(min_length=1, max_length=MOST_LINES)]
    method: Method | None = None


class ApprovalBody(Posted):
    """Approve what waits; `override_reason` approves what the rules declined, too."""

    note: Note = ""
    override_reason: Note = ""


class RejectionBody(Posted):
    """Say no: a code for the customer's page, such as worn or incomplete, and a note."""

    code: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
    note: Note = ""


class CountedLine(Posted):
    """What was found of one article. `accept` left out: accepted in condition A, B or none."""

    sku: Sku
    quantity: Annotated[int, Field(ge=0, le=10_000)]
    condition: Literal["A", "B", "C", "D"] | None = None
    disposition: Literal["restock", "resale_hold", "recycle", "donate", "missing"] | None = None
    accept: bool | None = None
    note: Note = ""

    @property
    def count(self) -> Count:
        """The line as the models take it."""
        return Count(
            sku=self.sku,
            quantity=self.quantity,
            condition=self.condition or "",
            disposition=self.disposition or "",
            accept=self.accept,
            note=self.note,
        )


class ReceiptBody(Posted):
    """What was in the parcel. Of an article that is counted, the rest is missing."""

    lines: Annotated[list[CountedLine], Field(min_length=1, max_length=MOST_LINES)]


class SettledLine(Posted):
    """How so many of an article are settled. What is left out is as it was asked."""

    sku: Sku
    quantity: Quantity | None = None
    resolution: Wanted | None = None
    exchange_sku: ExchangeSku = ""
    amount_minor: Money | None = None

    @property
    def choice(self) -> Choice:
        """The line as the models take it."""
        return Choice(**self.model_dump())


class ResolutionBody(Posted):
    """Settle what was accepted: as asked, or line by line."""

    lines: list[SettledLine] = Field(default=[], max_length=MOST_LINES)
    reason: Note = ""


class CancellationBody(Posted):
    """Call the return off."""

    reason: Note = ""
