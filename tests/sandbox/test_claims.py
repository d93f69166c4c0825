"""The stand-in's insurance claims: in the recorded shape, filed as often as asked, decided."""

from __future__ import annotations

import json
from typing import Any

import easypost
import pytest
import requests
from easypost.errors import InvalidRequestError, NotFoundError

from tests.sandbox.test_shapes import ask, body_of, same_fields

__all__ = ["ask"]  # a fixture

NUMBER = "9400100208303109500669"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
WANTED: dict[str, Any] = {
    "tracking_code": NUMBER,
    "type": "damage",
    "amount": "100.00",
    "description": "Test description",
    "contact_email": "test@example.com",
    "email_evidence_attachments": [PIXEL],
    "invoice_attachments": [PIXEL],
    "supporting_documentation_attachments": [PIXEL],
}


def test_claims_have_the_recorded_shape(ask: Any, client: Any, shared_data: Any) -> None:
    missing = ask("POST", "/claims", WANTED)
    assert missing == body_of(shared_data, "claims/create_404_no_insurance.json")
    client.insurance.create(tracking_code=NUMBER, carrier="USPS", amount="100.00")
    made = ask("POST", "/claims", WANTED)
    assert same_fields(made, body_of(shared_data, "claims/create.json")) == []
    shown = ask("GET", f"/claims/{made['id']}")
    assert same_fields(shown, body_of(shared_data, "claims/retrieve.json")) == []
    listed = ask("GET", "/claims?page_size=5")
    assert same_fields(listed, body_of(shared_data, "claims/list.json")) == []
    gone = ask("POST", f"/claims/{made['id']}/cancel", {})
    assert same_fields(gone, body_of(shared_data, "claims/cancel.json")) == []
    assert "base64" not in json.dumps(made)


def test_a_claim_is_filed_followed_and_refused_like_there(
    client: easypost.EasyPostClient, door: Any, receiver: Any
) -> None:
    client.webhook.create(url=receiver.url)
    with pytest.raises(NotFoundError):
        client.claim.create(**WANTED)
    client.insurance.create(tracking_code=NUMBER, carrier="USPS", amount="50.00")
    with pytest.raises(InvalidRequestError):
        client.claim.create(**WANTED)
    first = client.claim.create(**{**WANTED, "amount": "50.00"})
    second = client.claim.create(**{**WANTED, "amount": "50.00"})
    assert first.id != second.id, "there is no idempotency"
    door.post(f"claims/{first.id}", {"status": "approved_partial", "amount": "20.00"})
    found = client.claim.retrieve(first.id)
    assert (found.status, found.approved_amount) == ("approved_partial", "20.00")
    assert [step.status for step in found.history] == ["approved_partial", "submitted"]
    told = [event["description"] for event in receiver.wait_for(3)]
    assert sorted(told) == ["claim.approved", "claim.submitted", "claim.submitted"]
    with pytest.raises(InvalidRequestError):
        client.claim.cancel(first.id)


def test_every_parcel_can_be_insured_and_claims_approved_by_themselves(
    client: easypost.EasyPostClient, door: Any, hands: Any, box: Any
) -> None:
    told = {"amount": "500.00", "decides_after": 30}
    requests.put(f"{box.url}/_sandbox/insured", json=told, timeout=5).raise_for_status()
    with pytest.raises(NotFoundError):
        client.claim.create(**WANTED)
    door.parcel(NUMBER, carrier="USPS")
    made = client.claim.create(**WANTED)
    assert client.claim.retrieve(made.id).status == "submitted"
    hands.move(seconds=31)
    found = client.claim.retrieve(made.id)
    assert (found.status, found.approved_amount) == ("approved", "100.00")
