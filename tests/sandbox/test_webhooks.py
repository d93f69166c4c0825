"""Webhooks: signed, repeated until taken, disabled when nobody answers, unruly on demand."""

import json
import socket
from base64 import b64encode

import easypost.util
import pytest
from easypost.errors import InvalidRequestError, NotFoundError, SignatureVerificationError

from tests.sandbox.conftest import wait_until


@pytest.fixture
def hook(client, receiver):
    return client.webhook.create(url=receiver.url, webhook_secret="sécret ½")


@pytest.fixture
def parcel(client, door):
    """A demo parcel with a tracker and its whole story still to tell."""
    door.parcel("DEMO0001", shown=0)
    return client.tracker.create(tracking_code="DEMO0001", carrier="UPS")


def advance(door, times=1):
    for _ in range(times):
        door.post("parcels/DEMO0001/advance")


def quiet(door):
    wait_until(lambda: door.get("counts")["webhooks"]["waiting"] == 0)


def test_each_scan_is_pushed_whole_and_signed(hook, parcel, receiver, door):
    advance(door, 10)
    events = receiver.wait_for(11)
    assert [event["description"] for event in events] == ["tracker.created"] + (
        ["tracker.updated"] * 10
    )
    assert [len(event["result"]["tracking_details"]) for event in events] == list(range(11))
    assert events[1]["previous_attributes"] == {"status": "unknown"}
    assert events[-1]["result"]["status"] == "delivered"
    assert len({event["id"] for event in events}) == 11
    for headers, body in receiver.got:
        told = easypost.util.validate_webhook(body, headers, "sécret ½")
        assert told == json.loads(body)
        with pytest.raises(SignatureVerificationError):
            easypost.util.validate_webhook(body, headers, "other")


def test_a_webhook_without_a_secret_is_signed_with_the_default_one(client, receiver, parcel, door):
    client.webhook.create(url=receiver.url)
    advance(door)
    receiver.wait_for(1)
    headers, body = receiver.got[0]
    easypost.util.validate_webhook(body, headers, "fallback")


def test_custom_headers_travel_along(client, receiver, parcel, door):
    client.webhook.create(url=receiver.url, custom_headers=[{"name": "X-Shop", "value": "fern"}])
    advance(door)
    receiver.wait_for(1)
    assert receiver.got[0][0]["X-Shop"] == "fern"


def test_a_refused_delivery_comes_again_until_it_is_taken(hook, receiver, parcel, door, client):
    receiver.answers = [500, 404, 302]
    advance(door)
    events = receiver.wait_for(5)
    assert [event["description"] for event in events].count("tracker.created") >= 1
    quiet(door)
    by_id = {event["id"] for event in receiver.events()}
    assert len(by_id) == 2
    for event_id in by_id:
        event = client.event.retrieve(event_id)
        assert (event.status, event.completed_urls) == ("completed", [receiver.url])


def test_an_endpoint_that_never_answers_is_disabled_and_can_be_enabled_again(
    client, door, parcel, receiver
):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        dead = client.webhook.create(url=f"http://127.0.0.1:{held.getsockname()[1]}/hooks")
        advance(door, 3)
        wait_until(lambda: client.webhook.retrieve(dead.id).disabled_at is not None)
    quiet(door)
    sent = door.get("counts")["webhooks"]["refused"]
    advance(door)
    assert door.get("counts")["webhooks"] == {"refused": sent, "waiting": 0}
    assert client.webhook.update(dead.id, webhook_secret="new").disabled_at is None
    advance(door)
    wait_until(lambda: door.get("counts")["webhooks"]["refused"] > sent)


def test_another_machine_is_never_called(client, door, parcel):
    elsewhere = ("http://example.com/x", "https://127.0.0.1/x", "http://192.0.2.7/x")
    for url in (*elsewhere, "http://127.0.0.1:99999/x", "http://[/x"):
        client.webhook.create(url=url)
    advance(door)
    quiet(door)
    assert "sent" not in door.get("counts")["webhooks"]


