"""What other returns software got wrong with money: here it must not happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.db import inside, session, writing
from portal.models import (
    CreditEntry,
    Exchange,
    Order,
    Return,
    Settlement,
    Shipment,
    Variant,
    payout,
)
from portal.models.change import Conflict
from portal.models.credit import balances
from portal.models.ledger import sums_of
from portal.models.rma_acts import approve, cancel, expire
from portal.models.rma_choice import Choice
from portal.models.rma_facts import Asked
from portal.models.rma_receipt import Count, receive
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.sources.document import OrderDocument
from portal.sources.sentences import Invalid
from returns.money import UnitMoney, exchange_price
from tests.conftest import shop_id
from tests.models.bought import MUG, NOW, PAID_MINOR, SHIRT, ask, bought, rma, shirts, sold
from tests.models.test_rma import ACT, on, policy, state

MONTH = timedelta(days=30)
BONUS = {"id": "bonus", "kind": "bonus", "share_bps": 1_000, "resolutions": ["store_credit"]}


def received(id: str, quantity: int = 1, sku: str = "TEE-M") -> None:
    on(id, lambda rma: receive(rma, [Count(sku, quantity)], "staff", NOW))


def settled(id: str, *choices: Choice) -> list[dict[str, Any]]:
    """Settle a return; gives what the new rows say."""

    def told(rma: Any) -> list[dict[str, Any]]:
        rows = resolve(rma, choices or None, ACT)
        names = ("id", "kind", "amount_minor", "status", "payment", "problem")
        return [{name: getattr(row, name) for name in names} | row.amounts for row in rows]

    found: list[dict[str, Any]] = on(id, told)
    return found


def delivered(number: str) -> str:
    """Have an order sent and delivered; gives its id."""
    with inside(shop_id("fern")), writing():
        parcel = {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
        posted = {"number": number, "shipments": [parcel]}
        order, _ = Order.upsert(OrderDocument.model_validate(posted), NOW)
        session.flush()
        for row in session.query(Shipment).filter_by(order_id=order.id):
            row.status, row.delivered_at, row.shipped_at = "delivered", NOW, NOW
        order.settle_status(NOW)
        return order.id


def sums(order_id: str) -> Any:
    with inside(shop_id("fern")):
        return sums_of([order_id])[order_id]


@pytest.mark.parametrize(("chosen", "own", "bonus"), [(50, 50, 0), (1_950, 1_900, 50), (0, 0, 0)])
def test_less_credit_than_the_bonus_is_never_negative_money(
    app: Flask, chosen: int, own: int, bonus: int
) -> None:
    policy(BONUS)
    order_id = bought()
    id = ask(order_id, shirts(1, resolution="store_credit"))
    received(id)
    [row] = settled(id, Choice("TEE-M", amount_minor=chosen))
    assert (row["amount_minor"], row["bonus_minor"], row["total_minor"]) == (own, bonus, chosen)
    found = sums(order_id)
    assert (found.credited_minor, found.bonus_minor) == (own, bonus)
    assert found.refundable_minor == PAID_MINOR - own
    with inside(shop_id("fern")):
        order = session.get_one(Order, order_id)
        assert sum(balances(order.customer_id or "", NOW).values()) == chosen
        assert all(entry.amount_minor > 0 for entry in session.query(CreditEntry))


def test_what_is_left_of_a_payment_is_shown_without_negative_parts(app: Flask) -> None:
    policy({"id": "ways", "kind": "original_shipping", "refund": "always"})
    line = SHIRT | {"quantity": 1, "discount_minor": 0, "tax_minor": 165, "tax_included": False}
    paid = {"provider": "stripe", "reference": "pi_1", "captured_minor": 70}
    id = ask(bought(lines=[line], payment=paid), shirts(1))
    received(id)
    [row] = settled(id)
    assert row["amount_minor"] == row["total_minor"] == 70
    parts = [row[f"{name}_minor"] for name in ("items", "tax", "shipping")]
    assert min(parts) >= 0
    assert sum(parts) == 70


def test_a_resolution_left_out_is_one_that_the_rules_allow(any_app: Flask) -> None:
    policy({"id": "ways", "kind": "resolutions", "allow": ["store_credit", "exchange"]})
    id = ask(bought(), shirts(2))
    with inside(shop_id("fern")):
        [line] = rma(id).lines
        assert (line.resolution, line.outcome) == ("store_credit", "approve")
        assert line.facts["resolution"] == "store_credit"


def test_a_resolution_left_out_meets_the_rules_about_it(app: Flask) -> None:
    refunds = {"fact": "resolution", "is": "refund"}
    policy({"id": "look", "kind": "review", "when": refunds})
    assert state(ask(bought(), shirts(1))) == "requested"


def test_a_free_order_comes_back_without_money(app: Flask) -> None:
    policy()
    free = SHIRT | {"discount_minor": 6_000, "tax_minor": 0}
    nothing = {"provider": "stripe", "reference": "", "captured_minor": 0}
    order_id = bought(lines=[free], shipping_minor=0, payment=nothing)
    for wish in (shirts(2), shirts(1, resolution="store_credit")):
        id = ask(order_id, wish)
        received(id, wish.quantity)
        assert [row["amount_minor"] for row in settled(id)] == [0]
        assert state(id) == "settled"


def test_two_lines_of_one_sku_come_back_at_what_each_cost(app: Flask) -> None:
    policy()
    dear = SHIRT | {"quantity": 1, "discount_minor": 0}
    cheap = SHIRT | {"quantity": 1, "discount_minor": 1_000, "unit_price_minor": 1_500}
    paid = {"provider": "stripe", "reference": "pi_1", "captured_minor": 2_500 + 490}
    order_id = bought(lines=[dear, cheap], payment=paid)
    found = []
    for _ in range(2):
        id = ask(order_id, shirts(1))
        received(id)
        found += [row["amount_minor"] for row in settled(id)]
    assert found == [2_000, 500]
    with pytest.raises(Conflict):
        ask(order_id, shirts(1))


@pytest.mark.parametrize(("currency", "captured"), [("JPY", 6_999), ("KWD", 6_999), ("EUR", 6_999)])
def test_returns_one_by_one_add_up_to_what_was_paid(
    app: Flask, currency: str, captured: int
) -> None:
    policy({"id": "ways", "kind": "original_shipping", "refund": "always"})
    order_id = bought(
        currency=currency,
        discount_minor=690,
        payment={"provider": "stripe", "reference": "pi_1", "captured_minor": captured},
    )
    for sku in ("TEE-M", "MUG", "TEE-M", "TEE-M"):
        id = ask(order_id, Asked.of(sku, 1, "too_small"))
        received(id, 1, sku)
        for row in settled(id):
            with inside(shop_id("fern")), writing():
                payout.begin(row["id"], NOW)
            with inside(shop_id("fern")), writing():
                payout.succeeded(row["id"], f"re_{row['id']}", NOW)
    assert (sums(order_id).refunded_minor, sums(order_id).refundable_minor) == (captured, 0)


def test_an_exchange_sold_out_meanwhile_is_kept_for_who_was_promised_it(app: Flask) -> None:
    policy()
    sold(available=1)
    order_id = bought()
    first = ask(order_id, shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    second = ask(order_id, shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    for id in (first, second):
        received(id)
    assert [row["kind"] for row in settled(first)] == ["exchange"]
    assert [row["kind"] for row in settled(second)] == ["refund"]
    with inside(shop_id("fern")):
        assert session.query(Variant).one().available == 0


def test_what_was_exchanged_can_be_returned_and_nothing_is_paid_twice(any_app: Flask) -> None:
    policy({"id": "ways", "kind": "original_shipping", "refund": "always"})
    sold(available=3)
    order_id = bought()
    id = ask(order_id, shirts(2, resolution="exchange", exchange_sku="TEE-L"))
    received(id, 2)
    settled(id)
    made = delivered("1001-X1")
    back = ask(made, Asked.of("TEE-L", 2, "too_large"))
    received(back, 2, "TEE-L")
    assert [(r["amount_minor"], r["payment"]) for r in settled(back)] == [(3_800, "pi_1001")]
    rest = ask(order_id, shirts(1), Asked.of("MUG", 1, "too_large"))
    received(rest)
    received(rest, 1, "MUG")
    moved = sum(row["amount_minor"] for row in settled(rest))
    assert moved + 3_800 <= PAID_MINOR
    assert sums(order_id).refundable_minor + sums(made).refundable_minor == (
        PAID_MINOR - 3_800 - moved
    )


def test_an_article_without_its_tax_in_the_price_costs_the_tax_too(any_app: Flask) -> None:
    policy()
    sold(sku="COAT", product="coat", price_minor=3_000, tax_included=False)
    line = SHIRT | {"quantity": 1, "discount_minor": 0, "tax_minor": 165, "tax_included": False}
    paid = {"provider": "stripe", "reference": "pi_1", "captured_minor": 2_655}
    order_id = bought(lines=[line], payment=paid)
    id = ask(order_id, shirts(1, resolution="exchange", exchange_sku="COAT"))
    received(id)
    rows = settled(id)
    assert [(row["kind"], row["amount_minor"]) for row in rows] == [
        ("exchange", 2_165),
        ("top_up", 3_248 - 2_165),
    ]
    with inside(shop_id("fern")), writing():
        payout.top_up_paid(rows[1]["id"], "pi_2", NOW)
    made = delivered("1001-X1")
    with inside(shop_id("fern")):
        order = session.get_one(Order, made)
        [bought_instead] = order.lines
        assert (bought_instead.unit_price_minor, bought_instead.discount_minor) == (3_000, 0)
        assert (bought_instead.tax_minor, bought_instead.tax_included) == (248, False)
        assert order.captured_minor == 3_248
    back = ask(made, Asked.of("COAT", 1, "too_large"))
    received(back, 1, "COAT")
    assert [(r["amount_minor"], r["payment"]) for r in settled(back)] == [
        (2_165, "pi_1"),
        (1_083, "pi_2"),
    ]


@given(
    price=st.integers(0, 10**7),
    quantity=st.integers(1, 9),
    net=st.integers(0, 10**7),
    tax=st.integers(0, 10**6),
    was_included=st.booleans(),
    is_included=st.booleans(),
)
def test_tax_of_another_article_is_at_the_rate_that_was_paid(
    price: int, quantity: int, net: int, tax: int, *, was_included: bool, is_included: bool
) -> None:
    value = net + tax if was_included else net
    share = UnitMoney(0, value, 0, tax, was_included, 0, 0, was_included, 0)
    cost = exchange_price(price, quantity, [share], tax_included=is_included)
    goods = cost.total_minor - cost.tax_minor
    assert cost.total_minor == price * quantity + (0 if is_included else cost.tax_minor)
    assert 0 <= cost.tax_minor <= cost.total_minor or net == 0
    # Never further than rounding from the same rate: tax / goods = paid tax / paid net.
    assert 2 * abs(cost.tax_minor * net - tax * goods) <= net + tax if net else not cost.tax_minor


def test_a_gifts_refund_waits_for_somebody_who_asks_the_giver(any_app: Flask) -> None:
    policy()
    order_id = bought(gift=True)
    id = ask(order_id, shirts(1, resolution="refund"))
    assert state(id) == "requested"
    on(id, lambda rma: approve(rma, "staff", NOW, "The giver agreed."))
    assert state(id) == "approved"


def test_a_gift_becomes_credit_or_another_article_without_asking_anybody(any_app: Flask) -> None:
    policy()
    sold(available=1)
    order_id = bought(gift=True)
    assert state(ask(order_id, shirts(1))) == "approved"
    id = ask(order_id, shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    gone = ask(order_id, shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    assert state(id) == state(gone) == "approved"
    with inside(shop_id("fern")):
        assert {line.resolution for line in rma(gone).lines} == {"store_credit"}
        assert session.query(Exchange).filter_by(status="fallen_back").count() == 1


def test_tags_of_order_and_customer_are_facts(any_app: Flask) -> None:
    vip = {"fact": "customer_tags", "has_any": ["VIP"]}
    sale = {"fact": "order_tags", "has_any": ["clearance"]}
    gift = {"fact": "gift", "is": True}
    policy(
        {"id": "vip", "kind": "approve", "when": vip},
        {"id": "sale", "kind": "decline", "because": "clearance", "when": sale},
        {"id": "gift", "kind": "review", "when": gift},
    )
    for number, more, rule in (
        ("1", {"customer_tags": ["vip"], "tags": ["clearance"]}, "vip"),
        ("2", {"tags": ["Clearance"]}, "sale"),
        ("3", {"gift": True}, "gift"),
        ("4", {}, "ok"),
    ):
        id = ask(bought(number=number, **more), shirts(1, resolution="store_credit"))
        with inside(shop_id("fern")):
            assert rma(id).lines[0].decision["rule"] == rule


def test_a_cancelled_order_is_not_returned(app: Flask) -> None:
    order_id = bought()
    with inside(shop_id("fern")), writing():
        session.get_one(Order, order_id).cancelled_at = NOW
    with pytest.raises(Conflict):
        ask(order_id, shirts(1))


def test_nothing_more_than_what_came_back_can_be_settled(app: Flask) -> None:
    policy()
    id = ask(bought(), shirts(3))
    received(id, 2)
    with pytest.raises(Invalid):
        settled(id, Choice("TEE-M", 3))
    with pytest.raises(Conflict):
        settled(id, Choice("TEE-M", amount_minor=3_801))
    assert sum(row["amount_minor"] for row in settled(id)) == 3_800
    with inside(shop_id("fern")):
        assert session.query(Settlement).count() == 1


def test_settling_again_pays_nothing_more(app: Flask) -> None:
    policy()
    order_id = bought()
    id = ask(order_id, shirts(1, resolution="store_credit"))
    received(id)
    settled(id)
    assert on(id, lambda rma: resolve(rma, None, Act("staff:other", NOW))) == []
    assert sums(order_id).credited_minor == 1_900


def test_a_line_taken_off_an_order_keeps_what_is_in_a_return(app: Flask) -> None:
    order_id = bought()
    ask(order_id, shirts(1))
    fewer = {"number": "1001", "lines": [MUG]}
    with pytest.raises(Conflict), inside(shop_id("fern")), writing():
        Order.upsert(OrderDocument.model_validate(fewer), NOW)


def refused(order_id: str) -> str:
    """A return of a mug that is kept and whose refund the provider refused; gives its id."""
    id = ask(order_id, shirts(1), Asked.of("MUG", 1, "faulty"))
    with inside(shop_id("fern")):
        [row] = session.query(Settlement).filter_by(subject=id).all()
    for tell in (lambda: payout.begin(row.id, NOW), lambda: payout.failed(row.id, "No.", NOW)):
        with inside(shop_id("fern")), writing():
            tell()
    return id


@pytest.mark.parametrize("end", [lambda r: cancel(r, "x", NOW), lambda r: expire(r, NOW + MONTH)])
def test_a_return_that_ended_unpaid_pays_nothing_beside_the_next_one(
    any_app: Flask, end: Callable[[Return], Any]
) -> None:
    policy({"id": "keep", "kind": "keep_item", "when": {"fact": "sku", "is": "MUG"}})
    order_id = bought()
    first = refused(order_id)
    on(first, end)
    with inside(shop_id("fern")):
        assert all(unit.settlement_id is None for unit in rma(first).units)
    ask(order_id, Asked.of("MUG", 1, "faulty"))
    with pytest.raises(Conflict):
        settled(first)
    assert sums(order_id).pending_minor == 1_499


def test_what_nobody_approved_yet_is_not_paid(app: Flask) -> None:
    faulty = {"fact": "reason", "is": "faulty"}
    policy({"id": "keep", "kind": "keep_item"}, {"id": "look", "kind": "review", "when": faulty})
    id = ask(bought(), shirts(1, "faulty"))
    with pytest.raises(Conflict):
        settled(id)
    assert state(id) == "requested"
