"""Trackers through the real client."""

from datetime import datetime, timedelta

import easypost
import pytest
import requests
from easypost.errors import InvalidRequestError, NotFoundError, UnauthorizedError

from tests.sandbox.conftest import KEY, wait_until

STANDING = {
    "EZ1000000001": "pre_transit",
    "EZ2000000002": "in_transit",
    "EZ3000000003": "out_for_delivery",
    "EZ4000000004": "delivered",
    "EZ5000000005": "return_to_sender",
    "EZ6000000006": "failure",
    "EZ7000000007": "unknown",
}


@pytest.mark.parametrize(("code", "status"), STANDING.items())
def test_a_test_number_stands_in_its_state_and_never_moves(client, hands, code, status):
    tracker = client.tracker.create(tracking_code=code, carrier="USPS")
    hands.move(days=20)
    again = client.tracker.retrieve(tracker.id)
    assert tracker.status == again.status == status
    assert again.to_dict() == tracker.to_dict()
    assert bool(tracker.tracking_details) == (status != "unknown")


def test_any_other_number_stays_unknown_without_scans(client, hands):
    tracker = client.tracker.create(tracking_code="1Z999AA10123456784", carrier="UPS")
    hands.move(days=20)
    again = client.tracker.retrieve(tracker.id)
    assert (again.status, again.tracking_details, again.carrier) == ("unknown", [], "UPS")


def test_a_moving_parcel_is_told_scan_by_scan_up_to_its_delivery(client, door, hands):
    door.parcel("DEMO0001", seconds=60)
    tracker = client.tracker.create(tracking_code="DEMO0001", carrier="UPS")
    seen = [tracker.to_dict()["tracking_details"]]
    for _ in range(7):
        hands.move(seconds=10)
        tracker = client.tracker.retrieve(tracker.id)
        details = tracker.to_dict()["tracking_details"]
        assert details[: len(seen[-1])] == seen[-1]
        assert all(datetime.fromisoformat(each["datetime"]) <= hands() for each in details)
        seen.append(details)
    assert tracker.status == "delivered"
    assert hands() - datetime.fromisoformat(seen[-1][-1]["datetime"]) < timedelta(seconds=15)
    assert tracker.finalized is True


def test_the_first_try_at_the_door_is_dated_in_the_carrier_detail(client, door):
    door.parcel("DEMO0002", "attempt_failed")
    tracker = client.tracker.create(tracking_code="DEMO0002", carrier="UPS")
    attempt = tracker.carrier_detail.initial_delivery_attempt
    assert attempt == tracker.tracking_details[-1].datetime


def test_local_times_carry_the_offset_of_their_town_and_name_the_same_instant(client, door):
    door.parcel("DEMO0003", ends="2026-06-01T12:00:00+00:00", local_times=True)
    door.parcel("DEMO0004", ends="2026-06-01T12:00:00+00:00")
    local, utc = (
        client.tracker.create(tracking_code=code, carrier="UPS").to_dict()["tracking_details"]
        for code in ("DEMO0003", "DEMO0004")
    )
    assert local[1]["datetime"].endswith("-07:00")
    assert utc[1]["datetime"].endswith("Z")
    moments = [[datetime.fromisoformat(each["datetime"]) for each in side] for side in (local, utc)]
    assert moments[0] == moments[1]


def test_the_same_number_and_carrier_is_the_same_tracker_for_three_months(box, client, hands):
    def post():
        return requests.post(
            f"{box.api_base}/trackers",
            json={"tracker": {"tracking_code": "ez1000000001 ", "carrier": "USPS"}},
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=5,
        )

    first, second = post(), post()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    other = client.tracker.create(tracking_code="EZ1000000001", carrier="FedEx")
    assert other.id != first.json()["id"]
    hands.move(days=91)
    assert post().json()["id"] != first.json()["id"]


def test_lists_are_newest_first_filtered_and_paged(client):
    codes = [f"94001002083031095{number:05}" for number in range(7)]
    ids = [client.tracker.create(tracking_code=code, carrier="USPS").id for code in codes]
    page = client.tracker.all(page_size=3)
    assert [each.id for each in page["trackers"]] == ids[:3:-1]
    assert page["has_more"] is True
    page = client.tracker.get_next_page(page, page_size=3)
    assert [each.id for each in page["trackers"]] == ids[3:0:-1]
    page = client.tracker.get_next_page(page, page_size=3)
    assert [each.id for each in page["trackers"]] == ids[:1]
    assert page["has_more"] is False
    found = client.tracker.all(tracking_codes=[codes[2], codes[5]])
    assert [each.id for each in found["trackers"]] == [ids[5], ids[2]]
    assert client.tracker.all(tracking_codes=codes, carrier="UPS")["trackers"] == []


