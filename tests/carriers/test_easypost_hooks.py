"""Hooks: who sent it, and is it readable."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from carriers.contract import BadPayload, Status
from carriers.easypost import read_event, sign, verify_signature

NOW = datetime(2025, 8, 19, 20, 37, 9, tzinfo=UTC)
PATH = "/webhooks/easypost"


def good(raw: bytes, headers: Any, secret: str, **changed: Any) -> bool:
    where: dict[str, Any] = {"method": "POST", "path": PATH, "now": NOW} | changed
    return verify_signature(raw, headers, secret, **where)


@pytest.fixture
def vectors(shared_data: Path) -> dict[str, Any]:
    folder = shared_data / "easypost/webhook_vectors"
    found = json.loads((folder / "vectors.json").read_bytes())
    return found | {"body": (folder / "event-body.exact.bin").read_bytes()}


def test_the_official_vector_holds(vectors: dict[str, Any]) -> None:
    official = vectors["official_v1"]
    for headers in (official["headers"], Headers(official["headers"])):
        assert good(vectors["body"], headers, official["secret"])
    lower = {name.lower(): value for name, value in official["headers"].items()}
    assert good(vectors["body"], lower, official["secret"])
    assert read_event(vectors["body"]).id.startswith("evt_")


def test_the_forged_vectors_do_not(vectors: dict[str, Any]) -> None:
    official = vectors["official_v1"]
    for forged in vectors["derived_negative"]:
        if forged.get("secret"):  # well signed, but no JSON
            assert good(forged["body"].encode(), forged["headers"], forged["secret"])
            with pytest.raises(BadPayload):
                read_event(forged["body"].encode())
            continue
        body = vectors["body"]
        if "body_edit" in forged:
            body = body.replace(b"in_transit", b"delivered", 1)
        assert not good(body, forged["headers"], official["secret"]), forged["why"]


def test_the_second_version_is_checked_where_all_of_it_is_there(vectors: dict[str, Any]) -> None:
    body, second = vectors["body"], vectors["derived_v2"]
    secret, headers = second["secret"], second["headers"]
    first = vectors["official_v1"]["headers"]
    assert good(body, headers, secret)
    assert good(body, first | headers, secret)
    assert good(body, headers, secret, now=NOW + timedelta(minutes=5))
    assert good(body, headers, secret, now=NOW - timedelta(minutes=5))
    assert not good(body, first | headers, secret, now=NOW + timedelta(minutes=5, seconds=1))
    assert not good(body, first | headers, secret, now=NOW - timedelta(minutes=6))
    assert not good(body, first | headers, secret, path="/elsewhere")
    assert not good(body, first | headers, secret, method="PUT")
    for name in ("X-Timestamp", "X-Path", "X-Hmac-Signature-V2"):
        assert not good(body, first | headers | {name: "é"}, secret)
        rest = {kept: value for kept, value in headers.items() if kept != name}
        assert good(body, first | rest, secret)
        assert not good(body, rest, secret)


def test_one_good_signature_does_not_excuse_a_bad_one(vectors: dict[str, Any]) -> None:
    second = vectors["derived_v2"]
    bad = second["headers"] | {"X-Hmac-Signature": "hmac-sha256-hex=" + "0" * 64}
    assert not good(vectors["body"], bad, second["secret"])


def test_an_empty_secret_proves_nothing() -> None:
    assert not good(b"{}", {"X-Hmac-Signature": sign(b"{}", "")}, "")


@given(raw=st.binary(), secret=st.text(min_size=1), other=st.text(), header=st.text())
def test_only_the_signer_passes(raw: bytes, secret: str, other: str, header: str) -> None:
    signature = sign(raw, secret)
    assert good(raw, {"x-hmac-signature": signature}, secret)
    assert not good(raw + b" ", {"x-hmac-signature": signature}, secret)
    assert not good(raw, {"x-hmac-signature": header}, secret)
    assert not good(raw, {"x-hmac-signature": header}, other)
    stamped = {"x-timestamp": header, "x-path": other, "x-hmac-signature-v2": header}
    assert not good(raw, stamped, secret, path=other)


def deep(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"not json",
        b'{"id": "evt_1"',
        b"\xff\xfe{}",
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b'{"id": -Infinity}',
        b'{"id": 1e999}',
        b'{"id": "evt_1", "id": "evt_2"}',
        b'{"result": {"status": "a", "status": "b"}}',
        b'{"n": ' + b"9" * 5000 + b"}",
        deep(51),
        deep(100_000),
        b'{"a":' * 100_000,
        b" " * (1024 * 1024 + 1) + b"{}",
        b'{"id": "evt_1", "result": {"object": "Tracker", "id": 7}}',
    ],
    ids=lambda body: body[:24],
)
def test_an_unreadable_body_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        read_event(body)


def test_fifty_levels_are_still_read() -> None:
    assert read_event(deep(50)).raw["a"] is not None


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"id": 7, "description": [], "result": 5, "created_at": {}}',
        b'{"id": "evt_1", "description": "robot.rebelled", "result": {"object": "Robot"}}',
        b'{"id": "evt_1", "result": {"object": ["Tracker"]}}',
    ],
)
def test_unknown_things_are_no_error(body: bytes) -> None:
    assert read_event(body).result is None


def test_characters_no_database_keeps_are_replaced() -> None:
    body = (
        b'{"id": "evt_1", "result": {"object": "Tracker", "id": "trk_1", "tracking_code": "1",'
        b'"status": "delivered", "signed_by": "A\\u0000B\\ud800C \\ud83d\\ude00 \\\\u0000"}}'
    )
    found = read_event(body).result
    assert found is not None
    assert found.signed_by == "A�B�C 😀 \\u0000"
    assert found.status is Status.DELIVERED


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_event_or_a_refusal(body: bytes) -> None:
    with contextlib.suppress(BadPayload):
        assert read_event(body).raw is not None
