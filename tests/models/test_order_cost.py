"""What storing a new order costs in statements."""

from __future__ import annotations

from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import Order
from portal.sources.document import OrderDocument
from portal.sources.sentences import read_as
from tests.api.test_cost import statements
from tests.conftest import shop_id


def document(number: str) -> OrderDocument:
    return read_as(
        OrderDocument,
        {
            "number": number,
            "email": f"{number}@example.com",
            "currency": "EUR",
            "lines": [{"sku": "MUG", "title": "Mug", "quantity": 1, "unit_price_minor": 900}],
            "shipments": [
                {
                    "carrier": "UPS",
                    "tracking_number": f"1Z{number}",
                    "lines": [{"sku": "MUG", "quantity": 1}],
                }
            ],
        },
    )


def test_a_new_order_with_its_parcel_is_stored_in_few_statements(any_app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        Order.upsert(document("1"), clock.now())
    with inside(shop_id("fern")), writing(), statements() as seen:
        Order.upsert(document("2"), clock.now())
        session.flush()
    assert len(seen) <= 13, seen


def test_the_same_order_again_is_read_and_nothing_more(any_app: Flask) -> None:
    with inside(shop_id("fern")), writing():
        Order.upsert(document("1"), clock.now())
    with inside(shop_id("fern")), writing(), statements() as seen:
        Order.upsert(document("1"), clock.now())
        session.flush()
    assert all(each.startswith("SELECT") for each in seen), seen
    assert len(seen) <= 8, seen
