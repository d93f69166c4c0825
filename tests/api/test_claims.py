"""Claims over the API: made, read, decided; money moves once."""

from __future__ import annotations

from typing import Any

import pytest

from portal import clock
from portal.db import inside, session, writing
from portal.models import Shipment
from tests.api.client import Api
from tests.conftest import shop_id
from tests.models.bought import bought

FIELDS = {"id", "kind", "status", "opens_on", "last_day", "decision", "payout_minor", "url"}


def made(api: Api, order_id: str, **body: Any) -> dict[str, Any]:
    posted = {"kind": "damaged", "lines": [{"sku": "MUG", "quantity": 1}], **body}
    response = api.post(f"/orders/{order_id}/claims", posted)
    assert response.status_code == 201, response.text
    return dict(response.json)


def delivered(number: str = "1001") -> str:
    return bought(number=number, now=clock.now())


def test_a_claim_is_made_read_and_approved_once(api: Api) -> None:
    order_id = delivered()
    claim = made(api, order_id, statement="It is in two pieces.")
    assert set(claim) >= FIELDS
    assert (claim["status"], claim["decision"]["outcome"]) == ("open", "review")
    assert claim["decision"]["because"] == "not_covered"
    path = f"/claims/{claim['id']}"
    assert api.get(path).json == claim
    assert api.post(f"{path}/approval", {}).status_code == 428
    first = api.post(f"{path}/approval", {"note": "clear"}, key="k-1")
    assert (first.status_code, first.json["payout_minor"]) == (200, 1_499)
    assert api.post(f"{path}/approval", {"note": "clear"}, key="k-1").json == first.json
    assert api.post(f"{path}/approval", {}, key="k-2").status_code == 409
    assert api.get(f"/ledger?order={order_id}").json["sums"]["pending_minor"] == 1_499


def test_a_rejection_frees_what_was_claimed(api: Api) -> None:
    order_id = delivered()
    claim = made(api, order_id)
    again = api.post(f"/orders/{order_id}/claims", {"kind": "wrong_item"})
    assert again.status_code == 201  # of the rest of the parcel
    no = api.post(f"/claims/{claim['id']}/rejection", {"code": "worn", "note": "Used."})
    assert (no.status_code, no.json["status"]) == (200, "declined")
    assert made(api, order_id)["id"] != claim["id"]


def test_what_waits_says_until_when(quick: Api) -> None:
    order_id = delivered()
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment):
            parcel.status, parcel.delivered_at, parcel.last_scan_at = (
                "in_transit",
                None,
                clock.now(),
            )
    claim = made(quick, order_id, kind="lost", lines=[])
    assert (claim["status"], claim["decision"]) == ("waiting", None)
    assert claim["opens_on"] > clock.now().date().isoformat()
    assert claim["last_day"] > claim["opens_on"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "stolen"}, "kind"),
        ({"kind": "damaged", "wanted": "gold"}, "wanted"),
        ({"kind": "damaged", "shipment": "shp_nothing"}, "shipment"),
        ({"kind": "damaged", "lines": [{"sku": "NO", "quantity": 1}]}, "lines"),
        ({"kind": "damaged", "payout_minor": 5}, "payout_minor"),
    ],
)
def test_what_cannot_be_read_is_named(quick: Api, body: dict[str, Any], field: str) -> None:
    response = quick.post(f"/orders/{delivered()}/claims", body)
    assert response.status_code == 422
    assert response.json["errors"][0]["field"] == field


def test_scopes_and_shops_keep_claims_apart(quick: Api) -> None:
    claim = made(quick, delivered())
    app = quick.client.application
    assert Api(app, "fern", "orders").get(f"/claims/{claim['id']}").status_code == 403
    only = Api(app, "fern", "claims")
    assert only.get(f"/claims/{claim['id']}").status_code == 200
    assert only.post(f"/claims/{claim['id']}/approval", {}, key="k").status_code == 403
    assert Api(app, "volta").get(f"/claims/{claim['id']}").status_code == 404
