"""Our answers have the shape of the recorded ones: the same fields, the same JSON types."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import KEY

FREE = {"Shipment.options"}  # whatever was asked


@dataclass
class Shapes:
    """For each kind of object: fields always there, fields ever there, and their types."""

    always: dict[str, set[str]] = field(default_factory=dict)
    types: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def learn(self, value: Any, name: str) -> None:
        if isinstance(value, list):
            for inner in value:
                self.learn(inner, name)
        elif isinstance(value, dict):
            name = kind(value, name)
            self.always[name] = self.always.get(name, set(value)) & set(value)
            for key, inner in value.items():
                self.types[name, key].add(type(inner).__name__)
                self.learn(inner, f"{name}.{key}")

    def differences(self, value: Any, name: str) -> list[str]:
        if isinstance(value, list):
            return [found for inner in value for found in self.differences(inner, name)]
        if not isinstance(value, dict) or name in FREE:
            return []
        name = kind(value, name)
        if name not in self.always:
            return [f"{name} was never recorded"]
        found = [f"{name}.{key} is missing" for key in self.always[name] - set(value)]
        for key, inner in value.items():
            seen = self.types.get((name, key), set())
            if type(inner).__name__ not in seen:
                found.append(f"{name}.{key} is {type(inner).__name__}, recorded {seen}")
            found += self.differences(inner, f"{name}.{key}")
        return found


def kind(value: dict[str, Any], name: str) -> str:
    return value["object"] if isinstance(value.get("object"), str) else name


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> Shapes:
    """Learnt from recorded answers and documented bodies of the objects we stand in for."""
    shapes = Shapes()
    folders = ("trackers", "tracker_states", "shipments", "refunds", "rates", "webhooks")
    for folder in folders:
        for file in sorted((shared_data / "easypost" / folder).glob("*.json")):
            if "luma" in file.name or "beta" in file.name:
                continue  # other calls, other shapes
            whole = json.loads(file.read_bytes())
            shapes.learn(whole.get("response", {}).get("body", whole), folder)
    shapes.learn(vector(shared_data), "event")
    return shapes


def vector(shared_data: Path) -> Any:
    return json.loads((shared_data / "easypost/webhook_vectors/event-body.json").read_bytes())


def body_of(shared_data: Path, file: str) -> Any:
    return json.loads((shared_data / "easypost" / file).read_bytes())["response"]["body"]


def same_fields(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where the two differ in fields or, both being given, in type; lists by their first item."""
    if type(ours) is not type(theirs):
        return [] if None in (ours, theirs) else [f"{path}: {type(ours)} is not {type(theirs)}"]
    if isinstance(ours, list) and ours and theirs:
        return same_fields(ours[0], theirs[0], f"{path}[]")
    if not isinstance(ours, dict):
        return []
    found = [f"{path}.{key} on one side only" for key in set(ours) ^ set(theirs)]
    return found + [
        line
        for key in set(ours) & set(theirs)
        for line in same_fields(ours[key], theirs[key], f"{path}.{key}")
    ]


