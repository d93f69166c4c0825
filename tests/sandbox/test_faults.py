"""The fault script: what is asked for happens, in order, as often as asked, and never more."""

import threading
import time

import pytest
import requests
from easypost.errors import (
    HttpError,
    InternalServerError,
    InvalidRequestError,
    JsonError,
    RateLimitError,
    ServiceUnavailableError,
    TimeoutError,
)

from tests.sandbox.conftest import KEY, wait_until
from tests.sandbox.test_shapes import SHIPMENT

DONE = {"truncated", "commit_then_drop", "empty", "null", "wrong_types", "html_200"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate_limited", RateLimitError),
        ("in_flight", InvalidRequestError),
        ("error_500", InternalServerError),
        ("error_503", ServiceUnavailableError),
        ("error_text", AttributeError),
        ("html_502", JsonError),
        ("html_200", JsonError),
        ("reset", HttpError),
        ("truncated", HttpError),
        ("commit_then_drop", HttpError),
        ("empty", JsonError),
        ("wrong_types", AttributeError),
    ],
)
def test_a_fault_hurts_once_and_the_work_is_done_only_where_it_says_so(client, door, fault, error):
    door.fault(fault)
    with pytest.raises(error):
        client.shipment.create(**SHIPMENT)
    made = door.get("counts")["effects"].get("shipment.created", 0)
    assert made == (1 if fault in DONE else 0)
    assert client.shipment.create(**SHIPMENT).id.startswith("shp_")


def test_null_is_an_answer_without_anything_in_it(client, door):
    door.fault("null")
    assert client.shipment.create(**SHIPMENT) is None


def test_wrong_types_keep_the_fields_and_change_every_leaf(box, door):
    door.fault("wrong_types")
    answer = requests.get(
        f"{box.api_base}/trackers", headers={"Authorization": f"Bearer {KEY}"}, timeout=5
    )
    assert answer.json() == {"trackers": [], "has_more": "maybe"}


def test_a_label_bought_behind_a_dropped_line_is_found_and_not_bought_twice(client, door):
    shipment = client.shipment.create(**SHIPMENT)
    door.fault("commit_then_drop", route="POST /v2/shipments/<id>/buy")
    with pytest.raises(HttpError):
        client.shipment.buy(shipment.id, rate={"id": shipment.rates[0].id})
    assert client.shipment.retrieve(shipment.id).postage_label.label_url
    assert door.get("counts")["effects"]["label.bought"] == 1


def test_a_slow_answer_is_whole_and_too_late(box, client, door):
    door.fault("slow", seconds=0.4)
    client.timeout = 0.1
    with pytest.raises(TimeoutError):
        client.tracker.create(tracking_code="EZ1000000001")
    client.timeout = 5
    door.fault("slow", seconds=0.2)
    started = time.monotonic()
    assert client.tracker.create(tracking_code="EZ1000000001").status == "pre_transit"
    assert time.monotonic() - started >= 0.2


def test_a_slow_answer_holds_up_nobody_else(box, client, door):
    door.fault("slow", seconds=3, method="GET")
    headers = {"Authorization": f"Bearer {KEY}"}
    slow = threading.Thread(
        target=requests.get, args=(f"{box.api_base}/events",), kwargs={"headers": headers}
    )
    slow.start()
    wait_until(lambda: door.get("faults")["waiting"] == [])
    assert client.tracker.create(tracking_code="EZ1000000001").status == "pre_transit"
    assert slow.is_alive()
    slow.join()


@pytest.mark.parametrize(("more", "header"), [({}, None), ({"retry_after": 3}, "3")])
def test_too_many_questions_may_say_when_to_come_back(box, door, more, header):
    door.fault("rate_limited", **more)
    answer = requests.post(f"{box.api_base}/trackers", json={}, timeout=5)
    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == header
    assert answer.json()["error"]["code"] == "RATE_LIMITED"


def test_faults_come_in_order_and_only_where_they_fit(box, door):
    door.fault("error_500", path_prefix="/v2/trackers", times=2)
    door.fault("rate_limited", path_prefix="/v2/trackers")
    door.fault("html_502", method="POST", path_prefix="/v2/events")

    def get(path):
        headers = {"Authorization": f"Bearer {KEY}"}
        return requests.get(box.api_base + path, headers=headers, timeout=5).status_code

    assert [get("/events"), get("/trackers"), get("/trackers"), get("/events")] == [
        200,
        500,
        500,
        200,
    ]
    assert [get("/trackers"), get("/trackers")] == [429, 200]
    assert [each["fault"] for each in door.get("faults")["waiting"]] == ["html_502"]


def test_a_script_can_be_torn_up(client, door):
    door.fault("error_500", times=100)
    requests.delete(f"{door.url}/_sandbox/faults", timeout=5)
    assert client.tracker.all()["trackers"] == []


@pytest.mark.parametrize(
    "body", [{}, {"fault": "explode"}, {"fault": "slow", "times": 0}, {"fault": "slow", "x": 1}]
)
def test_a_script_that_means_nothing_is_refused(door, body):
    door.post("faults", body, 422)
