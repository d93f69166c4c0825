"""The description: valid OpenAPI 3.1, of every endpoint, every status, every field."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from portal.api.endpoint import Endpoint
from tests.api.client import PREFIX, Api, description, resolved
from tests.api.things import ALL, WITH_BODY, named


def said_of(made: Endpoint) -> dict[str, Any]:
    """What the description says of an endpoint."""
    found: dict[str, Any] = description()["paths"][made.path][made.method.lower()]
    return found


def test_the_description_is_valid(app: Flask) -> None:
    served = app.test_client().get(f"{PREFIX}/openapi.json").json
    assert served == description()
    OpenAPIV31SpecValidator(served).validate()
    assert served["openapi"].startswith("3.1")


def test_every_route_of_the_api_is_described(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX + "/"):
            path = rule.rule.removeprefix(PREFIX).replace("<anything:", "<")
            path = path.replace("<", "{").replace(">", "}")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                assert method.lower() in description()["paths"][path], (method, path)


@pytest.mark.parametrize("made", ALL, ids=named)
def test_every_status_is_described(made: Endpoint) -> None:
    said = said_of(made)
    wanted = {*made.replies, 400, 401, 403, 421, 422, 503}
    named_by_query = made.query is not None and "order" in made.query.model_fields
    wanted |= {404} if "{" in made.path or named_by_query else set()
    wanted |= {413, 415} if made.body else set()
    wanted |= {409} if made.writes else set()
    wanted |= {428} if made.needs_key else set()
    wanted |= {429} if "quote" in made.scope.split() else set()
    assert {int(status) for status in said["responses"]} == wanted
    for status, reply in said["responses"].items():
        assert resolved(reply)["description"], status
        assert resolved(reply)["content"], status


@pytest.mark.parametrize("made", ALL, ids=named)
def test_every_endpoint_says_what_it_does_and_what_it_needs(made: Endpoint) -> None:
    said = said_of(made)
    assert said["summary"]
    assert said["security"] == [{"bearer": [scope]} for scope in made.scope.split()]
    names = {(each["in"], each["name"]) for each in said["parameters"]}
    assert (("header", "Idempotency-Key") in names) == (made.method == "POST" and made.writes)
    for part in made.path.split("/"):
        if part.startswith("{"):
            assert ("path", part[1:-1]) in names
    for name in made.query.model_fields if made.query else ():
        assert ("query", name) in names


@pytest.mark.parametrize("made", WITH_BODY, ids=named)
def test_a_body_is_described_and_closed_to_unknown_fields(made: Endpoint) -> None:
    body = said_of(made)["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    schema = description()["components"]["schemas"][name]
    assert schema["additionalProperties"] is False
    assert made.body is not None
    assert set(schema["properties"]) == set(made.body.model_fields)


def test_a_cached_description_is_good_for_minutes(quick: Api) -> None:
    response = quick.get("/openapi.json")
    assert response.headers["Cache-Control"] == "public, max-age=300"