@pytest.fixture
def ask(box):
    def ask(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        return requests.request(
            method, box.api_base + path, json=body, headers=headers, timeout=5
        ).json()

    return ask


ADDRESS = {
    "name": "Ida Probe",
    "street1": "1 Test Row",
    "street2": "Floor 2",
    "city": "Portland",
    "state": "OR",
    "zip": "97209",
    "country": "US",
    "phone": "5035550100",
    "email": "ida@example.org",
}
CUSTOMS = {
    "contents_type": "merchandise",
    "contents_explanation": "",
    "customs_certify": True,
    "customs_signer": "Ida Probe",
    "eel_pfc": "NOEEI 30.37(a)",
    "non_delivery_option": "return",
    "restriction_type": "none",
    "customs_items": [
        {
            "description": "Scarf",
            "quantity": 1,
            "weight": 5,
            "value": 19.5,
            "hs_tariff_number": "621420",
            "origin_country": "US",
        }
    ],
}
SHIPMENT = {
    "to_address": ADDRESS,
    "from_address": ADDRESS | {"name": "Fern"},
    "parcel": {"weight": 20.5, "length": 9, "width": 6, "height": 2},
    "customs_info": CUSTOMS,
    "options": {"label_format": "PNG", "invoice_number": "7"},
    "reference": "rma-7",
}


@pytest.mark.parametrize("code", [f"EZ{n}00000000{n}" for n in range(1, 8)])
def test_a_tracker_of_each_test_number_has_the_recorded_shape(ask, recorded, shared_data, code):
    ours = ask("POST", "/trackers", {"tracker": {"tracking_code": code}})
    assert recorded.differences(ours, "Tracker") == []
    assert recorded.differences(ask("GET", f"/trackers/{ours['id']}"), "Tracker") == []
    assert same_fields(ours, body_of(shared_data, "trackers/create_201.json")) == []


@pytest.mark.parametrize("kind", ["on_time", "attempt_failed", "customs", "return_to_sender"])
def test_a_demo_parcel_has_the_recorded_shape(ask, door, recorded, shared_data, kind):
    door.parcel("DEMO0001", kind)
    ours = ask("POST", "/trackers", {"tracker": {"tracking_code": "DEMO0001"}})
    assert recorded.differences(ours, "Tracker") == []
    assert same_fields(ours, body_of(shared_data, "trackers/create_201.json")) == []


def test_tracker_lists_have_the_recorded_shape(ask, shared_data, recorded):
    batch = ask("POST", "/trackers/batch", {"tracking_codes": ["EZ4000000004"]})
    assert same_fields(batch, body_of(shared_data, "trackers/retrieve_batch.json")) == []
    ours = ask("GET", "/trackers?tracking_codes[]=EZ4000000004&page_size=5")
    assert len(ours["trackers"]) == 1
    assert recorded.differences(ours, "trackers") == []
    assert set(ours) == set(body_of(shared_data, "trackers/list_page1.json"))


def test_deleting_answers_as_recorded(ask, shared_data):
    tracker = ask("POST", "/trackers", {"tracker": {"tracking_code": "EZ4000000004"}})
    deleted = ask("DELETE", f"/trackers/{tracker['id']}")
    assert deleted == body_of(shared_data, "trackers/delete.json")


def test_webhooks_have_the_recorded_shape_and_no_secret(ask, shared_data):
    asked = {"url": "http://127.0.0.1:9/x", "webhook_secret": "s3cret"}
    asked["custom_headers"] = [{"name": "X-Shop", "value": "fern"}]
    ours = ask("POST", "/webhooks", {"webhook": asked})
    assert same_fields(ours, body_of(shared_data, "webhooks/create.json")) == []
    assert "s3cret" not in json.dumps(ours)
    shown = ask("GET", f"/webhooks/{ours['id']}")
    assert same_fields(shown, body_of(shared_data, "webhooks/retrieve.json")) == []
    changed = ask("PATCH", f"/webhooks/{ours['id']}", {"webhook_secret": "other"})
    assert same_fields(changed, body_of(shared_data, "webhooks/update.json")) == []
    listed = ask("GET", "/webhooks?page_size=5")
    assert set(listed) == set(body_of(shared_data, "webhooks/list.json"))
    gone = ask("DELETE", f"/webhooks/{ours['id']}")
    assert gone == body_of(shared_data, "webhooks/delete.json")


def test_events_have_the_recorded_shape(ask, shared_data):
    tracker = ask("POST", "/trackers", {"tracker": {"tracking_code": "EZ4000000004"}})
    ours = ask("GET", "/events?page_size=5")
    assert same_fields(ours, body_of(shared_data, "events/list.json")) == []
    created = json.loads((shared_data / "easypost/events/event_tracker_created.json").read_bytes())
    shown = ask("GET", f"/events/{ours['events'][0]['id']}")
    assert same_fields(shown, created["event"]) == []
    resent = ask("POST", "/events", {"event": {"result_id": tracker["id"]}})
    assert same_fields(resent, created["event"]) == []
    payloads = ask("GET", f"/events/{shown['id']}/payloads")
    assert payloads == body_of(shared_data, "events/payloads_list.json")
    missing = ask("GET", f"/events/{shown['id']}/payloads/payload_{'1' * 32}")
    assert missing == body_of(shared_data, "errors/404_payload.json")


def test_a_posted_event_has_the_documented_shape(door, ask, shared_data, receiver, recorded):
    ask("POST", "/webhooks", {"webhook": {"url": receiver.url}})
    door.parcel("DEMO0001", shown=3)
    ask("POST", "/trackers", {"tracker": {"tracking_code": "DEMO0001"}})
    door.post("parcels/DEMO0001/advance")
    for event in receiver.wait_for(2):
        assert recorded.differences(event["result"], "Tracker") == []
        assert set(event) == set(vector(shared_data))
        if event["previous_attributes"]:
            assert same_fields(event | {"result": {}}, vector(shared_data) | {"result": {}}) == []


def test_a_shipment_has_the_recorded_shape_from_rates_to_refund(ask, shared_data, recorded):
    ours = ask("POST", "/shipments", {"shipment": SHIPMENT})
    assert same_fields(ours, body_of(shared_data, "shipments/create.json")) == []
    assert recorded.differences(ours, "Shipment") == []
    rate = ask("GET", f"/rates/{ours['rates'][0]['id']}")
    assert same_fields(rate, body_of(shared_data, "rates/retrieve.json")) == []
    bought = ask("POST", f"/shipments/{ours['id']}/buy", {"rate": {"id": rate["id"]}})
    theirs = body_of(shared_data, "shipments/buy.json")
    # its nested tracker is judged below: a recording of 2025-03 lacks the newest field
    odd = same_fields(bought | {"tracker": None}, theirs)
    assert [line for line in odd if ".verifications." not in line] == []  # ours verifies nothing
    assert recorded.differences(bought, "Shipment") == []
    refunded = ask("POST", f"/shipments/{ours['id']}/refund", {})
    assert recorded.differences(refunded, "Shipment") == []
    assert (
        refunded["refund_status"] == body_of(shared_data, "shipments/refund.json")["refund_status"]
    )


def test_refunds_have_the_recorded_shape(ask, shared_data):
    shipment = ask("POST", "/shipments", {"shipment": SHIPMENT})
    bought = ask(
        "POST", f"/shipments/{shipment['id']}/buy", {"rate": {"id": shipment["rates"][0]["id"]}}
    )
    asked = {"carrier": "USPS", "tracking_codes": [bought["tracking_code"]]}
    ours = ask("POST", "/refunds", {"refund": asked})
    assert same_fields(ours, body_of(shared_data, "refunds/create.json")) == []
    one = ask("GET", f"/refunds/{ours[0]['id']}")
    assert same_fields(one, body_of(shared_data, "refunds/retrieve.json")) == []
    listed = ask("GET", "/refunds?page_size=5")
    assert same_fields(listed, body_of(shared_data, "refunds/list.json")) == []


def test_errors_have_the_recorded_shape(ask, shared_data):
    missing = ask("GET", "/trackers/trk_nowhere")
    assert missing == body_of(shared_data, "errors/404_not_found.json")
    blank = ask("POST", "/shipments", {"shipment": {}})
    assert blank == body_of(shared_data, "errors/422_parameter_required.json")
    many = ask("POST", "/shipments", {"shipment": SHIPMENT | {"reference": 7, "is_return": 1}})
    theirs = body_of(shared_data, "errors/422_unprocessable_many_fields.json")
    assert set(many["error"]) == set(theirs["error"])
    assert many["error"]["code"] == theirs["error"]["code"]
    assert [set(each) for each in many["error"]["errors"]] == [
        {"field", "message", "suggestion"}
    ] * 2


def test_the_comparison_sees_a_missing_a_strange_and_a_mistyped_field(ask, recorded):
    ours = ask("POST", "/trackers", {"tracker": {"tracking_code": "EZ4000000004"}})
    del ours["tracking_code"]
    ours["colour"] = "red"
    ours["tracking_details"][0]["tracking_location"]["city"] = 7
    assert len(recorded.differences(ours, "Tracker")) == 3
