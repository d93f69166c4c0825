"""Money that sums: every split gives back exactly what was split."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.money import LineMoney, UnitMoney, apportion, exponent, spread_units

amounts = st.integers(0, 10**12)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)


@st.composite
def lines(draw: st.DrawFn) -> LineMoney:
    quantity = draw(st.integers(1, 5))
    price = draw(st.integers(0, 200_000))
    discount = draw(st.integers(0, quantity * price))
    return LineMoney(quantity, price, discount, draw(st.integers(0, 50_000)), draw(st.booleans()))


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[LineMoney], dict[str, int]]:
    order = draw(st.lists(lines(), min_size=1, max_size=5))
    value = sum(line.quantity * line.unit_price_minor - line.discount_minor for line in order)
    amount = st.integers(0, 20_000)
    return order, {
        "discount_minor": draw(st.integers(0, value)),
        "shipping_minor": draw(amount),
        "shipping_tax_minor": draw(amount),
        "cover_minor": draw(amount),
    }


def total(units: list[UnitMoney], column: str) -> int:
    return sum(getattr(unit, column) for unit in units)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("JPY", 0), ("ISK", 0), ("EUR", 2), ("HUF", 2), ("RSD", 2), ("KWD", 3), ("CLF", 4)],
)
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "ＥＵＲ"])
def test_what_is_no_currency_code_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="three-letter code"):
        exponent(currency)


@pytest.mark.parametrize(
    ("total_minor", "given_weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (2, [1, 1, 1], [1, 1, 0]),
        (10, [1, 2], [3, 7]),
        (5, [0, 0], [3, 2]),
        (5, [0, 7], [0, 5]),
        (0, [], []),
        (1, [10**30, 1], [1, 0]),
    ],
)
def test_apportion_by_hand(total_minor: int, given_weights: list[int], parts: list[int]) -> None:
    assert apportion(total_minor, given_weights) == parts


@given(amounts, weights)
def test_the_parts_sum_to_the_whole_and_none_is_a_unit_off(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(total * weight, whole) if whole else Fraction(total, len(weights))
        assert part >= 0
        assert abs(part - exact) < 1


@given(amounts, weights, st.randoms(use_true_random=False))
def test_order_decides_nothing_but_ties(total: int, weights: list[int], rng: Random) -> None:
    shuffled = list(range(len(weights)))
    rng.shuffle(shuffled)
    parts = apportion(total, weights)
    again = apportion(total, [weights[i] for i in shuffled])
    assert all(abs(again[k] - parts[i]) <= 1 for k, i in enumerate(shuffled))
    remainders = [total * weight % (sum(weights) or 1) for weight in weights]
    if len(set(remainders)) == len(remainders):
        assert again == [parts[i] for i in shuffled]


@given(amounts, weights)
def test_a_greater_weight_never_gets_less(total: int, weights: list[int]) -> None:
    pairs = sorted(zip(weights, apportion(total, weights), strict=True))
    for (lighter, less), (heavier, more) in pairwise(pairs):
        assert lighter == heavier or less <= more


@pytest.mark.parametrize(("total_minor", "given_weights"), [(-1, [1]), (1, []), (1, [2, -1])])
def test_what_cannot_be_split_is_refused(total_minor: int, given_weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"split|weight"):
        apportion(total_minor, given_weights)


@given(orders())
def test_every_column_of_the_units_sums_to_the_order(
    order: tuple[list[LineMoney], dict[str, int]],
) -> None:
    order_lines, order_amounts = order
    units = spread_units(order_lines, **order_amounts)
    assert len(units) == sum(line.quantity for line in order_lines)
    for i, line in enumerate(order_lines):
        mine = [unit for unit in units if unit.line == i]
        assert total(mine, "price_minor") == line.quantity * line.unit_price_minor
        assert total(mine, "tax_minor") == line.tax_minor
        assert total(mine, "discount_minor") >= line.discount_minor
    line_discounts = sum(line.discount_minor for line in order_lines)
    assert total(units, "discount_minor") == line_discounts + order_amounts["discount_minor"]
    for column in ("shipping_minor", "shipping_tax_minor", "cover_minor"):
        assert total(units, column) == order_amounts[column]


@given(orders())
def test_no_share_is_negative(order: tuple[list[LineMoney], dict[str, int]]) -> None:
    for unit in spread_units(order[0], **order[1]):
        assert unit.value_minor >= 0
        assert min(unit.tax_minor, unit.shipping_minor, unit.shipping_tax_minor) >= 0
        assert unit.cover_minor >= 0
        assert unit.paid_minor == unit.value_minor + (0 if unit.tax_included else unit.tax_minor)


@given(orders())
def test_units_of_one_line_differ_by_rounding_alone(
    order: tuple[list[LineMoney], dict[str, int]],
) -> None:
    for i in range(len(order[0])):
        values = [u.value_minor for u in spread_units(order[0], **order[1]) if u.line == i]
        assert max(values) - min(values) <= 2  # one minor unit for each of the two discounts


def test_an_order_discount_follows_the_lines_value_after_their_own() -> None:
    order_lines = [LineMoney(2, 3000, discount_minor=1000), LineMoney(1, 5000)]
    units = spread_units(order_lines, discount_minor=1000, shipping_minor=599)
    assert [unit.discount_minor for unit in units] == [750, 750, 500]
    assert [unit.shipping_minor for unit in units] == [150, 150, 299]


def test_free_units_share_shipping_evenly() -> None:
    units = spread_units([LineMoney(3, 0)], shipping_minor=500)
    assert [unit.shipping_minor for unit in units] == [167, 167, 166]


@pytest.mark.parametrize(
    ("order_lines", "order_amounts", "words"),
    [
        ([LineMoney(0, 100)], {}, "quantity"),
        ([LineMoney(1, -1)], {}, "negative"),
        ([LineMoney(1, 100, discount_minor=101)], {}, "discount of 101 on 100"),
        ([LineMoney(1, 100)], {"discount_minor": 101}, "order's discount 101"),
        ([LineMoney(1, 100)], {"shipping_minor": -1}, "negative"),
        ([], {"shipping_minor": 1}, "over nothing"),
    ],
)
def test_amounts_that_make_no_sense_are_refused_with_a_sentence(
    order_lines: list[LineMoney], order_amounts: dict[str, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        spread_units(order_lines, **order_amounts)
