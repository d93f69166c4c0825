"""Hostile input at every field and endpoint of the API: a clear no, or kept and shown as it is."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.db import inside, session
from portal.models import Order
from tests.api.client import Api, fields_of, line
from tests.api.things import ALL, WITH_BODY, address, unknown_id
from tests.conftest import shop_id
from tests.pages.browser import Browser

HERE = {"sampled": 19, "whole": 1}
EXTENT = ["sampled", pytest.param("whole", marks=pytest.mark.long)]


@pytest.fixture(params=EXTENT)
def strings(request: pytest.FixtureRequest, shared_data: Path) -> list[str]:
    """Naughty strings: each of them, or one in nineteen."""
    found: list[str] = json.loads((shared_data / "security/strings/blns.json").read_text("utf-8"))
    for path in sorted((shared_data / "security/forms").glob("*.json")):
        found += texts(json.loads(path.read_text("utf-8")))
    return list(dict.fromkeys(found))[:: HERE[request.param]]


def texts(value: Any) -> Iterator[str]:
    """Every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value if isinstance(value, list) else value.values():
            yield from texts(each)


@pytest.fixture(scope="module")
def documents(shared_data: Path) -> list[tuple[str, bytes]]:
    """What parsers disagree about: (name, bytes)."""
    path = shared_data / "security/json/jsontestsuite.jsonl.gz"
    rows = [json.loads(row) for row in gzip.decompress(path.read_bytes()).splitlines()]
    return [(row["n"], base64.b64decode(row["b64"])) for row in rows]


# --- texts in every field -----------------------------------------------------------------------

TEXTS = ("variant", "title", "product", "category", "image_url")
ADDRESS = ("name", "line1", "line2", "city", "region", "postcode", "country")


def wide(text: str, n: int) -> dict[str, Any]:
    """An order with this text in each of its own fields."""
    return {
        "number": f"{n} {text}",
        **dict.fromkeys(("email", "phone", "placed_at", "currency", "protection_quote"), text),
        "shipping_address": dict.fromkeys(ADDRESS, text),
        "payment": {"provider": text, "reference": text},
    }


def deep(chosen: list[str]) -> dict[str, Any]:
    """An order with a line and a parcel for each text."""
    return {
        "number": "deep",
        "currency": "EUR",
        "lines": [
            {"sku": text, "quantity": 1, "tags": [text], **dict.fromkeys(TEXTS, text)}
            for text in chosen
        ],
        "shipments": [
            {"carrier": text, "service": text, "tracking_number": f"{text}{n}"}
            for n, text in enumerate(chosen)
        ],
    }


def taken(api: Api, sent: dict[str, Any]) -> dict[str, Any]:
    """Post it, then again without what was refused, until it is taken; gives the reply."""
    for _ in range(100):
        response = api.post("/orders", sent)
        if response.status_code in {200, 201}:
            return dict(response.json)
        assert response.status_code == 422, response.text
        for error in response.json["errors"]:
            assert error["message"]
            assert error["message"] != "This cannot be used here.", error
            drop(sent, error["field"].split("."))
        prune(sent)
    raise AssertionError(response.text)


def drop(sent: Any, path: list[str]) -> None:
    """Take the field at this path out; in a list an empty place stays for now."""
    head, *rest = path
    at: Any = int(head) if isinstance(sent, list) else head
    if rest and sent[at] is not None:
        drop(sent[at], rest)
    elif isinstance(sent, list) or head == "sku":
        sent[at] = None
    else:
        del sent[at]


def prune(sent: dict[str, Any]) -> None:
    """Take out empty places: tags, lines without a sku, parcels without a number."""
    for each in sent.get("lines", ()):
        if each is not None:
            each["tags"] = [tag for tag in each.get("tags", ()) if tag is not None]
    needs = {"lines": "sku", "shipments": "tracking_number"}
    for name, key in needs.items():
        if name in sent:
            sent[name] = [each for each in sent[name] if each and each.get(key) is not None]


def test_a_text_in_every_field_of_an_order_is_refused_or_kept_as_it_is(
    any_app: Flask, strings: list[str]
) -> None:
    api = Api(any_app)
    kept: dict[str, dict[str, Any]] = {}
    for n, text in enumerate(strings):
        sent = wide(text, n)
        if "number" in fields_of(api.post("/orders", {"number": sent["number"]})):
            sent["number"] = str(n)
        reply = taken(api, sent)
        assert reply["number"] == sent["number"].strip()
        kept[reply["id"]] = sent
    with inside(shop_id("fern")):
        for order in session.query(Order):
            sent = kept.pop(order.id)
            assert order.phone == sent.get("phone", "")
            assert order.address == dict.fromkeys(ADDRESS, "") | sent["shipping_address"]
            assert order.payment_provider == sent["payment"].get("provider", "")
            assert order.payment_reference == sent["payment"].get("reference", "")
            assert order.protection_quote == sent.get("protection_quote")
    assert not kept


