"""An order's money over its units: split once, stored, and always the sum of what was posted."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import clock
from portal.db import inside, session, writing
from portal.models import Order, Unit
from portal.models.change import Conflict
from portal.models.unit_claim import claim_units
from portal.sources.document import OrderDocument
from returns.money import exponent
from tests.conftest import shop_id

SUMS = ("discount_minor", "tax_minor", "shipping_minor", "shipping_tax_minor")


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to five lines, some of the same sku, with any discount that fits."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        quantity, price_minor = draw(st.integers(1, 12)), draw(st.integers(0, 100_000))
        found.append(
            {
                "sku": draw(st.sampled_from("ABC")),
                "quantity": quantity,
                "unit_price_minor": price_minor,
                "discount_minor": draw(st.integers(0, quantity * price_minor)),
                "tax_minor": draw(st.integers(0, 50_000)),
                "tax_included": draw(st.booleans()),
            }
        )
    return found


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Lines and the order's own amounts, in a currency of any number of decimals."""
    chosen = draw(lines())
    value = sum(e["quantity"] * e["unit_price_minor"] - e["discount_minor"] for e in chosen)
    return {
        "lines": chosen,
        "discount_minor": draw(st.integers(0, value)),
        "shipping_minor": draw(st.integers(0, 10_000)),
        "shipping_tax_minor": draw(st.integers(0, 2_000)),
    }


def post(**fields: Any) -> Order:
    """Store an order in fern, whose scope and transaction are open."""
    order, _ = Order.upsert(OrderDocument.model_validate(fields), clock.now())
    session.flush()
    session.expire_all()  # what follows reads what is stored
    return order


def sums_up(order: Order) -> None:
    """Every unit's shares come to what was posted, and none is below zero."""
    units = [unit for line in order.lines for unit in line.units]
    assert [len(line.units) for line in order.lines] == [line.quantity for line in order.lines]
    for line in order.lines:
        assert len({unit.n for unit in line.units}) == line.quantity
        assert all(unit.price_minor == line.unit_price_minor for unit in line.units)
        assert sum(unit.tax_minor for unit in line.units) == line.tax_minor
        assert sum(unit.discount_minor for unit in line.units) >= line.discount_minor
        assert all(0 <= unit.discount_minor <= unit.price_minor for unit in line.units)
    own = {"discount_minor": 0, "tax_minor": 0}
    for name in own:
        own[name] = sum(getattr(line, name) for line in order.lines)
    for name in SUMS:
        posted = own.get(name, 0) + getattr(order, name, 0)
        assert sum(getattr(unit, name) for unit in units) == posted, name
        assert all(getattr(unit, name) >= 0 for unit in units), name


@pytest.mark.parametrize(("currency", "decimals"), [("JPY", 0), ("EUR", 2), ("KWD", 3)])
def test_the_shares_come_to_the_whole_after_every_change(
    app: Flask, currency: str, decimals: int
) -> None:
    assert exponent(currency) == decimals

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(orders(), orders())
    def holds(first: dict[str, Any], second: dict[str, Any]) -> None:
        with inside(shop_id("fern")), writing():
            sums_up(post(number="1", currency=currency, **first))
            sums_up(post(number="1", currency=currency, **second))
            session.rollback()

    holds()


@pytest.mark.db
def test_the_shares_are_the_same_on_each_database(any_app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        order = post(
            number="1",
            currency="EUR",
            lines=[
                {"sku": "A", "quantity": 3, "unit_price_minor": 1000, "tax_minor": 400},
                {"sku": "B", "quantity": 1, "unit_price_minor": 999, "discount_minor": 1},
            ],
            discount_minor=100,
            shipping_minor=490,
        )
        sums_up(order)
        assert [unit.tax_minor for unit in order.lines[0].units] == [134, 133, 133]
        assert [unit.discount_minor for unit in order.lines[0].units] == [25, 25, 25]
        assert [unit.discount_minor for unit in order.lines[1].units] == [26]


# --- units that a return or a claim holds -------------------------------------------------------


def three_of(sku: str = "A", quantity: int = 3) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity, "unit_price_minor": 1000}]


def units() -> list[Unit]:
    return [unit for line in session.query(Order).one().lines for unit in line.units]


def hold(*places: int) -> set[int]:
    """Have a return hold the units in these places; gives their ids."""
    chosen = {units()[place].id for place in places}
    claim_units(chosen, "ret_1", clock.now())
    return chosen


@pytest.mark.db
def test_a_line_cannot_shrink_below_what_is_held(any_app: Flask) -> None:
    with inside(shop_id("fern")):
        with writing():
            post(number="1", currency="EUR", lines=three_of())
            hold(1, 2)
        for sent in (three_of(quantity=1), three_of("B"), []):
            with pytest.raises(Conflict, match="2 of A are in a return"), writing():
                post(number="1", lines=sent)
        assert len(units()) == 3


@pytest.mark.db
def test_the_units_that_go_are_never_those_that_are_held(any_app: Flask) -> None:
    with inside(shop_id("fern")):
        with writing():
            post(number="1", currency="EUR", lines=three_of())
            held = hold(1, 2)
        with writing():
            sums_up(post(number="1", lines=three_of(quantity=2)))
            assert {unit.id for unit in units()} == held
        with writing():
            sums_up(post(number="1", lines=three_of(quantity=4)))
            assert held < {unit.id for unit in units()}


@pytest.mark.db
def test_what_travels_in_a_parcel_is_not_held(any_app: Flask) -> None:
    parcel = {"tracking_number": "1Z", "lines": [{"sku": "A", "quantity": 3}]}
    with inside(shop_id("fern")), writing():
        post(number="1", currency="EUR", lines=three_of(), shipments=[parcel])
        sums_up(post(number="1", lines=three_of(quantity=1)))
        [sent] = session.query(Order).one().shipments
        assert [each.quantity for each in sent.lines] == [1]
