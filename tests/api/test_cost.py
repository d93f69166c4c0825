"""What a call costs in statements: the same whatever came before it, and for any length of list."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from tests.api.client import Api, line
from tests.api.test_order_parcels import scanned
from tests.statements import statements

QUICK = ("PRAGMA", "BEGIN")


def whole(n: int, lines: int = 3, parcels: int = 2) -> dict[str, Any]:
    """An order with everything."""
    return {
        "number": f"N-{n}",
        "email": "ann@example.com",
        "currency": "EUR",
        "lines": [line(f"SKU-{k}", 2, image_url="https://a.example/1") for k in range(lines)],
        "shipments": [
            {
                "carrier": "UPS",
                "tracking_number": f"1Z{n}-{k}",
                "lines": [{"sku": f"SKU-{k}", "quantity": 1}],
            }
            for k in range(parcels)
        ],
    }


def cost(call: Any) -> int:
    """The statements of a call; the rows of one INSERT, which SQLite gets singly, are one."""
    with statements() as seen:
        assert call().status_code < 300
    worth = [statement for statement in seen if not statement.startswith(QUICK)]
    return len(list(groupby(worth)))


def test_posting_costs_the_same_however_much_is_there_already(api: Api) -> None:
    api.post("/orders", whole(0))  # the first call notes the token's use
    new = cost(lambda: api.post("/orders", whole(1)))
    again = cost(lambda: api.post("/orders", whole(1)))
    for n in range(2, 12):
        api.post("/orders", whole(n))
    for shipment in api.get("/orders", query_string={"number": "N-1"}).json["orders"][0][
        "shipments"
    ]:
        for status in ("pre_transit", "in_transit", "out_for_delivery"):
            scanned(shipment["id"], status)
    assert cost(lambda: api.post("/orders", whole(99))) == new
    assert cost(lambda: api.post("/orders", whole(1))) <= again + 1
    assert new <= 60
    assert again <= 30


def test_lines_cost_no_statements_of_their_own(api: Api) -> None:
    api.post("/orders", whole(0))
    few = cost(lambda: api.post("/orders", whole(1, lines=2)))
    many = cost(lambda: api.post("/orders", whole(2, lines=200)))
    assert many == few


def test_a_parcel_costs_a_few_statements(api: Api) -> None:
    api.post("/orders", whole(0))
    few = cost(lambda: api.post("/orders", whole(1, lines=40, parcels=2)))
    many = cost(lambda: api.post("/orders", whole(2, lines=40, parcels=40)))
    assert (many - few) / 38 <= 6


def test_a_page_of_many_orders_costs_what_a_page_of_one_does(api: Api) -> None:
    for n in range(15):
        api.post("/orders", whole(n))
    one = cost(lambda: api.get("/orders?limit=1"))
    assert cost(lambda: api.get("/orders?limit=15")) == one
    assert one <= 12
