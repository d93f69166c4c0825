"""The back door: parcels, what was seen, and who may come in."""

import ast
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

import portal.sandbox
from carriers.names import CARRIERS
from portal.sandbox import create_sandbox, serve
from portal.sandbox.carrier_names import NAMES
from tests.sandbox.conftest import KEY


def test_a_parcel_advances_scan_by_scan_until_its_story_is_over(door):
    door.parcel("DEMO0001", shown=1)
    statuses = [door.post("parcels/DEMO0001/advance")["status"] for _ in range(9)]
    assert statuses[-2:] == ["out_for_delivery", "delivered"]
    assert door.post("parcels/DEMO0001/advance")["advanced"] is False


def test_a_restarted_parcel_begins_anew(door, client, hands):
    door.parcel("DEMO0001", seconds=30)
    tracker = client.tracker.create(tracking_code="DEMO0001", carrier="UPS")
    hands.move(seconds=31)
    assert client.tracker.retrieve(tracker.id).status == "delivered"
    assert door.post("parcels/DEMO0001/restart")["status"] == "pre_transit"
    hands.move(seconds=31)
    assert client.tracker.retrieve(tracker.id).status == "delivered"


def test_a_parcel_registered_again_with_the_same_end_has_the_same_scans_and_tracker(
    door, client, hands
):
    given = {"ends": hands().isoformat(), "tracker_id": "trk_" + "a" * 32}
    first = door.parcel("DEMO0001", "customs", **given)
    before = client.tracker.retrieve(given["tracker_id"]).to_dict()
    hands.move(hours=5)
    assert door.parcel("DEMO0001", "customs", **given)["told"] == first["told"]
    after = client.tracker.retrieve(given["tracker_id"]).to_dict()
    assert after["tracking_details"] == before["tracking_details"]


def test_parcels_are_listed_with_what_is_told_and_planned(door):
    assert door.parcel("demo 0001", seconds=60)["planned"] == 9
    door.parcel("DEMO0002", "delivered")
    listed = door.get("parcels")["parcels"]
    assert [each["tracking_code"] for each in listed] == ["DEMO0001", "DEMO0002"]
    assert listed[0]["next_at"] is not None
    assert listed[1]["next_at"] is None
    assert door.get("parcels/DEMO0002")["status"] == "delivered"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "teleported"},
        {"carrier": "Royal Mail"},
        {"seconds": 0},
        {"days": "12"},
        {"tracking_code": "x"},
        {"ends": "2026-06-01T12:00:00"},
        {"tracker_id": "trk_1"},
        {"colour": "red"},
    ],
)
def test_a_parcel_that_means_nothing_is_refused(door, change):
    body = {"tracking_code": "DEMO0001", "carrier": "UPS", "kind": "on_time"} | change
    assert door.post("parcels", body, 422)["error"]["errors"]
    assert door.get("parcels")["parcels"] == []


def test_an_unknown_parcel_is_not_found(door):
    door.post("parcels/DEMO0009/advance", status=404)


def test_the_log_counts_what_was_asked_and_done_and_keeps_no_secret(door, client):
    client.webhook.create(url="http://127.0.0.1:9/x", webhook_secret="hidden-word")
    client.tracker.create(tracking_code="EZ7000000007")
    client.tracker.create(tracking_code="EZ7000000007")
    client.tracker.all(page_size=7)
    seen = door.get("log")
    assert seen["routes"] == {
        "POST /v2/webhooks": 1,
        "POST /v2/trackers": 2,
        "GET /v2/trackers": 1,
    }
    assert seen["effects"] == {"webhook.created": 1, "tracker.created": 1}
    assert [each["status"] for each in seen["requests"]] == [201, 201, 200, 200]
    assert seen["requests"][3]["query"] == {"page_size": ["7"]}
    assert seen["requests"][1]["body"] == {"tracker": {"tracking_code": "EZ7000000007"}}
    assert "hidden-word" not in str(seen)
    assert KEY not in str(seen)
    requests.delete(f"{door.url}/_sandbox/log", timeout=5)
    assert door.get("log")["requests"] == []


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://127.0.0.1:8000"}])
def test_the_door_is_shut_for_other_sites(box, headers):
    answer = requests.get(f"{box.url}/_sandbox/parcels", headers=headers, timeout=5)
    assert answer.status_code == 403


def test_the_door_is_shut_for_other_machines():
    client = create_sandbox(clock=lambda: datetime.now(UTC)).test_client()
    away = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/_sandbox/parcels", environ_overrides=away).status_code == 403
    assert client.get("/_sandbox/parcels").status_code == 200


def test_it_is_served_to_this_machine_only():
    with pytest.raises(ValueError, match="not a loopback address"):
        serve(create_sandbox(clock=lambda: datetime.now(UTC)), host="0.0.0.0")  # noqa: S104


def test_many_at_once_open_one_tracker(client, door):
    ids: list[str] = []

    def ask():
        ids.append(client.tracker.create(tracking_code="EZ1000000001").id)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 12
    assert len(set(ids)) == 1
    assert door.get("counts")["effects"]["tracker.created"] == 1


def test_the_stand_in_knows_nothing_of_the_product():
    """It stands outside: of ours it uses the told stories and itself."""
    for file in Path(portal.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                if name.partition(".")[0] in ("portal", "carriers", "returns", "themes"):
                    ours = name == "carriers.simulated" or name.startswith("portal.sandbox")
                    assert ours, f"{file.name} imports {name}"


@pytest.mark.parametrize("raw", [b"[" * 2000, b'{"tracker":' * 900, b"{" * 5, b"NaN", b"\xff"])
def test_a_hostile_body_is_refused_and_breaks_nothing(box, raw):
    for path in (
        "/v2/trackers",
        "/v2/webhooks",
        "/v2/shipments",
        "/_sandbox/parcels",
        "/_sandbox/faults",
    ):
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        answer = requests.post(box.url + path, data=raw, headers=headers, timeout=5)
        assert answer.status_code == 400


def test_it_takes_every_carrier_name_we_would_send():
    assert {carrier.code for carrier in CARRIERS} <= NAMES
