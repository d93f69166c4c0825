"""Who sent a push, and what it says: strict, and without an exception that nobody expects."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from carriers.contract import BadPayload
from portal.payments.stripe_hooks import read_event, verify_signature

SECRET = "whsec_rehearsal"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BODY = b'{"id": "evt_1"}'
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1_795_000_000,
    "livemode": False,
    "type": "refund.updated",
    "data": {"object": {"object": "refund", "id": "re_1", "payment_intent": "pi_1"}},
}


def header(body: bytes = BODY, secret: str = SECRET, seconds: float = 0) -> str:
    stamp = int((NOW + timedelta(seconds=seconds)).timestamp())
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, stamp)


@pytest.mark.parametrize(
    ("seconds", "good"),
    [(0, True), (-300, True), (-301, False), (60, True), (61, False), (10**6, False)],
)
def test_a_stamp_counts_five_minutes_back_and_one_ahead(seconds, good):
    assert verify_signature(BODY, header(seconds=seconds), SECRET, NOW) is good


def test_a_changed_body_another_secret_and_none_prove_nothing():
    assert not verify_signature(BODY + b" ", header(), SECRET, NOW)
    assert not verify_signature(BODY, header(), "whsec_other", NOW)
    assert not verify_signature(BODY, header(secret=""), "", NOW)
    assert not verify_signature(BODY, "", SECRET, NOW)


def test_two_signatures_let_a_secret_be_changed():
    old, new = header(secret="whsec_old"), header()
    both = f"{old},{new.split(',')[1]}"
    assert verify_signature(BODY, both, SECRET, NOW)
    assert verify_signature(BODY, both, "whsec_old", NOW)
    assert not verify_signature(BODY, header().replace("v1=", "v0="), SECRET, NOW)
    assert not verify_signature(BODY, f"t=1,{header()}", SECRET, NOW)


@given(st.text(max_size=200))
def test_any_header_is_an_answer_and_no_exception(odd):
    assert verify_signature(BODY, odd, SECRET, NOW) is False


@given(st.binary(max_size=60))
def test_bytes_that_are_no_text_can_be_signed_all_the_same(body):
    try:
        text = body.decode()
    except UnicodeDecodeError:
        assert verify_signature(body, header(), SECRET, NOW) is False
    else:
        good = header(text.encode())
        assert verify_signature(body, good, SECRET, NOW)
        stamp = int(NOW.timestamp())
        assert good == stripe.WebhookSignature.generate_signature_header(text, SECRET, stamp)


def test_an_event_says_what_it_is_about():
    found = read_event(json.dumps(EVENT).encode())
    assert (found.id, found.kind, found.about, found.payment) == (
        "evt_1",
        "refund.updated",
        "re_1",
        "pi_1",
    )
    assert found.created_at == datetime.fromtimestamp(1_795_000_000, UTC)


@pytest.mark.parametrize(
    ("thing", "payment"),
    [
        ({"object": "payment_intent", "id": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, "ch_1"),
        ({"object": "refund", "id": "re_1", "payment_intent": None, "charge": "ch_1"}, "ch_1"),
        ({"object": "customer", "id": "cus_1"}, ""),
    ],
)
def test_the_payment_of_an_object_is_found(thing, payment):
    event = {**EVENT, "data": {"object": thing}}
    assert read_event(json.dumps(event).encode()).payment == payment


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"null",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 200_000,
        json.dumps({**EVENT, "id": 7}).encode(),
        json.dumps({**EVENT, "id": ""}).encode(),
        json.dumps({**EVENT, "object": "v2.core.event"}).encode(),
        json.dumps({**EVENT, "data": []}).encode(),
        json.dumps({**EVENT, "data": {"object": "re_1"}}).encode(),
        json.dumps({**EVENT, "created": "now"}).encode(),
        json.dumps({**EVENT, "created": 10**20}).encode(),
    ],
)
def test_what_is_no_event_is_bad_payload(body):
    with pytest.raises(BadPayload):
        read_event(body)
