"""What resolutions pay: always sums, never negative, never more than was paid."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.money import (
    Amounts,
    Difference,
    LineMoney,
    UnitMoney,
    amounts,
    exchange_difference,
    quote,
    spread_units,
)
from returns.verdict import RESOLUTIONS, Charge, Effects
from tests.returns.samples import order_lines

charges = st.builds(Charge, st.integers(0, 9_000), st.integers(0, 10_000))
any_effects = st.builds(
    Effects,
    label_paid_by=st.sampled_from(["shop", "customer"]),
    method_costs=st.dictionaries(st.just("label"), st.integers(0, 9_000)),
    fees=st.dictionaries(st.sampled_from(RESOLUTIONS), charges),
    bonuses=st.dictionaries(st.sampled_from(["store_credit", "exchange"]), charges),
    keep=st.booleans(),
    refund_shipping=st.booleans(),
    flat_amounts=st.booleans(),
)
resolutions = st.sampled_from(RESOLUTIONS)
PLAIN = Effects()


@st.composite
def bought(draw: st.DrawFn) -> list[UnitMoney]:
    """The units of an order with every kind of amount."""
    lines = draw(st.lists(order_lines(), min_size=1, max_size=4))
    value = sum(line.quantity * line.unit_price_minor - line.discount_minor for line in lines)
    some = st.integers(0, 3_000)
    return spread_units(
        lines,
        discount_minor=draw(st.integers(0, value)),
        shipping_minor=draw(some),
        shipping_tax_minor=draw(some),
        shipping_tax_included=draw(st.sampled_from([None, True, False])),
        cover_minor=draw(some),
    )


def one(price: int, **rest: Any) -> list[UnitMoney]:
    shipping = {name: rest.pop(name) for name in tuple(rest) if name.startswith("shipping")}
    return spread_units([LineMoney(1, price, **rest)], **shipping)


def in_parts(units: Sequence[UnitMoney], cuts: Sequence[int]) -> list[Sequence[UnitMoney]]:
    """The units as several returns, one after another."""
    edges = sorted({0, len(units), *(cut % (len(units) + 1) for cut in cuts)})
    return [units[a:b] for a, b in pairwise(edges)]


@given(bought(), any_effects, st.lists(st.integers(0, 20), max_size=5), resolutions)
def test_in_however_many_returns_an_order_pays_the_same(
    units: list[UnitMoney], effects: Effects, cuts: list[int], resolution: str
) -> None:
    parts = [amounts(part, resolution, effects) for part in in_parts(units, cuts)]
    assert sum(parts, Amounts()) == amounts(units, resolution, effects)


@given(bought(), any_effects, st.lists(st.integers(0, 20), max_size=5))
def test_a_whole_order_refunds_what_was_captured_less_what_is_named(
    units: list[UnitMoney], effects: Effects, cuts: list[int]
) -> None:
    whole = sum((amounts(p, "refund", effects) for p in in_parts(units, cuts)), Amounts())
    captured = sum(unit.captured_minor for unit in units)
    cover = sum(unit.cover_minor for unit in units)
    shipping = sum(unit.shipping_paid_minor for unit in units)
    kept = cover + (0 if effects.refund_shipping else shipping)
    assert whole.total_minor == captured - kept - whole.fee_minor


@given(bought(), any_effects, st.integers(0, 20_000), resolutions)
def test_nothing_is_negative_and_own_money_is_at_most_what_was_paid(
    units: list[UnitMoney], effects: Effects, label_minor: int, resolution: str
) -> None:
    paid = amounts(units, resolution, effects, label_minor=label_minor)
    assert min(paid.to_json().values()) >= 0
    assert 0 <= paid.own_minor <= sum(unit.captured_minor for unit in units)
    assert paid.label_minor <= label_minor
    if resolution == "refund":
        assert paid.bonus_minor == 0


@given(bought(), any_effects, resolutions)
def test_the_total_is_the_sum_of_the_lines_it_shows(
    units: list[UnitMoney], effects: Effects, resolution: str
) -> None:
    paid = amounts(units, resolution, effects, label_minor=300)
    ways = units if effects.refund_shipping and resolution != "exchange" else []
    inside = sum(unit.tax_minor for unit in units if unit.tax_included)
    inside += sum(unit.shipping_tax_minor for unit in ways if unit.shipping_tax_included)
    added = paid.items_minor + paid.tax_minor - inside + paid.shipping_minor
    taken = paid.fee_minor + paid.label_minor
    assert paid.total_minor == added - taken + paid.bonus_minor


@given(st.lists(st.tuples(bought(), any_effects), min_size=1, max_size=4), resolutions)
def test_a_returns_label_is_taken_off_once_over_its_parts(
    parts: list[tuple[list[UnitMoney], Effects]], resolution: str
) -> None:
    costs = [effects.label_minor("label") for _, effects in parts if not effects.keep]
    paid = quote(parts, resolution, "label")
    assert sum(part.label_minor for part in paid) <= (min(costs) if costs else 0)
    for part, (_, effects) in zip(paid, parts, strict=True):
        assert not (effects.keep and part.label_minor)


@pytest.mark.parametrize(
    ("units", "effects", "resolution", "label_minor", "expected"),
    [
        # 50.00 with 9.50 tax on top.
        (one(5_000, tax_minor=950), PLAIN, "refund", 0, Amounts(5_000, 950, 0, 0, 0, 0, 5_950)),
        # 59.50 with the tax inside: shown, not added.
        (
            one(5_950, tax_minor=950, tax_included=True),
            PLAIN,
            "refund",
            0,
            Amounts(5_950, 950, 0, 0, 0, 0, 5_950),
        ),
        # Ten percent fee on what was paid, 4.99 for the label.
        (
            one(4_200, discount_minor=200),
            Effects(fees={"refund": Charge(0, 1_000)}),
            "refund",
            499,
            Amounts(4_000, 0, 0, 400, 499, 0, 3_101),
        ),
        # The fee is of the refund; credit has a bonus of five percent instead.
        (
            one(4_200),
            Effects(
                fees={"refund": Charge(0, 1_000)},
                bonuses={"store_credit": Charge(0, 500)},
            ),
            "store_credit",
            0,
            Amounts(4_200, 0, 0, 0, 0, 210, 4_410),
        ),
        # Shipping comes back where the rules say so, with the tax on it.
        (
            one(1_000, shipping_minor=500, shipping_tax_minor=95),
            Effects(refund_shipping=True),
            "refund",
            0,
            Amounts(1_000, 95, 500, 0, 0, 0, 1_595),
        ),
        # In an exchange the goods stay bought, and so does their way.
        (
            one(1_000, shipping_minor=500),
            Effects(refund_shipping=True),
            "exchange",
            0,
            Amounts(1_000, 0, 0, 0, 0, 0, 1_000),
        ),
        # Fee and label stop at nothing left.
        (
            one(300),
            Effects(fees={"refund": Charge(200)}),
            "refund",
            499,
            Amounts(300, 0, 0, 200, 100, 0, 0),
        ),
        # Nothing paid, nothing added.
        (
            one(0),
            Effects(bonuses={"store_credit": Charge(500)}),
            "store_credit",
            0,
            Amounts(),
        ),
    ],
)
def test_amounts_by_hand(
    units: list[UnitMoney],
    effects: Effects,
    resolution: str,
    label_minor: int,
    expected: Amounts,
) -> None:
    assert amounts(units, resolution, effects, label_minor=label_minor) == expected


def test_the_second_of_three_equal_units_pays_its_own_share() -> None:
    """A hundred for three less ten: 30.00 apiece, and the last cent is not lost."""
    units = spread_units([LineMoney(3, 10_000)], discount_minor=1_000)
    paid = [amounts([unit], "refund", PLAIN).total_minor for unit in units]
    assert paid == [9_666, 9_667, 9_667]
    assert sum(paid) == 29_000


def test_a_faulty_line_lets_its_parcel_travel_free() -> None:
    charged = Effects(label_paid_by="customer", method_costs={"label": 499})
    alone = quote([(one(1_000), charged)], "refund")
    together = quote([(one(1_000), charged), (one(1_000), PLAIN)], "refund")
    assert [paid.label_minor for paid in alone] == [499]
    assert [paid.label_minor for paid in together] == [0, 0]


def test_a_label_over_two_lines_follows_their_value() -> None:
    charged = Effects(label_paid_by="customer", method_costs={"label": 400})
    paid = quote([(one(3_000), charged), (one(1_000), charged)], "refund")
    assert [part.label_minor for part in paid] == [300, 100]


@pytest.mark.parametrize(
    ("own", "bonus", "price", "expected"),
    [
        # Own money first: paid 90, took something for 60, 30 goes back.
        (9_000, 0, 6_000, Difference(6_000, 0, 0, 3_000)),
        (9_000, 1_000, 10_000, Difference(9_000, 1_000, 0, 0)),
        (9_000, 1_000, 9_500, Difference(9_000, 500, 0, 0)),
        (9_000, 1_000, 12_000, Difference(9_000, 1_000, 2_000, 0)),
        (9_000, 1_000, 8_000, Difference(8_000, 0, 0, 1_000)),
        (0, 0, 0, Difference(0, 0, 0, 0)),
    ],
)
def test_an_exchange_spends_own_money_first_and_bonus_last(
    own: int, bonus: int, price: int, expected: Difference
) -> None:
    given_back = Amounts(items_minor=own, bonus_minor=bonus, total_minor=own + bonus)
    assert exchange_difference(given_back, price) == expected


def test_what_is_due_is_an_amount_that_can_be_asked_for() -> None:
    assert exchange_difference(Amounts(total_minor=1_000), 2_239, 10).due_minor == 1_230


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_every_cent_of_an_exchange_is_accounted_for(own: int, bonus: int, price: int) -> None:
    paid = exchange_difference(Amounts(bonus_minor=bonus, total_minor=own + bonus), price)
    assert paid.own_used_minor + paid.bonus_used_minor + paid.due_minor == price
    assert paid.own_used_minor + paid.left_minor == own
    assert paid.bonus_used_minor <= bonus
    assert min(paid.due_minor, paid.left_minor) == 0


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        exchange_difference(Amounts(), -1)
