"""What may be sent at all: JSON as one reader takes it like the next, of a sane size and depth."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.api.client import Api, fields_of

MIB = 1024 * 1024


def send(api: Api, raw: bytes, kind: str = "application/json", **headers: str):  # type: ignore[no-untyped-def]
    return api.post("/orders", data=raw, content_type=kind, headers=headers)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"1001"', "must be a JSON object"),
        (b'{"number": "1",}', "line 1, column"),
        (b'{"number": "1", "number": "2"}', "twice"),
        (b'{"number": "1", "payment": {"reference": "a", "reference": "b"}}', "twice"),
        (b'{"number": "1", "discount_minor": NaN}', "NaN is not JSON"),
        (b'{"number": "1", "discount_minor": -Infinity}', "-Infinity is not JSON"),
        (b'{"number": "1", "discount_minor": 1e999}', "too large"),
        (b'{"number": "1", "discount_minor": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"number": "\\ud800"}', "half of a character"),
        (b'{"number": "1", "tags\\udfff": 1}', "half of a character"),
        (b'{"number": "\xff"}', "not UTF-8"),
        ('{"number": "1"}'.encode("utf-16"), "not UTF-8"),
        (b'\xef\xbb\xbf{"number": "1"}', "not JSON"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "32 levels"),
        (b'{"a":' * 100_000, "32 levels"),
        (b'{"number": ' + b"[" * 500_000, "32 levels"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_plain_json_object_is_refused_with_the_reason(
    quick: Api, raw: bytes, words: str
) -> None:
    response = send(quick, raw)
    assert response.status_code == 422, response.text
    assert words in response.json["errors"][0]["message"]


def test_brackets_inside_a_text_are_no_levels(quick: Api) -> None:
    assert send(quick, json.dumps({"number": "[" * 70}).encode()).status_code == 201


def test_an_astral_character_written_as_a_pair_is_a_character(quick: Api) -> None:
    response = send(quick, b'{"number": "\\ud83d\\ude80-1"}')
    assert response.json["number"] == "🚀-1"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(quick: Api, kind: str) -> None:
    assert send(quick, b'{"number": "1"}', kind).status_code == 415


def test_a_charset_beside_the_type_does_no_harm(quick: Api) -> None:
    assert send(quick, b'{"number": "1"}', "application/json; charset=utf-8").status_code == 201


def test_a_mebibyte_is_taken_and_a_byte_more_is_not(quick: Api) -> None:
    whole = b'{"number": "1"'
    fits = whole + b" " * (MIB - len(whole) - 1) + b"}"
    assert send(quick, fits).status_code == 201
    response = send(quick, fits + b" ")
    assert response.status_code == 413
    assert "1 MiB" in response.json["detail"]


def test_a_compressed_body_is_not_opened(quick: Api) -> None:
    bomb = gzip.compress(b'{"number": "' + b" " * 10 * MIB + b'"}')
    response = send(quick, bomb, **{"Content-Encoding": "gzip"})
    assert response.status_code == 415
    assert send(quick, bomb).status_code == 422


def test_at_most_fifty_faults_are_told(quick: Api) -> None:
    response = quick.post("/orders", {"number": "1", "lines": [{}] * 200})
    assert len(response.json["errors"]) == 50


def test_an_overlong_unknown_name_is_not_echoed_whole(quick: Api) -> None:
    response = quick.post("/orders", {"number": "1", "x" * 5000: 1})
    assert fields_of(response) == {"x" * 120}
