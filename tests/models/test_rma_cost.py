"""What asking for a return costs in statements, decision and approval included."""

from __future__ import annotations

from flask import Flask

from portal.db import inside, writing
from tests.api.test_cost import statements
from tests.conftest import shop_id
from tests.models.bought import bought, requested, shirts


def test_a_return_is_made_decided_and_approved_in_few_statements(any_app: Flask) -> None:
    order_id, first = bought(), bought(number="1002")
    with inside(shop_id("fern")), writing():
        requested(first, shirts(1))  # reads the policy's document, once in a process
    with inside(shop_id("fern")), writing(), statements() as seen:
        assert requested(order_id, shirts(2)).status == "approved"
    assert len(seen) <= 10, seen
