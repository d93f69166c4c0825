"""What the generated tests need to know of an endpoint: a real id for its path, a body it takes.

An endpoint with another kind of id, or with a body that must hold something, says so here; the
tests that walk over the table of endpoints name what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.api.endpoint import ENDPOINTS, Endpoint
from tests.api.client import Api, line

CANARY = "CANARY-1001"


def order(api: Api) -> dict[str, Any]:
    """An order with one line and one parcel, in which every text is a canary."""
    return api.order(
        number=CANARY,
        email="canary@example.com",
        phone="+1 CANARY",
        currency="EUR",
        lines=[line("CANARY-SKU", 2, title="CANARY")],
        shipments=[{"carrier": "CANARY", "tracking_number": "1Z5R89W30310058842"}],
    )


def variant(api: Api) -> str:
    """A variant; gives its sku."""
    sent = {"title": "CANARY", "price_minor": 1, "currency": "EUR"}
    assert api.put("/variants/CANARY-SKU", sent).status_code in {200, 201}
    return "CANARY-SKU"


def asked_back(api: Api) -> str:
    """A return of the order, still on its way and so declined; gives its id."""
    sent = {"lines": [{"sku": "CANARY-SKU", "quantity": 1, "reason": "too_small"}]}
    response = api.post(f"/orders/{order(api)['id']}/returns", sent)
    assert response.status_code == 201, response.text
    return str(response.json["id"])


def claimed(api: Api) -> str:
    """A claim for the order, which has not arrived; gives its id."""
    response = api.post(f"/orders/{order(api)['id']}/claims", {"kind": "lost"})
    assert response.status_code == 201, response.text
    return str(response.json["id"])


def told(api: Api) -> str:
    """An address that is told of what happens; gives its id."""
    response = api.post("/webhook-endpoints", {"url": "https://CANARY.example/in"})
    assert response.status_code == 201, response.text
    return str(response.json["id"])


# For each name in a path: makes the thing with this caller and gives its id.
IDS: dict[str, Callable[[Api], str]] = {
    "order_id": lambda api: str(order(api)["id"]),
    "shipment_id": lambda api: str(order(api)["shipments"][0]["id"]),
    "sku": variant,
    "return_id": asked_back,
    "claim_id": claimed,
    "endpoint_id": told,
    "customer_id": lambda api: str(order(api)["customer_id"]),
}
# For each function that needs more than {}: a body it takes.
BODIES: dict[str, dict[str, Any]] = {
    "post_order": {"number": "2002"},
    "post_shipment": {"carrier": "UPS", "tracking_number": "1Z"},
    "decide_posted": {"facts": {"ordered_at": "2026-05-04T09:30:00+02:00"}},
    "post_return": {"lines": [{"sku": "CANARY-SKU", "quantity": 1, "reason": "too_small"}]},
    "post_claim": {"kind": "lost"},
    "reject_claim": {"code": "worn"},
    "reject_return": {"code": "worn"},
    "receive_return": {"lines": [{"sku": "CANARY-SKU", "quantity": 1}]},
    "cover_order": {"quote": "never signed"},
    "post_webhook_endpoint": {"url": "https://example.com/in"},
    "put_variant": {"title": "A mug", "price_minor": 100, "currency": "EUR"},
}
# Ids that look right and never were.
UNKNOWN = "0" * 26
PREFIXES = {
    "order_id": "ord_",
    "shipment_id": "shp_",
    "sku": "SKU-",
    "return_id": "ret_",
    "customer_id": "cus_",
    "claim_id": "clm_",
    "endpoint_id": "whe_",
}


def name_in(made: Endpoint) -> str:
    """The name in an endpoint's path; '' where it has none."""
    return made.path.partition("{")[2].partition("}")[0]


def address(made: Endpoint, thing_id: str) -> str:
    """The endpoint's path with this id."""
    return made.path.replace(f"{{{name_in(made)}}}", thing_id)


def unknown_id(made: Endpoint) -> str:
    """An id of the right shape under which there is nothing."""
    return PREFIXES.get(name_in(made), "x_") + UNKNOWN


def ask(api: Api, made: Endpoint, thing_id: str, **more: Any) -> Any:
    """Call the endpoint for this id with a body that it takes, under a new key if it needs one."""
    body = BODIES.get(made.run.__name__, {}) if made.body else None
    key = f"key-{made.run.__name__}" if made.needs_key else ""
    return api.call(made.method, address(made, thing_id), body, key=key, **more)


def named(made: Endpoint) -> str:
    """How a test's id names an endpoint."""
    return f"{made.method} {made.path}"


ALL = sorted(ENDPOINTS, key=named)
WITH_ID = [made for made in ALL if "{" in made.path]
WITHOUT_ID = [made for made in ALL if "{" not in made.path]
WITH_BODY = [made for made in ALL if made.body]