def test_a_text_in_every_field_of_lines_and_parcels_is_shown_escaped(
    any_app: Flask, strings: list[str]
) -> None:
    api = Api(any_app)
    plain = api.order(number="plain", currency="EUR", lines=[line()])
    scripts = Page(any_app, plain["tracking_url"]).scripts
    for start in range(0, len(strings), 150):
        sent = deep(strings[start : start + 150]) | {"number": f"deep-{start}"}
        reply = taken(api, sent)
        for posted, told in zip(sent["lines"], reply["lines"], strict=True):
            for name in ("sku", "title", "variant"):
                assert told[name] == posted.get(name, ""), name
        for posted, told in zip(sent["shipments"], reply["shipments"], strict=True):
            assert told["tracking_number"] == posted["tracking_number"].strip()
            for name in ("carrier", "service"):
                assert told[name] == posted.get(name, ""), name
        page = Page(any_app, reply["tracking_url"])
        assert page.scripts == scripts
        assert not page.odd
        for posted in sent["lines"]:
            assert page.shows(posted.get("title", ""))


class Page(HTMLParser):
    """A tracking page as a browser reads it: its words, its scripts, and what must not be there."""

    def __init__(self, app: Flask, url: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.scripts: list[str | None] = []
        self.odd: list[str] = []
        response = Browser(app).get("/" + url.split("/", 3)[3])
        assert response.status_code == 200
        self.feed(response.text)
        self.all = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            self.scripts.append(given.get("src"))
        if tag in {"iframe", "object", "embed", "base", "foreignobject"}:
            self.odd.append(tag)
        for name, value in attrs:
            said = "".join((value or "").split()).lower()
            is_link = name in {"href", "src", "action", "formaction", "srcset", "xlink:href"}
            if name.startswith("on") or name == "style":
                self.odd.append(f"{tag} {name}")
            if is_link and said.startswith(("javascript:", "vbscript:", "data:text")):
                self.odd.append(f"{tag} {name}={said}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def shows(self, text: str) -> bool:
        """Whether these words are on the page as they were sent."""
        return " ".join(text.split()) in self.all


def test_a_text_in_every_part_of_an_address_finds_nothing_and_breaks_nothing(
    any_app: Flask, strings: list[str]
) -> None:
    api = Api(any_app)
    reads = [made for made in ALL if made.method == "GET"]
    for text in strings:
        part = quote(text, safe="")
        nothing = {404, 405} if "/" in text else {404}  # a slash makes it another address
        for made in reads:
            if "{" in made.path and text not in {"", ".", ".."}:
                response = api.call("GET", address(made, part))
                assert response.status_code in nothing, (made.path, text, response.text)
        for query in ({"number": text}, {"cursor": text}, {"updated_since": text, "limit": text}):
            response = api.get("/orders", query_string=query)
            assert response.status_code in {200, 422}, query
        response = api.get("/orders", query_string={text or "x": "1"})
        assert response.status_code in {400, 422}, text
        if text.isascii() and text.isprintable():
            response = api.post("/orders", {"number": "1"}, headers={"Idempotency-Key": text})
            assert response.status_code in {200, 201, 422}, text


def test_a_sku_is_any_text_or_refused(any_app: Flask, strings: list[str]) -> None:
    api = Api(any_app)
    sent = {"title": "x", "price_minor": 1, "currency": "EUR"}
    for text in strings:
        if text in {"", ".", ".."}:
            continue
        response = api.put(f"/variants/{quote(text, safe='')}", sent)
        assert response.status_code in {200, 201, 404, 422}, text
        if response.status_code < 300:
            assert response.json["sku"] == text


# --- documents that parsers disagree about ------------------------------------------------------


def test_a_document_that_is_no_order_is_refused_everywhere(
    app: Flask, documents: list[tuple[str, bytes]]
) -> None:
    api = Api(app)
    for n, (name, raw) in enumerate(documents):
        for made in WITH_BODY[n % 4 :: 4]:  # each document at a quarter of the doors
            path = address(made, unknown_id(made))
            key = {"Idempotency-Key": "k"} if made.needs_key else {}
            response = api.call(
                made.method, path, data=raw, content_type="application/json", headers=key
            )
            assert response.status_code in {404, 413, 422}, (name, made.path, response.text)


def test_a_value_of_any_kind_in_any_field_is_refused_by_name(
    app: Flask, documents: list[tuple[str, bytes]]
) -> None:
    api = Api(app)
    whole = wide("x", 1) | deep(["x"])
    whole["lines"] = [line(discount_minor=0, tax_minor=0, tax_included=True, final_sale=False)]
    whole |= {"discount_minor": 0, "shipping_minor": 0, "shipping_tax_minor": 0}
    for name, raw in documents:
        if not name.startswith("y_"):
            continue
        value = json.loads(raw)
        if isinstance(value, (dict, list)):
            for field in whole:
                body = json.dumps({"number": "1", field: value})
                response = api.post("/orders", data=body, content_type="application/json")
                assert response.status_code in {200, 201, 422}, (name, field, response.text)


def test_an_amount_or_quantity_that_is_none_is_refused(app: Flask, shared_data: Path) -> None:
    api = Api(app)
    told = json.loads((shared_data / "security/forms/money_qty.json").read_text("utf-8"))
    for value in told["amount_minor_must_reject"]:
        for name in ("unit_price_minor", "discount_minor", "tax_minor"):
            sent = {"number": "1", "currency": "EUR", "lines": [line() | {name: value}]}
            assert api.post("/orders", sent).status_code == 422, (name, value)
        for name in ("discount_minor", "shipping_minor", "shipping_tax_minor"):
            assert api.post("/orders", {"number": "1", name: value}).status_code == 422
    for value in told["qty_must_reject"]:
        sent = {"number": "1", "currency": "EUR", "lines": [line() | {"quantity": value}]}
        assert api.post("/orders", sent).status_code == 422, value
    assert api.get("/orders").json["orders"] == []


# --- anything at all ----------------------------------------------------------------------------

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = ("number", "email", "phone", "placed_at", "currency", "shipping_address", "lines")
OWN = (*NAMES, "discount_minor", "shipping_minor", "payment", "shipments", "protection_quote")
LIKELY = st.fixed_dictionaries(
    {"number": st.sampled_from(["1", "2", " #1 "]) | st.text(max_size=90)},
    optional={
        "currency": st.sampled_from(["EUR", "JPY", "KWD"]) | ANY,
        "email": st.emails() | ANY,
        "placed_at": st.datetimes().map(lambda at: f"{at.isoformat()}Z") | ANY,
        "discount_minor": st.integers(-1, 3000) | ANY,
        "payment": st.fixed_dictionaries({}, optional={"captured_minor": st.integers(0)}) | ANY,
        "lines": st.lists(
            st.fixed_dictionaries(
                {"sku": st.sampled_from("AB"), "quantity": st.integers(0, 5)},
                optional={"unit_price_minor": st.integers(0, 2000), "title": st.text()},
            )
            | ANY,
            max_size=3,
        )
        | ANY,
        "shipments": st.lists(
            st.fixed_dictionaries(
                {"tracking_number": st.sampled_from(["1Z1", "1Z2", "1z 1"])},
                optional={
                    "carrier": st.sampled_from(["UPS", "ups", "DHL"]) | st.text(max_size=9),
                    "lines": st.lists(
                        st.fixed_dictionaries(
                            {"sku": st.sampled_from("ABC"), "quantity": st.integers(1, 5)}
                        ),
                        max_size=2,
                    ),
                },
            )
            | ANY,
            max_size=3,
        )
        | ANY,
    },
)
DOCUMENTS = LIKELY | st.dictionaries(st.sampled_from(OWN), ANY) | ANY


@pytest.mark.parametrize("examples", [60, pytest.param(2000, marks=pytest.mark.long)])
def test_any_json_is_taken_or_refused_with_a_reason(any_app: Flask, examples: int) -> None:
    api = Api(any_app)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS)
    def holds(document: Any) -> None:
        body = json.dumps(document)
        response = api.post("/orders", data=body, content_type="application/json")
        assert response.status_code in {200, 201, 409, 422}, response.text
        if response.status_code == 422:
            assert response.json["errors"]
        for order in api.get("/orders?limit=2").json["orders"]:
            assert api.get(f"/orders/{order['id']}").json == order

    holds()
