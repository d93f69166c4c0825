"""Storing an order under its number: what is sent changes, what is absent stays."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.db import Base, inside, session
from portal.models import AuditEntry, Customer, Order, OrderLine, Picture
from tests.api.client import Api, fields_of, line
from tests.conftest import shop_id

ADDRESS = {
    "name": "Ann Example",
    "line1": "1 High Street",
    "line2": "Flat 2",
    "city": "Austin",
    "region": "TX",
    "postcode": "78701",
    "country": "US",
}
WHOLE: dict[str, Any] = {
    "number": "#1001",
    "email": "Ann@Example.com",
    "phone": "+1 555 0100",
    "placed_at": "2026-05-04T09:30:00+02:00",
    "currency": "EUR",
    "shipping_address": ADDRESS,
    "lines": [
        {
            "sku": "MUG-S",
            "product": "mug",
            "variant": "small / blue",
            "title": "Mug",
            "category": "kitchen",
            "tags": ["new", "gift"],
            "quantity": 3,
            "unit_price_minor": 1000,
            "discount_minor": 100,
            "tax_minor": 463,
            "tax_included": False,
            "image_url": "https://shop.example/mug.jpg",
            "final_sale": True,
            "weight_g": 350,
        }
    ],
    "discount_minor": 200,
    "shipping_minor": 490,
    "shipping_tax_minor": 78,
    "payment": {"provider": "stripe", "reference": "pi_1", "captured_minor": 3731},
    "shipments": [
        {
            "carrier": "UPS",
            "service": "Ground",
            "tracking_number": "1Z5R89W30310058842",
            "shipped_at": "2026-05-05T08:00:00Z",
            "lines": [{"sku": "MUG-S", "quantity": 2}],
        }
    ],
    "protection_quote": "plq_signed",
}


def names_of(model: type[Base]) -> list[str]:
    return [column.key for column in model.__table__.columns]


def stored() -> dict[str, Any]:
    """Every column of the one order, its lines, and what its parcels hold."""
    with inside(shop_id("fern")):
        order = session.scalars(select(Order)).one()
        unseen = {"version", "updated_at", "customer_id"}
        columns = {n: getattr(order, n) for n in names_of(Order) if n not in unseen}
        names = names_of(OrderLine)
        columns["lines"] = [{n: getattr(row, n) for n in names} for row in order.lines]
        columns["shipments"] = [
            (each.id, each.tracking_number, each.service, each.shipped_at, len(each.lines))
            for each in order.shipments
        ]
        return columns


def test_a_new_number_is_created_and_a_known_one_changed(api: Api) -> None:
    first = api.post("/orders", WHOLE)
    again = api.post("/orders", WHOLE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json


def test_the_reply_says_what_others_rely_on(api: Api) -> None:
    reply = api.order(**WHOLE)
    assert reply["id"].startswith("ord_")
    assert reply["number"] == "#1001"
    assert reply["tracking_url"].startswith("http://fern.localhost:8000/t/")
    assert reply["status"] == "partially_shipped"
    assert reply["currency"] == "EUR"
    assert (reply["captured_minor"], reply["refunded_minor"]) == (3731, 0)
    assert reply["refundable_minor"] == 3731
    assert reply["placed_at"] == "2026-05-04T07:30:00Z"
    assert reply["protection"]["status"] in {"none", "active", "refused"}
    [parcel] = reply["shipments"]
    assert parcel["id"].startswith("shp_")
    assert parcel["carrier"] == "UPS"
    assert parcel["tracking_number"] == "1Z5R89W30310058842"
    assert parcel["status"] == "unknown"
    assert (parcel["scans"], parcel["overlays"], parcel["delivered_at"]) == ([], [], None)
    assert parcel["lines"] == [{"sku": "MUG-S", "quantity": 2}]
    assert api.get(f"/orders/{reply['id']}").json == reply
    assert api.get(f"/shipments/{parcel['id']}").json == parcel


def test_every_posted_field_is_stored(api: Api) -> None:
    api.order(**WHOLE)
    kept = stored()
    [item] = kept["lines"]
    for name, value in WHOLE["lines"][0].items():
        assert item[name] == value, name
    for name in ("phone", "currency", "discount_minor", "shipping_minor", "shipping_tax_minor"):
        assert kept[name] == WHOLE[name], name
    assert kept["email"] == "Ann@example.com"  # as a mail server reads it
    assert kept["address"] == ADDRESS
    assert kept["timezone"] == "America/Chicago"
    assert (kept["payment_provider"], kept["payment_reference"]) == ("stripe", "pi_1")
    assert kept["protection_quote"] == "plq_signed"


@pytest.mark.parametrize("way", ["POST", "PATCH"])
def test_what_is_not_sent_stays(api: Api, way: str) -> None:
    order = api.order(**WHOLE)
    before = stored()
    if way == "POST":
        assert api.order(number="1001")["updated_at"] == order["updated_at"]
    else:
        assert api.patch(f"/orders/{order['id']}", {}).status_code == 200
    assert stored() == before


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"email": "bob@example.com"}, {"email": "bob@example.com", "email_key": "bob@example.com"}),
    ({"email": None}, {"email": "", "email_key": ""}),
    ({"phone": "1"}, {"phone": "1"}),
    ({"phone": None}, {"phone": ""}),
    ({"discount_minor": 1}, {"discount_minor": 1}),
    ({"shipping_minor": 0}, {"shipping_minor": 0}),
    ({"shipping_tax_minor": 5}, {"shipping_tax_minor": 5}),
    ({"payment": {"captured_minor": 9}}, {"captured_minor": 9}),
    ({"payment": {"reference": "pi_2"}}, {"payment_reference": "pi_2"}),
    ({"payment": None}, {}),
    ({"shipping_address": None}, {}),
    ({"placed_at": None}, {}),
    ({"protection_quote": None}, {}),
    ({"number": " 1001 "}, {}),
    ({"currency": "EUR"}, {}),
    ({"shipments": []}, {"shipments": [], "status": "placed"}),
]


@pytest.mark.parametrize("way", ["POST", "PATCH"])
def test_what_is_sent_changes_and_nothing_else(api: Api, way: str) -> None:
    order = api.order(**WHOLE)
    for sent, differs in CHANGES:
        before = stored()
        if way == "POST":
            api.order(**({"number": "1001"} | sent))
        else:
            response = api.patch(f"/orders/{order['id']}", sent)
            assert response.status_code == 200, response.text
        assert stored() == before | differs, sent


def test_a_sent_address_replaces_the_whole_address(api: Api) -> None:
    api.order(**WHOLE)
    api.order(number="1001", shipping_address={"city": "Berlin", "country": "DE"})
    kept = stored()
    assert kept["address"] == dict.fromkeys(ADDRESS, "") | {"city": "Berlin", "country": "DE"}
    assert kept["timezone"] == "Europe/Berlin"


def test_a_present_list_of_lines_replaces_the_old_one(api: Api) -> None:
    api.order(currency="EUR", lines=[line("A"), line("B", 2), line("C")])
    reply = api.order(lines=[line("C"), line("A", 3), line("D")])
    assert [(each["sku"], each["quantity"]) for each in reply["lines"]] == [
        *(("C", 1), ("A", 3), ("D", 1))
    ]
    assert api.order(lines=[])["lines"] == []


def test_the_same_sku_twice_stays_two_lines(api: Api) -> None:
    twice = [line("A", 1), line("A", 2, unit_price_minor=500)]
    api.order(currency="EUR", lines=twice)
    reply = api.order(lines=[twice[1], line("B"), twice[0]])
    assert [(each["sku"], each["quantity"]) for each in reply["lines"]] == [
        *(("A", 2), ("B", 1), ("A", 1))
    ]


def test_an_order_may_come_without_lines_and_without_parcels(api: Api) -> None:
    reply = api.order(number="1")
    assert (reply["status"], reply["lines"], reply["shipments"]) == ("placed", [], [])


def test_a_new_order_with_lines_needs_its_currency(api: Api) -> None:
    response = api.post("/orders", {"number": "1", "lines": [line()]})
    assert response.status_code == 422
    assert fields_of(response) == {"currency"}


@pytest.mark.parametrize("sent", [{"number": "1002"}, {"currency": "USD"}])
def test_number_and_currency_stay_for_ever(api: Api, sent: dict[str, Any]) -> None:
    order = api.order(**WHOLE)
    before = stored()
    assert api.patch(f"/orders/{order['id']}", sent).status_code == 409
    assert stored() == before


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"placed_at": "2026-05-04T09:30:00"}, "placed_at"),
        ({"placed_at": "2026-05-04"}, "placed_at"),
        ({"placed_at": 1777900000}, "placed_at"),
        ({"placed_at": "0001-01-01T00:00:00+23:59"}, "placed_at"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"email": "ann"}, "email"),
        ({"shipping_address": {"country": "UK"}}, "shipping_address.country"),
        ({"lines": None}, "lines"),
        ({"lines": {}}, "lines"),
        ({"lines": [line(quantity=0)]}, "lines.0.quantity"),
        ({"lines": [line(), line(quantity=-1)]}, "lines.1.quantity"),
        ({"lines": [line(quantity=1.0)]}, "lines.0.quantity"),
        ({"lines": [line(quantity=True)]}, "lines.0.quantity"),
        ({"lines": [line(unit_price_minor="10.00")]}, "lines.0.unit_price_minor"),
        ({"lines": [line(discount_minor=1001)]}, "lines.0"),
        ({"lines": [line(final_sale="yes")]}, "lines.0.final_sale"),
        ({"lines": [{"sku": "A"}]}, "lines.0.quantity"),
        ({"lines": [{"sku": "", "quantity": 1}]}, "lines.0.sku"),
        ({"lines": [line(image_url="javascript:alert(1)")]}, "lines.0.image_url"),
        ({"lines": [line(colour="red")]}, "lines.0.colour"),
        ({"currency": "EUR", "lines": [line()], "discount_minor": 1001}, "discount_minor"),
        ({"payment": {"captured_minor": -1}}, "payment.captured_minor"),
        ({"shipments": [{"carrier": "UPS"}]}, "shipments.0"),
        ({"shipments": [{"tracking_number": "--"}]}, "shipments.0.tracking_number"),
        (
            {"shipments": [{"tracking_number": "1", "shipped_at": "2026-05-04T09:30"}]},
            "shipments.0.shipped_at",
        ),
        (
            {"shipments": [{"tracking_number": "1", "lines": [{"sku": "A", "quantity": 1}]}]},
            "shipments.0.lines.0.sku",
        ),
        ({"shipments": [{"id": "shp_1", "tracking_number": "1"}]}, "shipments.0.id"),
        ({"tracking": "1"}, "tracking"),
        ({"number": "  "}, "number"),
        ({"number": "#"}, "number"),
        ({"number": 1001}, "number"),
    ],
    ids=str,
)
def test_what_cannot_be_taken_is_named_and_nothing_is_stored(
    quick: Api, sent: dict[str, Any], field: str
) -> None:
    response = quick.post("/orders", {"number": "1"} | sent)
    assert response.status_code == 422, response.text
    assert field in fields_of(response), response.text
    assert quick.get("/orders").json["orders"] == []


def test_a_refused_change_changes_nothing(api: Api) -> None:
    api.order(**WHOLE)
    before = stored()
    sent = {"number": "1001", "phone": "changed", "discount_minor": 10**9}
    assert api.post("/orders", sent).status_code == 422
    assert stored() == before


def test_cancelling_is_final_and_impossible_after_a_delivery(api: Api) -> None:
    order = api.order(number="1")
    path = f"/orders/{order['id']}"
    assert api.patch(path, {"status": "cancelled"}).json["status"] == "cancelled"
    assert api.patch(path, {"status": "cancelled"}).json["status"] == "cancelled"
    assert api.order(number="1", phone="1")["status"] == "cancelled"
    assert api.patch(path, {"status": "placed"}).status_code == 422


def test_orders_of_one_address_share_a_customer(api: Api) -> None:
    for number, email in (("1", "ann@example.com"), ("2", "ANN@example.com"), ("3", "")):
        api.order(number=number, email=email)
    with inside(shop_id("fern")):
        ids = session.scalars(select(Order.customer_id).order_by(Order.number)).all()
        assert ids[0] == ids[1] == session.scalars(select(Customer.id)).one()
        assert ids[2] is None


def test_every_change_is_audited_without_personal_data(api: Api) -> None:
    order = api.order(**WHOLE)
    api.order(number="1001", email="carla@example.com", shipping_minor=1)
    with inside(shop_id("fern")):
        audited = session.scalars(
            select(AuditEntry).where(AuditEntry.subject == f"order:{order['id']}")
        ).all()
        entries = [each for each in audited if each.act.startswith("order.")]
        assert [each.act for each in entries] == ["order.created", "order.changed"]
        assert {each.act for each in audited} - {each.act for each in entries} == {
            "protection.refuse"  # its quote was none of ours
        }
        assert all(each.who.startswith("token:pl_") for each in entries)
        assert entries[1].before["shipping_minor"] == 490
        told = str([each.before | each.after for each in entries])
        assert "carla" not in told
        assert "Ann" not in told


def test_pictures_are_wanted_once(api: Api) -> None:
    api.order(**WHOLE)
    api.order(**WHOLE)
    with inside(shop_id("fern")):
        [picture] = session.scalars(select(Picture))
        assert (picture.url, picture.state) == ("https://shop.example/mug.jpg", "wanted")
