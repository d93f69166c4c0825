"""Every recorded answer goes through the real client and our normaliser, and nothing is lost."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from carriers.contract import BadPayload, Place, Rejected, Status
from carriers.easypost import EasyPost, normalise, read_event
from carriers.easypost_facts import STATUSES

KEY = "EZTKnotarealkey123"


def recordings(shared_data: Path) -> list[tuple[str, Any]]:
    folder = shared_data / "easypost"
    files = sorted(folder.rglob("*.json"))
    return [(str(f.relative_to(folder)), json.loads(f.read_bytes())) for f in files]


def objects(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every object of `kind` anywhere inside."""
    if isinstance(value, dict):
        if value.get("object") == kind:
            yield value
        for inner in value.values():
            yield from objects(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner, kind)


def test_every_recorded_tracker_is_read_whole(shared_data: Path) -> None:
    trackers = [
        (name, tracker)
        for name, recorded in recordings(shared_data)
        for tracker in objects(recorded, "Tracker")
    ]
    assert len(trackers) > 60
    for name, tracker in trackers:
        found = normalise(tracker)
        details = tracker["tracking_details"]
        assert found.raw == tracker, name
        assert [scan.raw for scan in found.scans] == details, name
        assert [scan.message for scan in found.scans] == [d["message"] for d in details], name
        for scan, told in zip(found.scans, details, strict=True):
            assert scan.at == datetime.fromisoformat(told["datetime"])
            assert scan.status is STATUSES[told["status"]]
            assert (scan.city, scan.postcode) == (
                told["tracking_location"]["city"],
                told["tracking_location"]["zip"],
            )
        assert found.status is STATUSES[tracker["status"]], name


def test_every_recorded_answer_passes_through_the_client(shared_data: Path, server: Any) -> None:
    """Served as recorded: trackers come out of the calls we make, the rest is never mistaken."""
    served = 0
    for name, recorded in recordings(shared_data):
        answer = recorded.get("response") if isinstance(recorded, dict) else None
        status, body = (answer["status"], answer["body"]) if answer else (200, recorded)
        if not isinstance(body, dict) or status >= 400:
            continue
        server.script = lambda handler, s=status, b=body: handler.send_object(s, b)
        client = EasyPost(KEY, server.base)
        served += 1
        if isinstance(body.get("trackers"), list):
            found = client.find("EZ1000000001")
            assert [t.raw for t in found] == body["trackers"], name
            assert [t.raw for t in client.open_trackers(["EZ1"])] == body["trackers"], name
        elif body.get("object") == "Tracker":
            assert client.open_tracker("USPS", "EZ1000000001").raw == body, name
        elif isinstance(body.get("webhooks"), list):
            assert len(client.webhooks()) == len(body["webhooks"]), name
        elif "tracking_code" not in body:
            with pytest.raises(Rejected if "error" in body else BadPayload):
                client.open_tracker("USPS", "EZ1000000001")
    assert served > 90


def test_every_recorded_event_is_read(shared_data: Path) -> None:
    events = [
        (name, event)
        for name, recorded in recordings(shared_data)
        for event in objects(recorded, "Event")
    ]
    assert len(events) > 20
    for name, event in events:
        found = read_event(json.dumps(event).encode())
        assert (found.id, found.description) == (event["id"], event["description"]), name
        about = event.get("result") or {}
        assert (found.result is not None) == (about.get("object") == "Tracker"), name
        assert found.raw == event, name


def test_what_the_carrier_told_besides_scans(shared_data: Path) -> None:
    path = shared_data / "easypost/tracker_states/delivered__arrived_at_destination.json"
    found = normalise(json.loads(path.read_bytes())["tracker"])
    assert found.status is Status.DELIVERED
    assert found.signed_by == "John Tester"
    assert found.service == "First-Class Package Service"
    assert (found.destination.city, found.destination.region) == ("CHARLESTON", "SC")
    assert found.origin.city == "NORTH HOUSTON"
    assert found.public_url
    assert found.attempted_at == found.scans[-1].at
    assert Status.ATTEMPT_FAILED not in {scan.status for scan in found.scans}


def tracker(**changed: Any) -> dict[str, Any]:
    return {"id": "trk_1", "object": "Tracker", "tracking_code": "1", "status": "unknown"} | changed


def detail(**changed: Any) -> dict[str, Any]:
    return {"datetime": "2026-03-01T10:00:00Z", "status": "in_transit"} | changed


@pytest.mark.parametrize(
    ("told", "at", "offset"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+00:00", None),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00+00:00", None),
        ("2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00+00:00", 60),
        ("2026-03-01T10:00:00+00:00", "2026-03-01T10:00:00+00:00", 0),
        ("2026-03-01T10:00:00.250-03:30", "2026-03-01T13:30:00.250+00:00", -210),
    ],
)
def test_local_times_keep_their_zone(told: str, at: str, offset: int | None) -> None:
    (scan,) = normalise(tracker(tracking_details=[detail(datetime=told)])).scans
    assert scan.at == datetime.fromisoformat(at)
    assert scan.at.tzinfo is UTC
    assert scan.offset_minutes == offset


@pytest.mark.parametrize(
    "told", [None, "", "13:58 PM", "0001-01-01T00:00:00+14:00", 5, "2026-13-01T00:00:00Z", [], {}]
)
def test_a_scan_without_a_readable_time_stays_in_raw(told: Any) -> None:
    given = tracker(tracking_details=[detail(datetime=told), detail()])
    found = normalise(given)
    assert len(found.scans) == 1
    assert found.raw == given


