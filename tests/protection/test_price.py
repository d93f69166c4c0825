"""What cover costs: whole minor units, never above the cap, the same for the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from portal.protection.fair_words import unfair
from portal.protection.plan import Plan
from portal.protection.price import Priced, price
from portal.protection.suggest import Losses, suggest


@dataclass(frozen=True)
class Line:
    sku: str = "MUG"
    quantity: int = 1
    unit_price_minor: int = 10_000
    discount_minor: int = 0
    category: str = "Kitchen"


def plan(**more: Any) -> Plan:
    given = {
        "currency": "EUR",
        "price": {"kind": "share", "basis_points": 150},
        "provider": {"name": "Fern"},
    }
    return Plan.model_validate({**given, **more})


def asked(*lines: Line, country: str = "DE", discount: int = 0, **more: Any) -> Priced:
    return price(plan(**more), lines or (Line(),), "EUR", country, discount)


TIERS = {
    "kind": "tiers",
    "tiers": [
        {"up_to_minor": 5_000, "amount_minor": 99},
        {"up_to_minor": 10_000, "amount_minor": 150},
        {"amount_minor": 200},
    ],
}


@pytest.mark.parametrize(
    ("value", "more", "premium"),
    [
        (10_000, {}, 150),
        (10_001, {}, 151),  # a share is rounded up, once
        (10_000, {"price": {"kind": "flat", "amount_minor": 298}}, 298),
        (5_000, {"price": TIERS}, 99),
        (5_001, {"price": TIERS}, 150),
        (10_001, {"price": TIERS}, 200),
        (1_000, {"floor_minor": 98}, 98),
        (1_000_000, {"cap_minor": 2_500}, 2_500),
        (10_001, {"round_to_minor": 5}, 155),
        (10_000, {"covers_return": True, "return_minor": 199}, 349),
        (10_000, {"climate_points": 1_000, "climate_for": "trees"}, 165),
        (100_000, {"order_limit_minor": 50_000}, 750),
    ],
)
def test_each_way_of_pricing(value: int, more: dict[str, Any], premium: int) -> None:
    assert asked(Line(unit_price_minor=value), **more).premium_minor == premium


def test_destinations_and_categories_have_prices_of_their_own() -> None:
    rates = [
        {"countries": ["CH"], "price": {"kind": "share", "basis_points": 300}},
        {"categories": ["Glass"], "price": {"kind": "share", "basis_points": 500}},
    ]
    lines = (Line(), Line(sku="VASE", category="glass"))
    assert asked(*lines, rates=rates).premium_minor == 150 + 500
    assert asked(*lines, rates=rates, country="CH").premium_minor == 600


def test_what_is_left_out_is_neither_covered_nor_charged_for() -> None:
    found = asked(Line(), Line(sku="CARD"), excluded_skus=["CARD"])
    assert (found.premium_minor, found.cover_minor, found.value_minor) == (150, 10_000, 20_000)
    assert asked(excluded_countries=["DE"]).why_not == "country"
    assert asked(only_countries=["FR"]).why_not == "country"
    assert asked(Line(unit_price_minor=0)).why_not == "nothing"


def test_a_discount_on_the_whole_lowers_what_is_covered() -> None:
    found = asked(Line(), Line(sku="CARD"), discount=5_000, excluded_skus=["CARD"])
    assert found.cover_minor == 7_500


@given(
    values=st.lists(st.integers(0, 10**6), min_size=1, max_size=8),
    points=st.integers(0, 1_000),
    floor=st.integers(0, 500),
    limit=st.none() | st.integers(1, 10**6),
)
def test_whatever_is_asked_the_parts_sum_and_more_value_never_costs_less(
    values: list[int], points: int, floor: int, limit: int | None
) -> None:
    more: dict[str, Any] = {
        "price": {"kind": "share", "basis_points": points},
        "floor_minor": floor,
        "order_limit_minor": limit,
    }
    lines = [Line(sku=str(n), unit_price_minor=value) for n, value in enumerate(values)]
    found, dearer = asked(*lines, **more), asked(*lines, Line(sku="more"), **more)
    parts = found.price_minor + found.return_minor + found.climate_minor
    assert found.premium_minor == parts
    assert found.cover_minor <= found.value_minor
    assert found.cover_minor <= (limit or found.value_minor)
    assert dearer.premium_minor >= found.premium_minor


@pytest.mark.parametrize(
    "more",
    [
        {"floor_minor": 10, "cap_minor": 5},
        {"return_minor": 5},
        {"climate_points": 5},
        {"price": {"kind": "tiers", "tiers": [{"up_to_minor": 5, "amount_minor": 1}]}},
        {"provider": {"name": "Fern", "basis": "licensed_insurer"}},
        {"preselected": True},
        {"currency": "EURO"},
    ],
)
def test_a_plan_that_does_not_hold_together_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plan(**more)


@pytest.mark.parametrize(
    "text",
    [
        "Covers loss, theft after delivery and damage up to $500.",
        "You keep your normal rights without it.",
        "Replaced or refunded, usually within two working days.",
        "Deckt Verlust, Diebstahl und Schäden auf dem Weg.",
    ],
)
def test_fair_words_are_taken(text: str) -> None:
    assert unfair(text, is_own_service=True) == ""


def test_a_licensed_insurer_may_name_its_trade() -> None:
    assert unfair("Parcel insurance", is_own_service=False) == ""
    assert unfair("We are not liable without it.", is_own_service=False)


def test_a_price_is_suggested_from_losses_with_its_arithmetic() -> None:
    losses = Losses(
        "UPS to US",
        1_000,
        5_000_000,
        {"lost": 5, "damaged": 3},
        {"lost": 25_000, "damaged": 14_000},
    )
    found = suggest(losses, 6_500)
    assert (found.lost_minor, found.loss_points, found.basis_points) == (39_000, 78, 120)
    assert not found.is_thin
    assert "39000 / 5000000 / 65.00 % = 1.20 %" in found.arithmetic
    heavy = suggest(Losses("sea", 10, 1_000, {"lost": 1}, {"lost": 900}))
    assert (heavy.basis_points, heavy.is_capped, heavy.is_thin) == (300, True, True)