def test_a_name_under_localhost_is_reached_with_its_own_host(client, receiver, parcel, door):
    client.webhook.create(url=receiver.url.replace("127.0.0.1", "fern.localhost"))
    advance(door)
    receiver.wait_for(1)
    assert receiver.got[0][0]["Host"].startswith("fern.localhost:")


def test_a_name_and_password_in_the_address_are_sent_along(client, receiver, parcel, door):
    client.webhook.create(url=receiver.url.replace("//", "//shop:p%40ss@"))
    advance(door)
    receiver.wait_for(1)
    headers = receiver.got[0][0]
    assert headers["Authorization"] == "Basic " + b64encode(b"shop:p@ss").decode()
    assert "@" not in headers["Host"]


def test_duplicates_are_the_same_event_twice(hook, receiver, parcel, door):
    receiver.wait_for(1)
    door.hook_fault("duplicate", times=2)
    advance(door, 3)
    ids = [event["id"] for event in receiver.wait_for(6)][1:]
    assert ids == [ids[0], ids[0], ids[2], ids[2], ids[4]]


def test_reordering_sends_the_later_one_first(hook, receiver, parcel, door):
    receiver.wait_for(1)
    door.hook_fault("reorder", times=2, seconds=30)
    advance(door, 3)
    events = receiver.wait_for(4)[1:]
    assert [len(event["result"]["tracking_details"]) for event in events] == [3, 2, 1]


def test_what_is_held_back_comes_in_the_end(hook, receiver, parcel, door):
    door.hook_fault("reorder", seconds=0.1)
    advance(door)
    assert len(receiver.wait_for(2)) == 2


def test_a_dropped_delivery_never_comes_and_can_be_asked_for(hook, receiver, parcel, door, client):
    receiver.wait_for(1)
    door.hook_fault("drop")
    advance(door)
    quiet(door)
    assert len(receiver.got) == 1
    again = client.event.create(result_id=parcel.id)
    events = receiver.wait_for(2)
    assert events[1]["id"] == again.id
    assert len(events[1]["result"]["tracking_details"]) == 1


def test_a_delayed_delivery_lets_others_pass(hook, receiver, parcel, door):
    receiver.wait_for(1)
    door.hook_fault("delay", seconds=0.3)
    advance(door, 2)
    events = receiver.wait_for(3)[1:]
    assert [len(event["result"]["tracking_details"]) for event in events] == [2, 1]


def test_a_deleted_tracker_is_silent(hook, receiver, parcel, door, client):
    receiver.wait_for(1)
    client.tracker.delete(parcel.id)
    advance(door)
    quiet(door)
    assert len(receiver.got) == 1


def test_a_deleted_webhook_is_gone(hook, receiver, door, client):
    client.webhook.delete(hook.id)
    with pytest.raises(NotFoundError):
        client.webhook.retrieve(hook.id)
    assert client.webhook.all()["webhooks"] == []
    client.tracker.create(tracking_code="EZ1000000001")
    quiet(door)
    assert receiver.got == []


@pytest.mark.parametrize(
    "asked",
    [
        {"url": "ftp://127.0.0.1/x"},
        {"url": ""},
        {},
        {"url": "http://127.0.0.1/x", "webhook_secret": 7},
        {"url": "http://127.0.0.1/☃"},
        {"url": "http://127.0.0.1/x", "events": ["tracker.updated"]},
        {"url": "http://127.0.0.1/x", "custom_headers": [{"name": "A\r\nB", "value": "x"}]},
    ],
)
def test_a_strange_webhook_is_refused(client, asked):
    with pytest.raises(InvalidRequestError):
        client.webhook.create(**asked)


def test_events_are_listed_newest_first_and_paged(client, parcel, door):
    advance(door, 4)
    page = client.event.all(page_size=3)
    assert page["has_more"] is True
    rest = client.event.get_next_page(page, page_size=3)
    descriptions = [each.description for each in page["events"] + rest["events"]]
    assert descriptions == ["tracker.updated"] * 4 + ["tracker.created"]
    with pytest.raises(NotFoundError):
        client.event.create(result_id="trk_" + "0" * 32)
