"""EasyPost's hook: who may speak, what is kept, and whose parcel it is about."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from werkzeug.serving import make_server

from carriers.easypost import sign
from portal import clock
from portal.db import inside, session, writing
from portal.hooks.easypost import MOST_BYTES
from portal.models import Order, Shipment, Shop
from tests.conftest import shop_id
from tests.jobs.conftest import box, door, hands, house
from tests.jobs.house import NUMBER, SECRET, House, event
from tests.sandbox.conftest import Door, wait_until

__all__ = ["box", "door", "hands", "house"]

HOOK = "/hooks/easypost/fern"


def tracker(number: str = NUMBER, status: str = "in_transit", **more: Any) -> dict[str, Any]:
    """A tracker as EasyPost sends it, with one scan of a minute ago."""
    scan = {
        "object": "TrackingDetail",
        "message": "Departed",
        "status": status,
        "status_detail": "status_update",
        "datetime": (clock.now() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": "UPS",
        "tracking_location": {"city": "Ohio City", "state": "OH", "country": "US", "zip": "44113"},
    }
    return {
        "id": f"trk_{uuid4().hex}",
        "object": "Tracker",
        "tracking_code": number,
        "carrier": "UPS",
        "status": status,
        "status_detail": "status_update",
        "updated_at": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tracking_details": [scan],
    } | more


def state_of(house: House, order: dict[str, Any], slug: str = "fern") -> str:
    return house.parcel(order, slug=slug).status


# --- who may speak ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signature",
    [
        "hmac-sha256-hex=" + "0" * 64,
        "",
        "hmac-sha256-hex=",
        "hmac-sha256-hex=\xe9\xff",
        sign(b"another body", SECRET),
        sign(event(tracker()), ""),
    ],
    ids=["zeros", "none", "no_digest", "not_ascii", "another_body", "empty_secret"],
)
def test_a_wrong_signature_is_401_and_nothing_is_kept(house: House, signature: str) -> None:
    answer = house.push_raw(event(tracker()), **{"X-Hmac-Signature": signature})
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert house.events() == []


def test_without_a_signature_it_is_401(house: House) -> None:
    answer = house.app.test_client().post(HOOK, data=event(tracker()))
    assert answer.status_code == 401


def test_without_a_secret_the_hook_is_off(app) -> None:
    body = event(tracker())
    for signature in (sign(body, ""), sign(body, SECRET)):
        answer = app.test_client().post(HOOK, data=body, headers={"X-Hmac-Signature": signature})
        assert answer.status_code == 503
        assert "EASYPOST_WEBHOOK_SECRET" in answer.json["detail"]


def test_a_secret_sealed_with_a_lost_key_is_503_and_spoils_no_other_shop(house: House) -> None:
    with writing():
        volta = session.get_one(Shop, shop_id("volta"))
        volta.sealed_keys = {"easypost_webhook_secret": "gAAAAA-not-to-be-opened"}
    assert house.push(tracker(), slug="volta").status_code == 503
    order = house.order()
    assert house.push(tracker()).status_code == 200
    house.work("apply")
    assert state_of(house, order) == "in_transit"


def test_an_unknown_shop_is_404(house: House) -> None:
    assert house.push(tracker(), slug="nobody").status_code == 404


def test_a_shop_with_its_own_secret_takes_no_other(house: House) -> None:
    with writing():
        session.get_one(Shop, shop_id("volta")).keep_key("easypost_webhook_secret", "its own")
    body = event(tracker())
    assert house.push_raw(body, "volta").status_code == 401
    own = house.push_raw(body, "volta", **{"X-Hmac-Signature": sign(body, "its own")})
    assert own.status_code == 200


def v2(body: bytes, *, path: str = HOOK, told: str = HOOK, minutes: float = 0) -> dict[str, str]:
    stamp = format_datetime(clock.now() + timedelta(minutes=minutes))
    signature = sign(f"{stamp}POST{path}".encode() + body, SECRET)
    return {"X-Timestamp": stamp, "X-Path": told, "X-Hmac-Signature-V2": signature}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"minutes": 4}, 200),
        ({"minutes": -4}, 200),
        ({"minutes": -6}, 401),
        ({"minutes": 6}, 401),
        ({"told": "/hooks/easypost/volta"}, 401),
        ({"path": "/hooks/easypost/volta", "told": "/hooks/easypost/volta"}, 401),
    ],
    ids=str,
)
def test_the_second_version_must_hold_too_where_it_is_sent(
    house: House, headers: dict[str, Any], status: int
) -> None:
    body = event(tracker())
    assert house.push_raw(body, **v2(body, **headers)).status_code == status


def test_the_second_version_alone_is_enough(house: House) -> None:
    body = event(tracker())
    answer = house.app.test_client().post(HOOK, data=body, headers=v2(body))
    assert answer.status_code == 200


def test_only_post_is_taken(house: House) -> None:
    assert house.app.test_client().get(HOOK).status_code == 405


# --- what is kept -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b'{"id": NaN}',
        b'{"id": 1, "id": 2}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        event({"id": "trk_1", "object": "Tracker"}),
        event({**tracker(), "tracking_code": None}),
    ],
    ids=lambda body: repr(body[:10]),
)
def test_what_is_signed_but_unreadable_is_kept_for_staff_and_422(house: House, body: bytes) -> None:
    for _ in range(2):
        answer = house.push_raw(body)
        assert answer.status_code == 422
        assert "kept" in answer.json["detail"]
    assert [state for state, _ in house.events()] == ["quarantined"]
    assert house.work("apply") == 0


@pytest.mark.parametrize(
    "body",
    [
        event({"id": "batch_1", "object": "Batch", "state": "created"}, None, "batch.created"),
        event({"object": "Marmalade"}, None, "marmalade.spread"),
        event("a word"),
        event(None),
        b"{}",
    ],
    ids=lambda body: repr(body[-40:]),
)
def test_types_and_objects_we_do_not_know_are_taken_with_200(house: House, body: bytes) -> None:
    assert house.push_raw(body).status_code == 200
    assert [state for state, _ in house.events()] == ["ignored"]


def test_every_recorded_event_is_taken(house: House, shared_data: Path) -> None:
    paths = sorted((shared_data / "easypost").glob("webhook_vectors/*.json"))
    paths = [path for path in paths if path.name != "vectors.json"]
    assert paths
    for path in paths:
        assert house.push_raw(path.read_bytes()).status_code == 200, path.name


def test_the_same_event_is_worked_on_once(house: House) -> None:
    order = house.order()
    said = tracker()
    answers = [house.push(said, event_id="evt_1").json["status"] for _ in range(3)]
    assert answers == ["received", "duplicate", "duplicate"]
    assert house.work("apply") == 1
    assert house.push(said, event_id="evt_1").json["status"] == "duplicate"
    assert house.work("apply") == 0
    assert len(house.parcel(order).scans) == 1


def test_an_event_id_of_any_length_is_taken(house: House) -> None:
    for event_id in ("e" * 500, "ä" * 79, "\x00"):
        assert house.push(tracker(), event_id=event_id).status_code == 200
    assert len(house.events()) == 3


def test_a_body_that_is_too_large_is_413(house: House) -> None:
    body = event({**tracker(), "signed_by": "x" * MOST_BYTES})
    assert house.push_raw(body).status_code == 413
    assert house.events() == []


def test_hostile_text_in_every_field_does_no_harm(house: House, shared_data: Path) -> None:
    order = house.order()
    texts = (
        json.loads((shared_data / "security/blns.json").read_text())
        if (shared_data / "security/blns.json").exists()
        else ["\x00", "‮", "<script>", "'; DROP TABLE orders", "\ud800"]
    )
    for text in texts[:120]:
        said = tracker(signed_by=text, status_detail=text)
        said["tracking_details"][0] |= {"message": text, "source": text, "status_detail": text}
        said["tracking_details"][0]["tracking_location"] |= {"city": text, "zip": text}
        assert house.push(said).status_code in (200, 422)
    house.work("apply")
    assert {state for state, _ in house.events()} <= {"applied", "quarantined"}
    assert state_of(house, order) == "in_transit"


# --- whose parcel it is -------------------------------------------------------------------------


def test_an_event_for_an_order_that_comes_later_is_not_lost(house: House) -> None:
    house.push(tracker())
    house.work("apply")
    assert [state for state, _ in house.events()] == ["unmatched"]
    order = house.order()
    house.work("apply")
    assert state_of(house, order) == "in_transit"
    assert [state for state, _ in house.events()] == ["applied"]


def test_the_same_number_in_two_shops_is_told_to_both_by_their_own_hooks(house: House) -> None:
    orders = {slug: house.order(slug=slug) for slug in ("fern", "volta")}
    said = tracker()
    for slug in orders:  # EasyPost sends one event to every address of the account
        assert house.push(said, slug=slug, event_id="evt_1").json["status"] == "received"
        house.work("apply")
        assert state_of(house, orders[slug], slug) == "in_transit"


def test_before_it_is_known_by_id_a_number_means_the_shop_that_was_named(house: House) -> None:
    orders = {slug: house.order(slug=slug) for slug in ("fern", "volta")}
    house.push(tracker(), slug="volta")
    house.work("apply")
    assert state_of(house, orders["fern"]) == "unknown"
    assert state_of(house, orders["volta"], "volta") == "in_transit"


def test_once_known_by_id_all_shops_of_the_account_hear(house: House, door: Door) -> None:
    door.parcel(NUMBER, shown=0)
    orders = {slug: house.order(slug=slug) for slug in ("fern", "volta")}
    house.work("poll")
    known = house.parcel(orders["fern"]).provider_id
    assert known == house.parcel(orders["volta"], slug="volta").provider_id
    house.push(tracker(id=known), slug="volta")
    house.work("apply")
    for slug, order in orders.items():
        assert state_of(house, order, slug) == "in_transit"


def test_a_shop_with_another_account_hears_nothing_of_ours(house: House, door: Door) -> None:
    door.parcel(NUMBER, shown=0)
    orders = {slug: house.order(slug=slug) for slug in ("fern", "volta")}
    house.work("poll")
    with writing():
        session.get_one(Shop, shop_id("volta")).keep_key("easypost_webhook_secret", "its own")
    house.push(tracker(id=house.parcel(orders["fern"]).provider_id))
    house.work("apply")
    assert state_of(house, orders["volta"], "volta") == "unknown"


def two_years_ago(house: House, order: dict[str, Any]) -> None:
    """Move an order and its parcel two years back."""
    then = clock.now() - timedelta(days=730)
    with inside(shop_id("fern")), writing():
        session.get_one(Order, order["id"]).created_at = then
        session.get_one(Order, order["id"]).placed_at = then
        parcel = session.get_one(Shipment, order["shipments"][0]["id"])
        parcel.created_at = then


def test_a_number_used_again_after_two_years_tells_of_the_new_parcel_alone(house: House) -> None:
    old = house.order("1")
    house.push(tracker(status="delivered", id="trk_" + "1" * 32))
    house.work("apply")
    two_years_ago(house, old)
    new = house.order("2")
    house.push(tracker(id="trk_" + "2" * 32))
    house.work("apply")
    assert state_of(house, new) == "in_transit"
    assert state_of(house, old) == "delivered"
    back = tracker(id="trk_" + "1" * 32, status="return_to_sender")
    back["tracking_details"][0]["datetime"] = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    house.push(back)
    house.work("apply")
    assert state_of(house, old) == "return_to_sender", "known by its id, however old"
    assert state_of(house, new) == "in_transit"


def test_a_new_parcel_of_an_old_number_waits_for_its_order(house: House) -> None:
    old = house.order("1")
    two_years_ago(house, old)
    house.push(tracker(id="trk_" + "2" * 32))
    house.work("apply")
    assert state_of(house, old) == "unknown"
    new = house.order("2")
    house.work("apply")
    assert state_of(house, new) == "in_transit"


def test_an_old_parcels_scans_in_a_new_tracker_decide_nothing(house: House) -> None:
    order = house.order(placed_at=clock.now().isoformat())
    said = tracker(status="delivered")
    said["tracking_details"][0]["datetime"] = "2024-01-01T10:00:00Z"
    house.push(said)
    house.work("apply")
    assert state_of(house, order) == "unknown"


def test_an_event_of_another_carrier_with_the_same_number_is_not_ours(house: House) -> None:
    order = house.order()
    house.push(tracker(carrier="RoyalMail"))
    house.work("apply")
    assert state_of(house, order) == "unknown"


# --- over real HTTP -----------------------------------------------------------------------------


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """The house served on loopback."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_a_parcel_moves_by_the_stand_ins_own_hooks(house: House, door: Door, address: str) -> None:
    """Duplicated, dropped, delayed and reordered: after one question nothing is missing."""
    key = {"Authorization": "Bearer EZTKhouse"}
    hook = {"webhook": {"url": f"{address}{HOOK}", "webhook_secret": SECRET}}
    requests.post(f"{door.url}/v2/webhooks", json=hook, headers=key, timeout=5)
    door.parcel(NUMBER, shown=0)
    order = house.order()
    house.work("poll")
    for fault in ("duplicate", "reorder", "drop", "duplicate"):
        door.hook_fault(fault, seconds=0.1)
    while door.post(f"parcels/{NUMBER}/advance")["advanced"]:
        pass
    wait_until(lambda: door.get("counts")["webhooks"]["waiting"] == 0, 15)
    house.work("apply")
    house.due_now()
    house.work("poll")
    parcel = house.parcel(order)
    told = door.get(f"parcels/{NUMBER}")["told"]
    assert (parcel.status, len(parcel.scans)) == ("delivered", len(told))
