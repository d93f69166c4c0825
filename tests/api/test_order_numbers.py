"""Order numbers: unique in a shop for ever, found however they are written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.sources.matching import number_key
from tests.api.client import Api

SAME = [
    ("#1001", "1001"),
    ("#1001", " #1001 "),
    ("#1001", "＃１００１"),
    ("#1001", "#1001\u00a0"),
    ("web-00001", "WEB-00001"),
    ("SV-7841", "sv\u20117841"),
    ("SV-7841", "SV–7841"),
    ("X/7841/Y", "x/7841/y"),
    ("#SAM-7841-2019", "sam-7841-2019"),
    ("STRASSE-1", "straße-1"),
]
DIFFERENT = [
    ("000000123", "123"),
    ("1001", "1001.0"),
    ("1001", "10010"),
    ("1001", "100\u200b1"),
    ("1001", "10 01"),
    ("1001", "1001#"),
    ("1001", "100_"),
    ("1001", "1001%"),
    ("1447296446.7", "1447296446"),
]


@pytest.mark.parametrize(("posted", "asked"), SAME)
def test_a_number_is_found_however_it_is_written(quick: Api, posted: str, asked: str) -> None:
    order = quick.order(number=posted)
    assert order["number"] == posted
    assert quick.order(number=asked)["id"] == order["id"]
    found = quick.get("/orders", query_string={"number": asked}).json["orders"]
    assert [each["id"] for each in found] == [order["id"]]


@pytest.mark.parametrize(("posted", "asked"), DIFFERENT)
def test_another_number_is_another_order(quick: Api, posted: str, asked: str) -> None:
    order = quick.order(number=posted)
    assert quick.get("/orders", query_string={"number": asked}).json["orders"] == []
    assert quick.order(number=asked)["id"] != order["id"]


@pytest.mark.db
def test_every_shape_of_number_that_platforms_give_works(api: Api, shared_data: Path) -> None:
    with (shared_data / "formats" / "order_numbers.csv").open(encoding="utf-8") as rows:
        numbers = [row["example"] for row in csv.DictReader(rows)]
    ids = {number: api.order(number=number)["id"] for number in numbers}
    for number, order_id in ids.items():
        for written in (number, number.lower(), f" #{number} "):
            found = api.get("/orders", query_string={"number": written}).json["orders"]
            assert [each["id"] for each in found] == [order_id], written


@pytest.mark.db
def test_nothing_that_looks_like_a_number_finds_another_order(api: Api, shared_data: Path) -> None:
    told = json.loads((shared_data / "security" / "forms" / "order_lookup.json").read_text())
    order = api.order(number=told["canonical"])
    for written in told["equivalent_ok"]:
        [found] = api.get("/orders", query_string={"number": written}).json["orders"]
        assert found["id"] == order["id"]
    for written in told["must_not_match_other_order"]:
        if not isinstance(written, str):
            assert api.post("/orders", {"number": written}).status_code == 422
            continue
        response = api.get("/orders", query_string={"number": written})
        assert response.status_code in {200, 422}, written
        assert not response.json.get("orders"), written


@given(st.text(max_size=60))
def test_what_a_number_is_found_by_is_found_by_itself(text: str) -> None:
    key = number_key(text)
    assert number_key(key) == key
    assert number_key(f" # {text} ") == key
