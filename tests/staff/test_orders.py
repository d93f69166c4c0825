"""Orders at the desk: found, read as one story, and their parcels put right."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import AuditEntry, Due, Order, Shipment, StoredScan
from portal.models.rma_acts import approve
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought, rma, shirts
from tests.pages.browser import Browser
from tests.staff.test_signin import joined
from tests.statements import statements


@pytest.fixture
def desk(app: Flask) -> Browser:
    return joined(app)


def parcel() -> Shipment:
    return session.query(Shipment).filter_by(rma_id=None).one()


def test_the_list_is_newest_first_and_searched_and_narrowed(desk: Browser) -> None:
    old = bought(number="1001", now=NOW - timedelta(days=9))
    new = bought(number="1002", email="bo@example.com")
    page = desk.get("/staff/orders").text
    assert page.index(new) < page.index(old)
    assert old not in desk.get("/staff/orders?q=bo@ex").text
    assert "No order fits" in desk.get("/staff/orders?status=cancelled").text
    assert "No order fits" in desk.get("/staff/orders?q=%00%25").text


def test_an_order_tells_everything_in_one_story(desk: Browser) -> None:
    order_id = bought()
    rma_id = ask(order_id, shirts(1, "changed_mind"), method="own_label")
    with inside(shop_id("fern")), writing():
        found = rma(rma_id)
        if found.status == "requested":
            approve(found, "staff:9 Sam", NOW)
        scan = {"key": "a", "at": NOW, "status": "in_transit", "message": "Left the hub"}
        session.add(StoredScan(shipment_id=parcel().id, offset_minutes=0, city="Austin", **scan))
    page = desk.get(f"/staff/orders/{order_id}").text
    for told in ("Order placed", "Left the hub · Austin", "Captured $", "Return approve", "Shirt"):
        assert told in page, told
    assert f"/staff/returns/{rma_id}" in page
    story = page[page.index('class="story"') :]
    times = re.findall(r'<time datetime="([^"]+)"', story)
    assert times == sorted(times, reverse=True)
    only = desk.get(f"/staff/orders/{order_id}?show=money").text
    assert "Captured $" in only
    assert "Left the hub" not in only


def test_a_story_costs_the_same_however_long_it_is(desk: Browser) -> None:
    order_id = bought()
    here = f"/staff/orders/{order_id}"
    desk.get(here)
    with statements() as few:
        desk.get(here)
    with inside(shop_id("fern")), writing():
        for n in range(30):
            scan = {"key": f"k{n}", "at": NOW, "status": "in_transit", "offset_minutes": 0}
            session.add(StoredScan(shipment_id=parcel().id, **scan))
    with statements() as many:
        desk.get(here)
    assert len(many) == len(few) <= 30


def test_a_parcels_number_is_corrected_and_it_is_followed_anew(desk: Browser) -> None:
    order_id = bought(shipments=[{"carrier": "UPS", "tracking_number": "WRONG"}])
    here = f"/staff/orders/{order_id}"
    with inside(shop_id("fern")):
        id = parcel().id
    path = f"/staff/shipments/{id}/correction"
    desk.send(path, form=here, carrier="UPS", tracking_number="1Z5R89W30310058842")
    with inside(shop_id("fern")):
        found = parcel()
        assert (found.tracking_number, found.problem) == ("1Z5R89W30310058842", "")
        entry = session.query(AuditEntry).filter_by(act="shipment.corrected").one()
        assert entry.before["tracking_number"] == "WRONG"
    same = desk.send(path, form=here, carrier="UPS", tracking_number="1Z5R89W30310058842")
    assert same.status_code == 409
    assert "what the parcel has already" in same.text
    assert desk.send(path, form=here, carrier="UPS", tracking_number=" ").status_code == 409


def test_the_carrier_is_asked_again_at_once(desk: Browser) -> None:
    order_id = bought()
    with inside(shop_id("fern")), writing():
        session.query(Due).filter_by(queue="poll").delete()
        id = parcel().id
    desk.send(f"/staff/shipments/{id}/question", form=f"/staff/orders/{order_id}")
    with inside(shop_id("fern")):
        assert session.query(Due).filter_by(queue="poll", subject=id).one().at <= clock.now()


def test_another_shops_order_is_not_there(app: Flask) -> None:
    order_id = bought()
    eve = joined(app, "eve@volta.test", "owner", "volta")
    assert eve.get(f"/staff/orders/{order_id}").status_code == 404
    assert order_id not in eve.get("/staff/orders?q=1001").text
    with inside(shop_id("fern")):
        assert session.query(Order).count() == 1
