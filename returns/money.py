"""Money as whole minor units that always sum. No float, no tolerance.

An order's amounts are split over its units once, by largest remainder, and stored; everything
that is ever paid back is a sum of those stored shares.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from returns.verdict import NO_CHARGE, Effects

# ISO 4217. The locale data that formats amounts disagrees on some of these (it shows LAK and RSD
# without decimals), and a payment provider counts as ISO does, so the table is our own.
NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
DECIMALS = {
    **dict.fromkeys(NO_DECIMALS, 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def exponent(currency: str) -> int:
    """How many decimals a currency's minor unit has: JPY 0, EUR 2, KWD 3 (ISO 4217).

    Raises ValueError when `currency` is not three capital letters.
    """
    if not CURRENCY.fullmatch(currency):
        raise ValueError(
            f"The currency {currency!r} is not a three-letter code. Write it like EUR or JPY."
        )
    return DECIMALS.get(currency, 2)


def apportion(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Split `total_minor` by `weights` so that the parts sum to it exactly.

    Largest remainder: no part is a whole unit away from its exact share, and what is left over
    goes to the largest remainders, first come first served. Weights that are all zero count as
    equal. Raises ValueError for a negative total or weight, or nothing to give the total to.

    >>> apportion(100, [1, 1, 1])
    [34, 33, 33]
    """
    if total_minor < 0:
        raise ValueError(f"{total_minor} cannot be split: an amount to split is never negative.")
    if any(weight < 0 for weight in weights):
        raise ValueError("A share's weight is negative. Weights are zero or more.")
    if not weights:
        if total_minor:
            raise ValueError(f"{total_minor} cannot be split over nothing. Give it one share.")
        return []
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    parts = [total_minor * weight // whole for weight in weights]
    remainders = [total_minor * weight % whole for weight in weights]
    by_remainder = sorted(range(len(parts)), key=lambda i: -remainders[i])  # stable: first come
    for i in by_remainder[: total_minor - sum(parts)]:
        parts[i] += 1
    return parts


@dataclass(frozen=True, slots=True)
class LineMoney:
    """An order line's money. Discount and tax are the line's totals, not a unit's."""

    quantity: int
    unit_price_minor: int
    discount_minor: int = 0
    tax_minor: int = 0
    tax_included: bool = False


@dataclass(frozen=True, slots=True)
class UnitMoney:
    """One unit's share of everything that was paid. `line` counts the order's lines from 0."""

    line: int
    price_minor: int
    discount_minor: int
    tax_minor: int
    tax_included: bool
    shipping_minor: int
    shipping_tax_minor: int
    shipping_tax_included: bool
    cover_minor: int

    @property
    def value_minor(self) -> int:
        """Price after every discount; holds the tax when it is included."""
        return self.price_minor - self.discount_minor

    @property
    def added_tax_minor(self) -> int:
        """The tax paid on top of `value_minor`: none when it is included."""
        return 0 if self.tax_included else self.tax_minor

    @property
    def paid_minor(self) -> int:
        """What was paid for the unit itself: value and added tax, without shipping or cover."""
        return self.value_minor + self.added_tax_minor

    @property
    def shipping_paid_minor(self) -> int:
        """What was paid for the unit's share of the way there."""
        added_minor = 0 if self.shipping_tax_included else self.shipping_tax_minor
        return self.shipping_minor + added_minor

    @property
    def captured_minor(self) -> int:
        """The unit's share of everything that was paid; over an order it is what was captured."""
        return self.paid_minor + self.shipping_paid_minor + self.cover_minor


def spread_units(
    lines: Sequence[LineMoney],
    *,
    discount_minor: int = 0,
    shipping_minor: int = 0,
    shipping_tax_minor: int = 0,
    shipping_tax_included: bool | None = None,
    cover_minor: int = 0,
) -> list[UnitMoney]:
    """Split an order's money over its units, in the order of lines; every column sums exactly.

    The order's discount is spread over the lines by their value after line discounts, then over
    each line's units; a line's tax over its units by what they cost after every discount;
    shipping, its tax and the cover over all units by the same. No share is ever negative.
    Unless said, shipping's tax is included when every line's is.
    Raises ValueError for a negative amount, a quantity below one, or a discount above the value.
    """
    order_amounts = (discount_minor, shipping_minor, shipping_tax_minor, cover_minor)
    if min(order_amounts) < 0:
        raise ValueError("An amount of the order is negative. Order amounts are zero or more.")
    for number, line in enumerate(lines, start=1):
        _check(number, line)
    line_values = [line.quantity * line.unit_price_minor - line.discount_minor for line in lines]
    if discount_minor > sum(line_values):
        raise ValueError(
            f"The order's discount {discount_minor} is more than its lines' {sum(line_values)}. "
            "A discount is at most what it is taken from."
        )
    order_discounts = apportion(discount_minor, line_values)
    rows = [
        (i, line, *columns)
        for i, (line, order_discount) in enumerate(zip(lines, order_discounts, strict=True))
        for columns in _units_of(line, order_discount)
    ]
    values = [line.unit_price_minor - discount for _, line, discount, _ in rows]
    if shipping_tax_included is None:
        shipping_tax_included = all(line.tax_included for line in lines)
    ways = apportion(shipping_minor, values)
    taxes = apportion(shipping_tax_minor, values)
    covers = apportion(cover_minor, values)
    return [
        UnitMoney(
            *(i, line.unit_price_minor, discount, tax, line.tax_included),
            *(way, way_tax, shipping_tax_included, cover),
        )
        for (i, line, discount, tax), way, way_tax, cover in zip(
            rows, ways, taxes, covers, strict=True
        )
    ]


def _check(number: int, line: LineMoney) -> None:
    if line.quantity < 1:
        raise ValueError(
            f"Line {number} has quantity {line.quantity}. A line has one unit or more."
        )
    if min(line.unit_price_minor, line.discount_minor, line.tax_minor) < 0:
        raise ValueError(f"Line {number} has a negative amount. Amounts are zero or more.")
    value_minor = line.quantity * line.unit_price_minor
    if line.discount_minor > value_minor:
        raise ValueError(
            f"Line {number} has a discount of {line.discount_minor} on {value_minor}. "
            "A discount is at most what it is taken from."
        )


def _units_of(line: LineMoney, order_discount_minor: int) -> list[tuple[int, int]]:
    """(discount, tax) of each unit: the line's own discount evenly, the order's by what is left."""
    own = apportion(line.discount_minor, [1] * line.quantity)
    ordered = apportion(order_discount_minor, [line.unit_price_minor - part for part in own])
    discounts = [a + b for a, b in zip(own, ordered, strict=True)]
    taxes = apportion(line.tax_minor, [line.unit_price_minor - part for part in discounts])
    return list(zip(discounts, taxes, strict=True))


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one resolution pays, and why that much.

    total = items + tax (where it was added) + shipping - fee - label + bonus. Items are after
    every discount; tax is shown as it was paid, so inside the items where it is included. Fee and
    label are positive numbers that are taken off, each at most what there is to take it from.
    """

    items_minor: int = 0
    tax_minor: int = 0
    shipping_minor: int = 0
    fee_minor: int = 0
    label_minor: int = 0
    bonus_minor: int = 0
    total_minor: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        mine, theirs = asdict(self), asdict(other)
        return Amounts(**{name: mine[name] + theirs[name] for name in mine})

    def to_json(self) -> dict[str, int]:
        """The seven amounts by name."""
        return asdict(self)

    @property
    def own_minor(self) -> int:
        """The customer's own money in the total: all but the bonus."""
        return self.total_minor - self.bonus_minor


def amounts(
    units: Sequence[UnitMoney], resolution: str, effects: Effects, *, label_minor: int = 0
) -> Amounts:
    """What `resolution` pays for these units, with `label_minor` of the way back taken off.

    Fee and bonus are worked out a unit, rounded down, so that returning units together or one by
    one comes to the same. Never negative. The original shipping, where the rules pay it back, is
    each unit's own share: over all returns of an order it is paid at most once.
    """
    fee, bonus = effects.fees.get(resolution, NO_CHARGE), effects.bonuses.get(resolution, NO_CHARGE)
    flat = effects.flat_amounts
    goods_minor = sum(unit.paid_minor for unit in units)
    fee_minor = sum(min(unit.paid_minor, fee.of(unit.paid_minor, flat=flat)) for unit in units)
    bonus_minor = sum(bonus.of(unit.paid_minor, flat=flat) for unit in units if unit.paid_minor)
    ways = units if effects.refund_shipping and resolution != "exchange" else ()
    left_minor = goods_minor + sum(unit.shipping_paid_minor for unit in ways) - fee_minor
    label_minor = min(label_minor, left_minor)
    return Amounts(
        items_minor=sum(unit.value_minor for unit in units),
        tax_minor=sum(unit.tax_minor for unit in units)
        + sum(unit.shipping_tax_minor for unit in ways),
        shipping_minor=sum(unit.shipping_minor for unit in ways),
        fee_minor=fee_minor,
        label_minor=label_minor,
        bonus_minor=bonus_minor,
        total_minor=left_minor - label_minor + bonus_minor,
    )


def quote(
    parts: Sequence[tuple[Sequence[UnitMoney], Effects]],
    resolution: str,
    method: str | None = None,
) -> list[Amounts]:
    """What `resolution` pays for each part of one return; add them up for the whole.

    A part is an order line's units with what was decided about them. They travel in one parcel,
    so its label is taken off once, spread by value; where one part travels free, all do. Parts
    that the customer keeps do not travel.
    """
    cost = label_cost([(effects, method) for _, effects in parts])
    return pay([(units, effects, resolution) for units, effects in parts], cost)


def label_cost(parts: Sequence[tuple[Effects, str | None]]) -> int:
    """What the customer pays for the parcels of one return: one parcel for each way back.

    Where one part of a parcel travels free, all of it does.
    """
    costs: dict[str | None, list[int]] = {}
    for effects, method in parts:
        if not effects.keep:
            costs.setdefault(method, []).append(effects.label_minor(method))
    return sum(min(of_parcel) for of_parcel in costs.values())


def pay(
    parts: Sequence[tuple[Sequence[UnitMoney], Effects, str]], label_minor: int
) -> list[Amounts]:
    """What each part pays by its own resolution, with the label spread over those that travel."""
    weights = [
        0 if effects.keep else max(1, sum(unit.paid_minor for unit in units))
        for units, effects, _ in parts
    ]
    labels = apportion(label_minor, weights) if any(weights) else [0] * len(parts)
    return [
        amounts(units, resolution, effects, label_minor=label)
        for (units, effects, resolution), label in zip(parts, labels, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Cost:
    """What another article costs altogether, and the tax in that."""

    total_minor: int
    tax_minor: int


def exchange_price(
    price_minor: int, quantity: int, paid: Sequence[UnitMoney], *, tax_included: bool
) -> Cost:
    """What `quantity` of another article cost, taxed at the rate that was paid for what comes back.

    The tax is inside the price where it is included, on top of it where it is not; rounded half up.
    """
    goods = price_minor * quantity
    tax = sum(unit.tax_minor for unit in paid)
    net = sum(unit.paid_minor for unit in paid) - tax
    if net <= 0:
        return Cost(goods, 0)
    whole = net + tax if tax_included else net
    tax_minor = (2 * goods * tax + whole) // (2 * whole)
    return Cost(goods if tax_included else goods + tax_minor, tax_minor)


@dataclass(frozen=True, slots=True)
class Difference:
    """How an exchange is paid: own money first, bonus last; then what is due or left."""

    own_used_minor: int
    bonus_used_minor: int
    due_minor: int
    left_minor: int


def exchange_difference(given: Amounts, new_price_minor: int, finest: int = 1) -> Difference:
    """Pay for something that costs `new_price_minor` with what an exchange gives.

    What is left of the customer's own money goes back to them; what is left of the bonus lapses.
    What is due is rounded down to a multiple of `finest`, the least that can be asked for.
    Raises ValueError for a negative price.
    """
    if new_price_minor < 0:
        raise ValueError(f"A price of {new_price_minor} is negative. Give zero or more.")
    own_used = min(given.own_minor, new_price_minor)
    bonus_used = min(given.bonus_minor, new_price_minor - own_used)
    due = new_price_minor - own_used - bonus_used
    return Difference(
        own_used_minor=own_used,
        bonus_used_minor=bonus_used,
        due_minor=due - due % finest,
        left_minor=given.own_minor - own_used,
    )
