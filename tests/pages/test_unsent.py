"""What of an order still waits at the shop is on its page, and only where that is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.pages.facts import OrderFacts
from portal.pages.present import present
from portal.pages.unsent import unsent
from tests.api.client import Api, line
from tests.pages.browser import Browser
from tests.pages.samples import (
    CANDLE,
    FERN,
    FERN_ORDER,
    MOVING,
    NOW,
    OLIVE,
    STATES,
    TEAPOT,
    fern,
    sample,
)

BOUGHT = [line("A", title="Olive tree", quantity=2), line("B", title="Teapot")]


def page_of(app: Flask, *parcels: dict[str, object]) -> str:
    """The page of an order with these parcels."""
    shipments = [
        {"carrier": "UPS", "tracking_number": f"1Z5R89W3031005884{n}"} | parcel
        for n, parcel in enumerate(parcels)
    ]
    order = Api(app).order(currency="EUR", lines=BOUGHT, shipments=shipments)
    return Browser(app).get("/t/" + order["tracking_url"].rsplit("/", 1)[1]).text


@pytest.mark.parametrize("count", [1, 2])
def test_a_partly_sent_order_shows_what_follows(app: Flask, count: int) -> None:
    held = [{"lines": [{"sku": sku, "quantity": 1}]} for sku in ("A", "B")[:count]]
    page = page_of(app, *held)
    _, _, rest = page.partition("Not sent yet")
    rest = rest.partition("</section>")[0]
    assert ">Olive tree<" in rest
    assert "<small>×1</small>" in rest
    assert (">Teapot<" in rest) == (count == 1)


@pytest.mark.parametrize("second", [{}, {"lines": [{"sku": "A", "quantity": 1}]}])
def test_nothing_is_said_where_a_parcel_may_hold_the_rest(app: Flask, second: dict) -> None:
    first = {"lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}]}
    assert "Not sent yet" not in page_of(app, first, second)


def test_a_page_with_more_to_come_is_not_over_when_its_parcel_is() -> None:
    whole, _ = sample("fern", "delivered")
    partly = replace(whole, parcels=(replace(whole.parcels[0], items=(TEAPOT,)),))
    shown = present(partly, FERN, NOW, "en")
    assert [item.title for item in shown.unsent] == [OLIVE.title]
    assert not shown.is_final
    assert "updates" in [action.code for action in shown.actions]
    assert present(whole, FERN, NOW, "en").is_final


def test_a_cancelled_parcel_holds_nothing_and_a_cancelled_order_waits_for_nothing() -> None:
    gone = replace(MOVING, status="cancelled", items=(OLIVE,))
    there = replace(MOVING, items=(TEAPOT,))
    order = replace(FERN_ORDER, parcels=(gone, there))
    assert unsent(order) == (OLIVE,)
    assert unsent(replace(order, status="cancelled")) == ()
    assert unsent(replace(order, parcels=(gone,))) == ()


def test_only_the_samples_that_mean_it_have_something_unsent() -> None:
    for brand in ("fern", "volta"):
        waiting = {state for state in STATES if unsent(sample(brand, state)[0])}
        assert waiting == {"partly_sent"}


PIECES = st.lists(st.sampled_from([OLIVE, TEAPOT, CANDLE, OLIVE]), max_size=6)


@given(bought=PIECES, cuts=st.lists(st.integers(0, 3), max_size=6))
def test_what_is_sent_and_what_is_not_are_together_what_was_bought(
    bought: list, cuts: list[int]
) -> None:
    """Also where the same article stands in two lines of the order."""
    sent = [
        replace(item, quantity=min(cut, item.quantity))
        for item, cut in zip(bought, cuts, strict=False)
    ]
    held = tuple(item for item in sent if item.quantity)
    order: OrderFacts = replace(fern(items=held), items=tuple(bought))
    rest = unsent(order)
    if held:
        pieces = sum(item.quantity for item in bought)
        assert sum(item.quantity for item in rest) + sum(i.quantity for i in held) == pieces
        assert all(item.quantity > 0 for item in rest)
    else:
        assert rest == ()
