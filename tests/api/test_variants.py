"""Variants: put as a whole under their sku, whatever it holds; read back unchanged."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.client import Api, fields_of

WHOLE: dict[str, Any] = {
    "product": "mug",
    "title": "Mug, small",
    "options": {"size": "S", "colour": "blue", "volume_ml": 250},
    "price_minor": 1000,
    "currency": "EUR",
    "tax_included": False,
    "available": 3,
    "image_url": "https://shop.example/mug.jpg",
}


def path(sku: str) -> str:
    return "/variants/" + quote(sku, safe="")


def test_a_variant_is_stored_and_read_back_whole(api: Api) -> None:
    made = api.put(path("MUG-S"), WHOLE)
    assert (made.status_code, made.json) == (201, {"sku": "MUG-S"} | WHOLE)
    assert api.put(path("MUG-S"), WHOLE).status_code == 200
    assert api.get(path("MUG-S")).json == made.json


def test_what_is_not_sent_takes_its_default(api: Api) -> None:
    api.put(path("MUG-S"), WHOLE)
    small = {"title": "Mug", "price_minor": 0, "currency": "JPY"}
    reply = api.put(path("MUG-S"), small).json
    assert reply["available"] is None  # not counted
    assert (reply["options"], reply["image_url"], reply["product"]) == ({}, "", "")
    assert reply["tax_included"] is True


@pytest.mark.parametrize(
    "sku",
    [
        "a/b",
        "a//b",
        "/a",
        "a/",
        "//",
        "..",
        ".",
        "a b",
        "ä#?%",
        "100%25",
        "🚀",
        "A",
        "a;b=c",
        "a+b",
    ],
)
def test_a_sku_may_hold_anything_that_can_be_written(quick: Api, sku: str) -> None:
    assert quick.put(path(sku), WHOLE).status_code == 201
    assert quick.get(path(sku)).json["sku"] == sku


def test_skus_that_differ_in_case_are_two(quick: Api) -> None:
    quick.put(path("mug"), WHOLE)
    assert quick.get(path("MUG")).status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"price_minor": -1}, "price_minor"),
        ({"price_minor": 1.5}, "price_minor"),
        ({"currency": "EURO"}, "currency"),
        ({"available": -1}, "available"),
        ({"available": 2**31}, "available"),
        ({"options": []}, "options"),
        ({"options": {"size": 1.5}}, "options.size"),
        ({"image_url": "ftp://shop.example/a"}, "image_url"),
        ({"sku": "MUG"}, "sku"),
    ],
    ids=str,
)
def test_a_wrong_variant_is_refused_by_field(quick: Api, sent: dict[str, Any], field: str) -> None:
    response = quick.put(path("MUG"), WHOLE | sent)
    assert response.status_code == 422
    assert any(each.startswith(field) for each in fields_of(response)), response.text
    assert quick.get(path("MUG")).status_code == 404


def test_a_sku_that_cannot_be_written_is_refused(quick: Api) -> None:
    assert quick.put("/variants/" + "x" * 121, WHOLE).status_code == 422
    assert quick.put("/variants/a%00b", WHOLE).status_code == 422
    assert quick.get("/variants/a%00b").status_code == 404
