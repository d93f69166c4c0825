"""What is taken is what Stripe takes: names, types and musts, as the client's own types say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from stripe import params
from stripe.params import checkout

from portal.sandbox.stripe_params import Spec, spec_of
from tests.sandbox.conftest import STRIPE_KEY
from tests.sandbox.stripe_shop import pay, session

CALLS = {
    "POST /v1/checkout/sessions": checkout.SessionCreateParams,
    "GET /v1/checkout/sessions": checkout.SessionListParams,
    "POST /v1/checkout/sessions/{session}/expire": checkout.SessionExpireParams,
    "GET /v1/checkout/sessions/{session}/line_items": checkout.SessionLineItemListParams,
    "POST /v1/payment_intents": params.PaymentIntentCreateParams,
    "POST /v1/payment_intents/{intent}": params.PaymentIntentUpdateParams,
    "POST /v1/payment_intents/{intent}/confirm": params.PaymentIntentConfirmParams,
    "POST /v1/payment_intents/{intent}/capture": params.PaymentIntentCaptureParams,
    "POST /v1/payment_intents/{intent}/cancel": params.PaymentIntentCancelParams,
    "GET /v1/payment_intents": params.PaymentIntentListParams,
    "POST /v1/refunds": params.RefundCreateParams,
    "POST /v1/refunds/{refund}": params.RefundUpdateParams,
    "GET /v1/refunds": params.RefundListParams,
    "POST /v1/refunds/{refund}/cancel": params.RefundCancelParams,
    "POST /v1/disputes/{dispute}": params.DisputeUpdateParams,
    "GET /v1/disputes": params.DisputeListParams,
    "POST /v1/customers": params.CustomerCreateParams,
    "POST /v1/webhook_endpoints": params.WebhookEndpointCreateParams,
    "GET /v1/events": params.EventListParams,
    "GET /v1/charges": params.ChargeListParams,
    "POST /v1/setup_intents": params.SetupIntentCreateParams,
}
PRUNED = ("payment_method_options", "payment_method_data")
KINDS = {"Decimal": "decimal", "float": "decimal"}


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> dict[str, Any]:
    found = json.loads((shared_data / "stripe" / "request_params_sdk16.1.json").read_text())
    return found["endpoints"]


@pytest.mark.parametrize("call", CALLS)
def test_the_table_of_a_call_is_the_recorded_one(recorded, call):
    assert differences(spec_of(CALLS[call]), recorded[call], "") == []


def differences(spec: Spec, told: dict[str, Any], path: str) -> list[str]:
    if path.rpartition(".")[2] in PRUNED:
        return []
    if "oneOf" in told:
        return _one_of(spec, told["oneOf"], path)
    if told["t"] == "object":
        return _object(spec, told, path)
    if told["t"] == "array":
        return differences(spec.inner[0], told["items"], f"{path}[]")
    if count_of(told):
        return [] if is_words(spec, told) else [f"{path} has other words"]
    if "|" in told["t"]:
        return [] if spec.kind == "any_of" else [f"{path} has no alternatives"]
    kind = KINDS.get(told["t"], told["t"])
    return [] if spec.kind == kind else [f"{path} is {spec.kind}, recorded {kind}"]


def _object(spec: Spec, told: dict[str, Any], path: str) -> list[str]:
    props = told.get("props", {})
    found = [f"{path}.{name}" for name in set(spec.fields) ^ set(props)]
    if spec.required != frozenset(told.get("required", ())):
        found.append(f"{path} must have {told.get('required')}")
    for name in set(spec.fields) & set(props):
        found += differences(spec.fields[name], props[name], f"{path}.{name}")
    return found


def count_of(told: dict[str, Any]) -> int:
    """How many words; of long lists the record keeps only the number."""
    return told.get("enum_n") or len(told.get("enum", ()))


def is_words(spec: Spec, told: dict[str, Any]) -> bool:
    words = set(told["enum"]) - {""} if "enum" in told else None
    return set(spec.words) == words if words else len(spec.words) == count_of(told)


def _one_of(spec: Spec, options: list[dict[str, Any]], path: str) -> list[str]:
    """Alternatives: an empty word clears, words win over any text, the rest is compared."""
    empty = [each for each in options if each.get("enum") == [""]]
    rest = [each for each in options if each not in empty and each["t"] != "UntypedStripeObject"]
    words = [each for each in rest if count_of(each)]
    found = [] if spec.clearable == bool(empty) else [f"{path} can or cannot be cleared"]
    if words:
        rest = [each for each in rest if each["t"] != "str"]
    if len(rest) == 1:
        return found + differences(spec, rest[0], path)
    return found + ([] if len(spec.inner) == len(rest) else [f"{path} has other alternatives"])


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"amuont": 3}, "parameter_unknown", "amuont"),
        ({"metadata": {"a": {"b": "c"}}}, None, "metadata"),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, None, "metadata"),
        ({"reason": "because"}, None, "reason"),
        ({"amount": "ten"}, "parameter_invalid_integer", "amount"),
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"amount": -5}, "parameter_invalid_integer", "amount"),
        ({"amount": ""}, "parameter_invalid_empty", "amount"),
        ({"reverse_transfer": "maybe"}, None, "reverse_transfer"),
        ({"reverse_transfer": True}, "parameter_unsupported", "reverse_transfer"),
        ({"expand": ["nothing"]}, None, "expand[0]"),
    ],
)
def test_a_refund_with_a_wrong_parameter_is_refused_by_its_name(till, more, code, param):
    paid = pay(till)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        till.v1.refunds.create({"payment_intent": paid.id, **more})
    assert (refused.value.http_status, refused.value.code) == (400, code)
    assert refused.value.param == param


def test_what_is_missing_is_named(till):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        till.v1.payment_intents.create({"amount": 100})
    assert (refused.value.code, refused.value.param) == ("parameter_missing", "currency")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        session(till, line_items=[{"price_data": {"unit_amount": 5}, "quantity": 1}])
    assert refused.value.param == "line_items[0][price_data][currency]"


@pytest.mark.parametrize(
    "body",
    ["amount=100&amount=200&currency=eur", "amount[a=1", "a%5Bb%5D=1&a=2", "=&=", "amount"],
)
def test_a_form_that_cannot_be_meant_is_refused(box, body):
    answer = requests.post(
        f"{box.stripe_base}/v1/payment_intents",
        data=body,
        headers={
            "Authorization": f"Bearer {STRIPE_KEY}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        timeout=5,
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_json_other_versions_other_keys_and_other_roads_are_refused(box):
    url, good = f"{box.stripe_base}/v1/refunds", {"Authorization": f"Bearer {STRIPE_KEY}"}
    assert requests.post(url, json={}, headers=good, timeout=5).status_code == 400
    old = good | {"Stripe-Version": "2017-08-15"}
    assert requests.get(url, headers=old, timeout=5).status_code == 400
    assert requests.get(url, timeout=5).status_code == 401
    wrong = requests.get(url, headers={"Authorization": "Bearer sk_test_other"}, timeout=5)
    assert wrong.status_code == 401
    assert "other" not in wrong.text
    unknown = requests.get(f"{box.stripe_base}/v1/plans", headers=good, timeout=5)
    assert unknown.status_code == 404
    assert unknown.json()["error"]["message"].startswith("Unrecognized request URL")
    assert requests.get(url, auth=(STRIPE_KEY, ""), timeout=5).status_code == 200
