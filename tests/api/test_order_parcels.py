"""Parcels of an order: known by id, else by carrier and number; corrected, added, replaced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from portal import clock
from portal.db import inside, session, writing
from portal.models import AuditEntry, Due, Order, Shipment, ShipmentLine, StoredScan
from tests.api.client import Api, fields_of, line
from tests.conftest import shop_id

UPS = {"carrier": "UPS", "tracking_number": "1Z5R89W30310058842"}
OTHER = {"carrier": "UPS", "tracking_number": "1Z5R89W30310058851"}


def parcels(reply: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["id"], each["tracking_number"]) for each in reply["shipments"]]


def scanned(shipment_id: str, status: str) -> None:
    """Let the parcel be one that its carrier has spoken of."""
    at = clock.now() - timedelta(hours=1)
    with inside(shop_id("fern")), writing():
        parcel = session.get_one(Shipment, shipment_id)
        session.add(StoredScan(shipment_id=parcel.id, key=f"k-{status}", at=at, status=status))
        parcel.status, parcel.last_scan_at = status, at
        parcel.delivered_at = at if status == "delivered" else None
        session.flush()
        session.get_one(Order, parcel.order_id).settle_status(clock.now())


def count(model: type) -> int:
    with inside(shop_id("fern")):
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_ten_parcels_keep_their_order_and_what_they_hold(api: Api) -> None:
    ten = [
        {"carrier": "UPS", "tracking_number": f"1Z{n}", "lines": [{"sku": "MUG", "quantity": 1}]}
        for n in range(10)
    ]
    reply = api.order(currency="EUR", lines=[line("MUG", 10)], shipments=ten)
    assert [each["tracking_number"] for each in reply["shipments"]] == [f"1Z{n}" for n in range(10)]
    turned = api.order(shipments=ten[::-1])
    assert parcels(turned) == parcels(reply)[::-1]
    assert all(each["lines"] == [{"sku": "MUG", "quantity": 1}] for each in turned["shipments"])


def test_a_parcel_is_the_same_however_its_number_and_carrier_are_written(api: Api) -> None:
    first = api.order(shipments=[UPS])
    again = api.order(shipments=[{"carrier": "ups", "tracking_number": " 1z5r 89w3-0310058842 "}])
    assert [each["id"] for each in again["shipments"]] == [
        each["id"] for each in first["shipments"]
    ]


def test_a_number_corrected_under_its_id_is_the_same_parcel_followed_anew(api: Api) -> None:
    [(parcel_id, _)] = parcels(api.order(shipments=[UPS]))
    scanned(parcel_id, "in_transit")
    reply = api.order(shipments=[{"id": parcel_id, "tracking_number": OTHER["tracking_number"]}])
    [parcel] = reply["shipments"]
    assert (parcel["id"], parcel["tracking_number"]) == (parcel_id, OTHER["tracking_number"])
    assert (parcel["carrier"], parcel["status"], parcel["scans"]) == ("UPS", "unknown", [])
    assert count(StoredScan) == 0


def test_a_number_corrected_by_posting_the_list_again_is_the_same_parcel(api: Api) -> None:
    [(parcel_id, _)] = parcels(api.order(shipments=[UPS]))
    assert parcels(api.order(shipments=[OTHER])) == [(parcel_id, OTHER["tracking_number"])]


def test_a_corrected_carrier_is_the_same_parcel(api: Api) -> None:
    [(parcel_id, _)] = parcels(api.order(shipments=[UPS | {"carrier": "Upz"}]))
    [parcel] = api.order(shipments=[UPS])["shipments"]
    assert (parcel["id"], parcel["carrier"]) == (parcel_id, "UPS")


def test_a_list_without_a_scanned_parcel_takes_it_away_and_says_so_in_the_audit(api: Api) -> None:
    first, second = parcels(api.order(shipments=[UPS, OTHER]))
    scanned(first[0], "delivered")
    assert api.order(number="1001")["status"] == "partially_delivered"
    reply = api.order(shipments=[OTHER])
    assert (parcels(reply), reply["status"]) == ([second], "placed")
    with inside(shop_id("fern")):
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.act == "shipment.removed")
        ).one()
        assert entry.before == UPS | {"status": "delivered"}
    reply = api.order(shipments=[UPS])
    assert parcels(reply)[0][0] == second[0]  # the unscanned one was corrected
    assert reply["shipments"][0]["scans"] == []


def test_a_scanned_parcel_is_never_mistaken_for_a_new_one(api: Api) -> None:
    [(parcel_id, _)] = parcels(api.order(shipments=[UPS]))
    scanned(parcel_id, "delivered")
    [(other_id, number)] = parcels(api.order(shipments=[OTHER]))
    assert other_id != parcel_id
    assert number == OTHER["tracking_number"]


def test_an_order_walks_through_its_states_with_its_parcels(api: Api) -> None:
    order = api.order(currency="EUR", lines=[line("MUG", 2)])
    path = f"/orders/{order['id']}"

    def status() -> str:
        return str(api.get(path).json["status"])

    assert status() == "placed"
    half = {"lines": [{"sku": "MUG", "quantity": 1}]}
    first = api.post(f"{path}/shipments", UPS | half).json["id"]
    assert status() == "placed"
    scanned(first, "in_transit")
    assert status() == "partially_shipped"
    second = api.post(f"{path}/shipments", OTHER | half).json["id"]
    scanned(second, "in_transit")
    assert status() == "shipped"
    scanned(first, "delivered")
    assert status() == "partially_delivered"
    scanned(second, "delivered")
    assert status() == "delivered"
    assert api.patch(path, {"status": "cancelled"}).status_code == 409
    for parcel_id in (first, second):
        scanned(parcel_id, "return_to_sender")
    assert status() == "returned"


def test_shipped_at_alone_makes_an_order_shipped(api: Api) -> None:
    assert api.order(shipments=[UPS])["status"] == "placed"
    reply = api.order(shipments=[UPS | {"shipped_at": "2026-05-04T09:00:00-05:00"}])
    assert reply["status"] == "shipped"
    assert reply["shipments"][0]["shipped_at"] == "2026-05-04T14:00:00Z"


def test_a_posted_parcel_is_added_once_and_then_changed(api: Api) -> None:
    order = api.order(currency="EUR", lines=[line("MUG", 2)])
    path = f"/orders/{order['id']}/shipments"
    first = api.post(path, UPS)
    again = api.post(path, UPS | {"service": "Ground"})
    by_id = api.post(path, {"id": first.json["id"], "lines": [{"sku": "MUG", "quantity": 2}]})
    assert [each.status_code for each in (first, again, by_id)] == [201, 200, 200]
    assert by_id.json["service"] == "Ground"
    assert by_id.json["lines"] == [{"sku": "MUG", "quantity": 2}]
    assert count(Shipment) == 1


def test_another_orders_parcel_is_none_of_this_ones(api: Api) -> None:
    [(parcel_id, _)] = parcels(api.order(number="1", shipments=[UPS]))
    other = api.order(number="2")
    response = api.post(f"/orders/{other['id']}/shipments", {"id": parcel_id, "service": "x"})
    assert response.status_code == 422
    assert fields_of(response) == {"id"}


def test_the_same_tracking_number_may_return_years_later(api: Api) -> None:
    old = api.order(number="1", placed_at="2024-01-02T10:00:00Z", shipments=[UPS])
    new = api.order(number="2", placed_at="2026-01-02T10:00:00Z", shipments=[UPS])
    assert parcels(old)[0][0] != parcels(new)[0][0]
    assert parcels(api.order(number="1", shipments=[UPS])) == parcels(old)


def test_the_same_number_twice_in_one_list_is_refused(api: Api) -> None:
    response = api.post("/orders", {"number": "1", "shipments": [UPS, UPS | {"carrier": "ups"}]})
    assert response.status_code == 422


def test_a_parcel_holds_no_more_than_was_ordered(api: Api) -> None:
    order = api.order(currency="EUR", lines=[line("MUG", 2), line("CUP")])
    sent = UPS | {"lines": [{"sku": "MUG", "quantity": 3}]}
    response = api.post(f"/orders/{order['id']}/shipments", sent)
    assert (response.status_code, fields_of(response)) == (422, {"lines.0.quantity"})
    sent["lines"] = [{"sku": "MUG", "quantity": 2}, {"sku": "CUP", "quantity": 1}]
    assert api.post(f"/orders/{order['id']}/shipments", sent).status_code == 201
    reply = api.order(lines=[line("MUG", 1)])
    assert reply["shipments"][0]["lines"] == [{"sku": "MUG", "quantity": 1}]
    assert count(ShipmentLine) == 1


def test_a_new_parcel_is_asked_about_at_once(api: Api) -> None:
    [(parcel_id, _)] = parcels(api.order(shipments=[UPS]))
    with inside(shop_id("fern")):
        assert parcel_id in session.scalars(select(Due.subject).where(Due.queue == "poll")).all()


def test_a_carrier_that_cannot_be_is_a_visible_problem_with_a_fix(api: Api) -> None:
    reply = api.order(shipments=[UPS | {"carrier": "Pigeon Post"}])
    [parcel] = reply["shipments"]
    assert parcel["problem"]["text"]
    assert parcel["problem"]["fix"]
    [problem] = api.get("/problems").json["problems"]
    assert problem["shipment_id"] == parcel["id"]
    assert problem["problem"] == parcel["problem"]