@pytest.mark.parametrize(
    ("told", "about", "instant", "day"),
    [
        ("2026-08-05T00:00:00Z", {}, None, date(2026, 8, 5)),
        ("2026-08-05T00:00:00", {}, None, date(2026, 8, 5)),
        ("2026-08-05T00:00:00-07:00", {}, None, date(2026, 8, 5)),
        ("2026-08-05", {}, None, date(2026, 8, 5)),
        (
            "2026-08-06T03:00:00Z",
            {"est_delivery_date_local": "2026-08-05"},
            datetime(2026, 8, 6, 3, tzinfo=UTC),
            date(2026, 8, 5),
        ),
        (
            "2026-08-05T20:00:00-07:00",
            {},
            datetime(2026, 8, 6, 3, tzinfo=UTC),
            date(2026, 8, 5),
        ),
        ("2026-08-06T03:00:00Z", {}, datetime(2026, 8, 6, 3, tzinfo=UTC), None),
        (None, {"est_delivery_date_local": "2026-08-05"}, None, date(2026, 8, 5)),
        ("soon", {"est_delivery_date_local": "later"}, None, None),
    ],
)
def test_an_estimated_day_never_moves(
    told: Any, about: dict[str, Any], instant: datetime | None, day: date | None
) -> None:
    found = normalise(tracker(est_delivery_date=told, carrier_detail=about))
    assert (found.estimated_delivery, found.estimated_local_date) == (instant, day)


@pytest.mark.parametrize(
    ("status", "sub_status", "ours", "kept"),
    [
        ("failure", "refused", Status.EXCEPTION, "refused"),
        ("error", None, Status.UNKNOWN, "error"),
        ("error", "unknown", Status.UNKNOWN, "error"),
        ("teleported", None, Status.UNKNOWN, "teleported"),
        ("teleported", "beamed", Status.UNKNOWN, "beamed"),
        ("Delivered", None, Status.UNKNOWN, "Delivered"),
        ("unknown", "unknown", Status.UNKNOWN, "unknown"),
        (None, None, Status.UNKNOWN, ""),
        (7, {"a": 1}, Status.UNKNOWN, "7"),
    ],
)
def test_an_unknown_word_stays_unknown(
    status: Any, sub_status: Any, ours: Status, kept: str
) -> None:
    found = normalise(tracker(tracking_details=[detail(status=status, status_detail=sub_status)]))
    assert (found.scans[0].status, found.scans[0].detail) == (ours, kept)


def test_only_the_told_instant_makes_an_attempt() -> None:
    text = "Delivery attempted, could not be delivered"
    rows = [
        detail(status="failure", message=text, datetime="2026-03-01T10:00:00Z"),
        detail(status="failure", message=text, datetime="2026-03-02T10:00:00Z"),
    ]
    about = {"initial_delivery_attempt": "2026-03-01T11:00:00+01:00"}
    found = normalise(tracker(tracking_details=rows, carrier_detail=about))
    assert [scan.status for scan in found.scans] == [Status.ATTEMPT_FAILED, Status.EXCEPTION]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"id": 7, "tracking_code": "1"},
        {"id": "trk_1"},
        {"id": "trk_1", "tracking_code": None},
        None,
        [],
        "trk_1",
    ],
)
def test_what_is_no_tracker_is_refused(broken: Any) -> None:
    with pytest.raises(BadPayload):
        normalise(broken)


TRACKER_FIELDS = (
    "status",
    "status_detail",
    "carrier",
    "tracking_details",
    "carrier_detail",
    "weight",
    "est_delivery_date",
    "updated_at",
    "signed_by",
    "public_url",
    "is_return",
    "finalized",
)
DETAIL_FIELDS = (
    "datetime",
    "message",
    "status",
    "status_detail",
    "source",
    "carrier_code",
    "tracking_location",
)
ABOUT_FIELDS = (
    "service",
    "destination_location",
    "origin_tracking_location",
    "initial_delivery_attempt",
    "est_delivery_date_local",
)


def test_wrong_types_everywhere_do_not_raise() -> None:
    wrong: list[Any] = [None, 7, 1.5, True, "x", "", [], {}, [None], {"a": {}}, [[1]], "2026-01-01"]
    for value in wrong:
        for name in TRACKER_FIELDS:
            normalise(tracker(**{name: value}))
        for name in DETAIL_FIELDS:
            normalise(tracker(tracking_details=[detail(**{name: value}), value]))
        for name in ABOUT_FIELDS:
            normalise(tracker(carrier_detail={name: value}))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("HOUSTON TX, 77001", Place("HOUSTON", "TX", None, "77001")),
        ("BROOKLYN HGTS NY US", Place("BROOKLYN HGTS", "NY", "US", None)),
        ("Köln", Place("Köln")),
        ("", Place()),
        (None, Place()),
    ],
)
def test_a_place_told_as_one_line(line: Any, place: Place) -> None:
    assert normalise(tracker(carrier_detail={"origin_location": line})).origin == place


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://x.example/", None, 7])
def test_only_https_becomes_a_link(address: Any) -> None:
    assert normalise(tracker(public_url=address)).public_url is None
