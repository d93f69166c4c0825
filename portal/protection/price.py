"""What cover costs for these lines, and how much it covers: whole minor units, rounded up once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from portal.protection.plan import WHOLE, Flat, Plan, Share, Tiers
from returns.money import apportion

NOT_OFFERED: Final = ("currency", "country", "excluded", "nothing")


class Line(Protocol):
    """What is asked about one line of a cart or an order. The discount is the line's total."""

    @property
    def sku(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def unit_price_minor(self) -> int: ...
    @property
    def discount_minor(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Priced:
    """What cover costs. premium = price + return + climate; without an offer all is nought.

    `value_minor` is that of all lines after their discounts, `cover_minor` what of it is covered.
    `why_not` is a code: the shop sells no cover in this currency, to this country, of these goods.
    """

    value_minor: int = 0
    cover_minor: int = 0
    parcel_minor: int = 0
    price_minor: int = 0
    return_minor: int = 0
    climate_minor: int = 0
    why_not: str = ""

    @property
    def premium_minor(self) -> int:
        """All that is paid for it."""
        return self.price_minor + self.return_minor + self.climate_minor


def value_of(line: Line) -> int:
    """What a line costs after its discount: with tax where that is included, without shipping."""
    return line.quantity * line.unit_price_minor - line.discount_minor


def price(
    plan: Plan, lines: Sequence[Line], currency: str, country: str, discount_minor: int = 0
) -> Priced:
    """Price cover for these lines. The same plan and lines give the same price.

    Value above the plan's limit is neither covered nor charged for. `discount_minor` is off the
    whole, spread over the lines by their value.
    """
    values = [value_of(line) for line in lines]
    off = apportion(min(discount_minor, sum(values)), values)
    paid = [value - part for value, part in zip(values, off, strict=True)]
    value = sum(paid)
    kept = [
        (line, part)
        for line, part in zip(lines, paid, strict=True)
        if plan.covers_line(line.sku, line.category)
    ]
    covered = [line for line, _ in kept]
    worth = sum(part for _, part in kept)
    why_not = _why_not(plan, currency, country, covered=bool(covered), worth=worth)
    if why_not:
        return Priced(value_minor=value, why_not=why_not)
    limit = plan.order_limit_minor
    cover = worth if limit is None else min(worth, limit)
    parts = apportion(cover, [part for _, part in kept])
    asked = _sum_of_rates(plan, country, zip(covered, parts, strict=True))
    asked = max(plan.floor_minor, asked)
    if plan.cap_minor is not None:
        asked = min(plan.cap_minor, asked)
    step = plan.round_to_minor
    asked = -(-asked // step) * step
    added = plan.return_minor if plan.covers_return else 0
    per_parcel = plan.parcel_limit_minor
    return Priced(
        value_minor=value,
        cover_minor=cover,
        parcel_minor=cover if per_parcel is None else min(cover, per_parcel),
        price_minor=asked,
        return_minor=added,
        climate_minor=-(-(asked + added) * plan.climate_points // WHOLE),
    )


def _why_not(plan: Plan, currency: str, country: str, *, covered: bool, worth: int) -> str:
    if currency != plan.currency:
        return "currency"
    if not plan.serves(country):
        return "country"
    if not covered:
        return "excluded"
    return "" if worth else "nothing"


def _sum_of_rates(plan: Plan, country: str, parts: Iterable[tuple[Line, int]]) -> int:
    """What is priced alike is added up first, so that a flat price is asked once."""
    alike: dict[int, tuple[Flat | Share | Tiers, int]] = {}
    for line, part in parts:
        way = plan.price_of(country, line.category)
        known = alike.get(id(way), (way, 0))[1]
        alike[id(way)] = (way, known + part)
    return sum(way.of(total) for way, total in alike.values())
