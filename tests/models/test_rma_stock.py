"""What other returns software got wrong with stock, units and shares: here it must not happen."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal.db import inside, session, writing
from portal.models import Variant, payout
from portal.models.change import Conflict
from portal.models.rma_facts import Asked
from portal.models.rma_receipt import Count, receive
from portal.sources.sentences import Invalid
from tests.conftest import shop_id
from tests.models.bought import NOW, SHIRT, ask, bought, rma, shirts, sold
from tests.models.test_rma import on, policy
from tests.models.test_rma_peers import received, settled, sums
from tests.pages.browser import Browser
from tests.pages.test_wizard import own_link


def stock() -> dict[str, int | None]:
    with inside(shop_id("fern")):
        return {each.sku: each.available for each in session.query(Variant)}


def test_an_exchange_takes_the_new_piece_and_the_old_one_comes_back_once(any_app: Flask) -> None:
    policy()
    sold(sku="TEE-M", available=5)
    sold(sku="TEE-L", available=2)
    id = ask(bought(), shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    assert stock() == {"TEE-M": 5, "TEE-L": 1}
    count = Count("TEE-M", 1, "A", "restock", True)
    for _ in range(2):
        on(id, lambda rma: receive(rma, [count], "staff", NOW))
    settled(id)
    assert stock() == {"TEE-M": 6, "TEE-L": 1}


def test_what_is_damaged_or_kept_for_a_look_is_not_put_back_on_the_shelf(app: Flask) -> None:
    policy()
    sold(sku="TEE-M", available=5)
    id = ask(bought(), shirts(3))
    counts = [
        Count("TEE-M", 1, "D", "recycle", True),
        Count("TEE-M", 1, "B", "resale_hold", True),
        Count("TEE-M", 1, "D", "restock", False, "Worn."),
    ]
    on(id, lambda rma: receive(rma, counts, "staff", NOW))
    assert stock() == {"TEE-M": 5}


def test_an_article_named_twice_takes_units_of_its_own_each_time(app: Flask) -> None:
    policy()
    order_id = bought()
    with pytest.raises((Conflict, Invalid)):
        ask(order_id, shirts(2), shirts(2, "faulty"))
    id = ask(order_id, shirts(1), shirts(2, "faulty"))
    with inside(shop_id("fern")):
        units = [unit.unit_id for line in rma(id).lines for unit in line.units]
    assert len(units) == len(set(units)) == 3


def test_a_discount_of_the_order_stays_with_the_line_that_is_kept(app: Flask) -> None:
    """50 and 10 less 10: the small one was paid with 8.33, whatever becomes of the other."""
    policy()
    line = SHIRT | {"quantity": 1, "discount_minor": 0, "tax_minor": 0}
    lines = [
        line | {"sku": "BIG", "unit_price_minor": 5_000},
        line | {"sku": "SMALL", "unit_price_minor": 1_000},
    ]
    paid = {"provider": "stripe", "reference": "pi_1", "captured_minor": 5_000}
    order_id = bought(lines=lines, discount_minor=1_000, shipping_minor=0, payment=paid)
    found = {}
    for sku in ("BIG", "SMALL"):
        id = ask(order_id, Asked.of(sku, 1, "too_small"))
        received(id, sku=sku)
        [row] = settled(id)
        found[sku] = row["amount_minor"]
    assert found == {"BIG": 4_167, "SMALL": 833}


def test_two_refunds_of_one_amount_are_two(app: Flask) -> None:
    """Each has its own key, so that neither stands for both."""
    policy()
    order_id = bought()
    keys = []
    for _ in range(2):
        id = ask(order_id, shirts(1))
        received(id)
        [row] = settled(id)
        with inside(shop_id("fern")), writing():
            begun = payout.begin(row["id"], NOW)
            assert begun is not None
            keys.append((begun.key, begun.amount_minor))
            payout.succeeded(row["id"], f"re_{begun.key}", NOW)
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] == keys[1][1] == 1_900
    assert sums(order_id).refunded_minor == 2 * 1_900


def test_only_what_is_left_can_be_chosen(app: Flask) -> None:
    order_id = bought()
    path = f"{own_link(order_id)}/return"
    counts = re.compile(r'<select id="quantity-0".*?</select>', re.DOTALL)
    for taken, left in ((0, 3), (1, 2)):
        if taken:
            ask(order_id, shirts(taken))
        found = counts.search(Browser(app).get(path).text)
        assert found
        assert found[0].count("<option") == left
