"""The return window."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from returns.facts import FactsAt
from returns.setting import setting
from returns.verdict import Outcome, Rule, Verdict
from returns.window import Anchor, Days, Holiday, last_day

Length = Annotated[int, Field(ge=0, le=36_500)]
Gap = Annotated[int, Field(ge=0, le=365)]


@dataclass(frozen=True)
class Window(Rule):
    """Take things back for so many days, the last included; where two apply, the later day wins.

    A category's own number of days stands in the place of `days`. `after_shipment_days` and
    `after_order_days` are when the parcel is taken to have arrived while nobody has reported it.
    """

    kind: ClassVar[str] = "window"
    title: ClassVar[str] = "Return window"
    example: ClassVar[str] = "30 days from delivery, 60 for members."
    uses: ClassVar[tuple[str, ...]] = (
        *("requested_on", "ordered_on", "shipped_on", "delivered_on"),
        "category",
    )
    outcomes: ClassVar[tuple[Outcome, ...]] = (Outcome.DECLINE, Outcome.REVIEW)
    days: Annotated[Length, setting("Days", "The last one is included.")] = 30
    anchor: Annotated[
        Anchor,
        setting(
            "Counted from",
            words={"delivery": "Delivery", "shipment": "Dispatch", "order": "The order"},
        ),
    ] = "delivery"
    after_shipment_days: Annotated[
        Gap,
        setting("Taken as delivered after dispatch", "Until a carrier reports the delivery."),
    ] = 7
    after_order_days: Annotated[
        Gap, setting("Taken as delivered after the order", "Where no dispatch is known.")
    ] = 14
    by_category: Annotated[
        Mapping[str, Length],
        setting("Other days for a category", "Instead of those above.", key="Category"),
    ] = field(default_factory=dict)
    holidays: Annotated[
        tuple[Holiday, ...],
        setting("Holidays", "What is ordered within these days can go back until a later day."),
    ] = ()
    outcome: Annotated[
        Literal["decline", "review"],
        setting(
            "After the last day", words={"decline": "It is too late", "review": "A person decides"}
        ),
    ] = "decline"

    def check(self, facts: FactsAt) -> Verdict:
        category = (facts.category or "").casefold()
        counted = last_day(
            self._by_category.get(category, self._default),
            ordered_on=facts.ordered_on,
            shipped_on=facts.shipped_on,
            delivered_on=facts.delivered_on,
            holidays=self.holidays,
        )
        values = counted._asdict()
        if facts.requested_on <= counted.last_day:
            return Verdict("sets", "window_open", values, last_day=counted.last_day)
        outcome = Outcome(self.outcome)
        return Verdict(outcome.value, "window_closed", values, outcome, last_day=counted.last_day)

    @cached_property
    def _default(self) -> Days:
        return self._length(self.days)

    @cached_property
    def _by_category(self) -> dict[str, Days]:
        return {name.casefold(): self._length(days) for name, days in self.by_category.items()}

    def _length(self, days: int) -> Days:
        return Days(days, self.anchor, self.after_shipment_days, self.after_order_days)
