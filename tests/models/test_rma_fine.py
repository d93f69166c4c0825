"""Currencies whose provider counts in coins of ten: what is too fine now is paid with the next."""

from __future__ import annotations

from itertools import count, permutations
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.db import inside, writing
from portal.models import payout
from portal.models.rma_choice import Choice
from portal.models.rma_facts import Asked
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought
from tests.models.test_rma import policy
from tests.models.test_rma_peers import received, settled, sums

NUMBERS = count(1)


@pytest.fixture(autouse=True)
def shipping_goes_back(app: Flask) -> None:
    policy({"id": "ways", "kind": "original_shipping", "refund": "always"})


def dinars(prices: list[int], captured: int, number: str = "1001", **more: Any) -> str:
    """An order of one article for each price, paid in dinars."""
    lines = [
        {"sku": f"S{n}", "title": f"Thing {n}", "quantity": 1, "unit_price_minor": price}
        for n, price in enumerate(prices)
    ]
    paid = {"provider": "stripe", "reference": f"pi_{number}", "captured_minor": captured}
    more = {"currency": "KWD", "lines": lines, "shipping_minor": 0, "payment": paid} | more
    return bought(number=number, **more)


def sent_back(order_id: str, sku: str) -> list[int]:
    """Return one article and pay for it; gives what moved."""
    id = ask(order_id, Asked.of(sku, 1, "too_small"))
    received(id, 1, sku)
    rows = settled(id)
    for row in (each for each in rows if each["status"] == "wanted"):
        with inside(shop_id("fern")), writing():
            payout.begin(row["id"], NOW)
        with inside(shop_id("fern")), writing():
            payout.succeeded(row["id"], f"re_{row['id']}", NOW)
    return [row["amount_minor"] for row in rows]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_they_add_up_and_none_is_ahead(app: Flask, order: tuple[int, ...]) -> None:
    prices = [3_333, 3_333, 3_334]
    order_id = dinars(prices, 10_000)
    owed = moved = 0
    for n in order:
        parts = sent_back(order_id, f"S{n}")
        owed, moved = owed + prices[n], moved + sum(parts)
        assert all(part % 10 == 0 for part in parts)
        assert 0 <= owed - moved < 10
    assert moved == 10_000
    assert (sums(order_id).refunded_minor, sums(order_id).refundable_minor) == (10_000, 0)


def test_what_is_less_than_a_coin_moves_nothing_and_is_paid_with_the_next(app: Flask) -> None:
    order_id = dinars([7, 9_993], 10_000)
    assert sent_back(order_id, "S0") == [0]
    assert sent_back(order_id, "S1") == [10_000]


def test_what_did_not_go_out_is_not_owed_twice(app: Flask) -> None:
    order_id = dinars([3_333, 6_667], 10_000)
    id = ask(order_id, Asked.of("S0", 1, "too_small"))
    received(id, 1, "S0")
    [row] = settled(id)
    for step in (payout.begin, lambda id, now: payout.failed(id, "No.", now)):
        with inside(shop_id("fern")), writing():
            step(row["id"], NOW)
    [credit] = settled(id, Choice("S0", resolution="store_credit"))
    assert (credit["kind"], credit["amount_minor"]) == ("store_credit", 3_333)
    assert sent_back(order_id, "S1") == [6_660]


def test_a_payment_that_holds_a_finer_part_is_given_back_as_it_came(app: Flask) -> None:
    order_id = dinars([3_333, 3_334], 6_667)
    assert sent_back(order_id, "S0") + sent_back(order_id, "S1") == [3_333, 3_334]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), prices=st.lists(st.integers(1, 20_000), min_size=1, max_size=4))
def test_whatever_the_prices_all_of_it_goes_back(app: Flask, data: Any, prices: list[int]) -> None:
    prices.append(-sum(prices) % 10 + 10)
    order_id = dinars(prices, sum(prices), f"K{next(NUMBERS)}")
    turn = data.draw(st.permutations(range(len(prices))))
    moved = [part for n in turn for part in sent_back(order_id, f"S{n}")]
    assert sum(moved) == sum(prices)
    assert all(part % 10 == 0 for part in moved)
