"""Return windows in calendar days of the shop's time zone, the last day included.

A day is a date on the shop's wall calendar: the days that clocks change on have 23, 24.5 or 25
hours and still count as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, NamedTuple

Anchor = Literal["delivery", "shipment", "order"]


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The date that `zone`'s calendar shows at `moment`, which must be aware."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone. Give moments with an offset.")
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # the first and the last day that a date can hold
        return moment.date()


def days_after(day: date, days: int) -> date:
    """`day` plus `days`, held within what a date can be."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def closes_at(last_day: date, zone: tzinfo) -> datetime:
    """The first instant, in UTC, at which a window with this last day is closed.

    A midnight that the clocks skip counts as the instant they jump at.
    """
    midnight = datetime.combine(days_after(last_day, 1), time.min, tzinfo=zone)
    return midnight.astimezone(UTC)


@dataclass(frozen=True)
class Holiday:
    """Whoever ordered within these days, both included, has at least until `until`."""

    ordered_from: date
    ordered_to: date
    until: date

    def __post_init__(self) -> None:
        if not self.ordered_from <= self.ordered_to <= self.until:
            raise ValueError(
                "A holiday extension runs from ordered_from over ordered_to to until, in that order"
            )


class Counted(NamedTuple):
    """How a window was counted: the last day, from which event and date, with what assumed.

    `assumed_days` stand between the event and the delivery that no carrier has reported;
    `extended` says that a holiday extension, not the counting, gave the last day.
    """

    last_day: date
    counted_from: Anchor
    counted_on: date
    days: int
    assumed_days: int = 0
    extended: bool = False


@dataclass(frozen=True)
class Days:
    """A window's length and what it is counted from."""

    days: int
    anchor: Anchor = "delivery"
    after_shipment_days: int = 7
    after_order_days: int = 14


def last_day(
    length: Days,
    *,
    ordered_on: date,
    shipped_on: date | None = None,
    delivered_on: date | None = None,
    holidays: Sequence[Holiday] = (),
) -> Counted:
    """The last day of a window, and how it was found.

    Counted from the anchor; while the parcel's delivery is not known, from the shipment plus
    `after_shipment_days`; without a shipment, from the order plus `after_order_days`. A holiday
    extension counts where it gives the customer more.
    """
    event, on, assumed = _anchor(length, ordered_on, shipped_on, delivered_on)
    found = days_after(on, assumed + length.days)
    until = [h.until for h in holidays if h.ordered_from <= ordered_on <= h.ordered_to]
    latest = max([found, *until])
    return Counted(latest, event, on, length.days, assumed, extended=latest > found)


def _anchor(
    length: Days, ordered_on: date, shipped_on: date | None, delivered_on: date | None
) -> tuple[Anchor, date, int]:
    if length.anchor == "order":
        return "order", ordered_on, 0
    if length.anchor == "delivery" and delivered_on is not None:
        return "delivery", delivered_on, 0
    if shipped_on is not None:
        return (
            "shipment",
            shipped_on,
            (length.after_shipment_days if length.anchor == "delivery" else 0),
        )
    return "order", ordered_on, length.after_order_days