def test_a_list_reaches_back_a_month_unless_told_otherwise(client, hands):
    old = client.tracker.create(tracking_code="EZ1000000001")
    hands.move(days=40)
    assert client.tracker.all()["trackers"] == []
    since = (hands() - timedelta(days=50)).isoformat()
    assert client.tracker.all(start_datetime=since)["trackers"][0].id == old.id


def test_a_batch_opens_up_to_a_hundred_trackers(client):
    codes = [f"9400{number:018}" for number in range(100)]
    assert len(client.tracker.retrieve_batch(tracking_codes=codes).trackers) == 100
    with pytest.raises(InvalidRequestError):
        client.tracker.retrieve_batch(tracking_codes=[*codes, "EZ1000000001"])


def test_a_deleted_tracker_is_gone(client):
    tracker = client.tracker.create(tracking_code="EZ1000000001")
    client.tracker.delete(tracker.id)
    with pytest.raises(NotFoundError):
        client.tracker.retrieve(tracker.id)
    with pytest.raises(NotFoundError):
        client.tracker.delete(tracker.id)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"tracking_code": "1Z1", "carrier": "UPS"}, "UNPROCESSABLE_ENTITY"),
        ({"carrier": "UPS"}, "PARAMETER.REQUIRED"),
        ({}, "PARAMETER.REQUIRED"),
        ({"tracking_code": 12345678}, "UNPROCESSABLE_ENTITY"),
        ({"tracking_code": "12345678", "carrier": "Royal Mail"}, "TRACKER.UNSUPPORTED_CARRIER"),
        ({"tracking_code": "12345678"}, "TRACKER.NO_CARRIER_FOR_CODE"),
        ({"tracking_code": "DEMO0001", "carrier": "USPS"}, "TRACKER.CARRIER_CODE_MISMATCH"),
        ({"tracking_code": "EZ1000000001", "colour": "red"}, "UNPROCESSABLE_ENTITY"),
    ],
)
def test_what_easypost_would_not_take_is_refused_by_name(client, door, asked, code):
    door.parcel("DEMO0001")
    with pytest.raises(InvalidRequestError) as refused:
        client.tracker.create(**asked)
    assert refused.value.code == code
    assert refused.value.errors[0]["field"]
    assert refused.value.errors[0]["message"]
    assert door.get("counts")["effects"].get("tracker.created", 0) == 0


@pytest.mark.parametrize("query", [{"page_size": 101}, {"page_size": "x"}, {"colour": "red"}])
def test_a_strange_query_is_refused(client, query):
    with pytest.raises(InvalidRequestError):
        client.tracker.all(**query)


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic !!", "Bearer ", "Digest x"])
def test_without_the_right_key_nothing_is_answered(box, header):
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{box.api_base}/trackers", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"code", "message", "errors"}


def test_the_client_knows_a_wrong_key(box):
    client = easypost.EasyPostClient("EZTKother", api_base=box.api_base, timeout=5)
    with pytest.raises(UnauthorizedError):
        client.tracker.retrieve("trk_" + "0" * 32)
    client._requests_session.close()


def test_a_key_may_come_as_basic_too(box):
    answer = requests.get(f"{box.api_base}/trackers", auth=(KEY, ""), timeout=5)
    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("PUT", "/trackers")])
def test_an_unknown_way_in_answers_in_the_envelope(box, method, path):
    answer = requests.request(
        method, box.api_base + path, headers={"Authorization": f"Bearer {KEY}"}, timeout=5
    )
    assert answer.status_code in (404, 405)
    assert set(answer.json()["error"]) == {"code", "message", "errors"}


def test_a_body_that_is_no_object_is_refused(box):
    for raw in (b"{", b"[]", b"null", b'"x"', b"\xff"):
        answer = requests.post(
            f"{box.api_base}/trackers",
            data=raw,
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
            timeout=5,
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "BAD_REQUEST"


def test_stories_are_told_though_nobody_asks(door, client, hands):
    door.parcel("DEMO0009", seconds=60)
    client.tracker.create(tracking_code="DEMO0009", carrier="UPS")
    hands.move(seconds=61)
    wait_until(lambda: door.get("counts")["effects"].get("tracker.updated", 0) == 9)
