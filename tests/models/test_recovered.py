"""Money that came back from a carrier or an insurer is booked once, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from portal.db import inside, session, writing
from portal.models import AuditEntry, LedgerEntry
from portal.models.change import Conflict
from portal.models.ledger import sums_of
from portal.models.recovered import recover, recovered_of, take_back
from portal.sources.sentences import Invalid
from tests.conftest import shop_id
from tests.models.bought import NOW, PAID_MINOR, bought
from tests.models.test_claim import claimed, told


def acted(act: Callable[..., bool], *values: Any) -> bool:
    """Do it in a transaction of its own."""
    with inside(shop_id("fern")), writing():
        return act(*values)


def test_a_payment_of_a_carrier_is_booked_once_and_moves_no_money_of_the_customer(
    app: Flask,
) -> None:
    order_id = bought()
    id = claimed(order_id, lines={"MUG": 1})
    paid = (id, 1_200, "carrier", " UPS 77-1 ", "staff:1", NOW)
    assert acted(recover, *paid)
    assert not acted(recover, *paid)
    assert not acted(recover, id, 1_200, "carrier", "ups 77-1", "staff:2", NOW)
    assert acted(recover, id, 200, "insurer", "UPS 77-1", "staff:1", NOW)
    assert told(id, "recovered_minor") == (1_400,)
    with inside(shop_id("fern")):
        sums = sums_of([order_id])[order_id]
        entries = [(e.kind, e.amount_minor, e.reference) for e in recovered_of(id)]
        acts = session.query(AuditEntry).filter_by(act="claim.recovered").count()
    assert (sums.recovered_minor, sums.refundable_minor) == (1_400, PAID_MINOR)
    assert entries == [
        ("recovered", 1_200, "carrier:UPS 77-1"),
        ("recovered", 200, "insurer:UPS 77-1"),
    ]
    assert acts == 2


def test_another_amount_for_the_same_payment_is_refused_until_it_is_taken_back(app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    same = (id, "carrier", "77-1", "staff:1", NOW)
    acted(recover, id, 1_200, *same[1:])
    with pytest.raises(Conflict, match="booked already"):
        acted(recover, id, 120, *same[1:])
    assert acted(take_back, *same, "It was 1.20.")
    assert not acted(take_back, *same)
    assert acted(recover, id, 120, *same[1:])
    assert told(id, "recovered_minor") == (120,)
    with inside(shop_id("fern")):
        assert [entry.amount_minor for entry in recovered_of(id)] == [1_200, -1_200, 120]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((0, "carrier", "77-1"), "from 1 to"),
        ((PAID_MINOR + 1, "carrier", "77-1"), "from 1 to"),
        ((100, "the neighbour", "77-1"), "who paid"),
        ((100, "carrier", "  "), "number of this payment"),
        ((100, "carrier", "7" * 101), "number of this payment"),
    ],
)
def test_what_is_no_such_payment_is_refused_with_a_sentence(
    app: Flask, values: tuple[int, str, str], says: str
) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    with pytest.raises(Invalid) as refused:
        acted(recover, id, *values, "staff:1", NOW)
    assert says in refused.value.errors[0]["message"]
    with inside(shop_id("fern")):
        assert session.query(LedgerEntry).filter_by(kind="recovered").count() == 0


def test_nobody_recovers_money_for_a_claim_of_another_shop(app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})
    with pytest.raises(Invalid), inside(shop_id("volta")), writing():
        recover(id, 100, "carrier", "77-1", "staff:1", NOW)


def test_two_who_book_the_same_payment_at_once_book_it_once(any_app: Flask) -> None:
    id = claimed(bought(), lines={"MUG": 1})

    def booked(_: int) -> bool:
        with any_app.app_context():
            return acted(recover, id, 500, "carrier", "77-1", "staff:1", NOW)

    with ThreadPoolExecutor(4) as at_once:
        assert sorted(at_once.map(booked, range(4))) == [False, False, False, True]
    assert told(id, "recovered_minor") == (500,)
