"""A machine that calls the API, and holds every answer against the description served to it."""

from __future__ import annotations

import copy
import json
import re
from contextvars import Context
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from portal.api.openapi import describe
from tests.conftest import bearer

PREFIX = "/api/v1"
NEVER_DESCRIBED = {404, 405}  # of addresses and methods that are none


class Api:
    """A caller with a token of one shop; scope `*` unless given."""

    def __init__(self, app: Flask, slug: str = "fern", *scopes: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = bearer(slug, *scopes)

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = "", **more: Any
    ) -> TestResponse:
        """Ask, and see that the answer is one that the description promises."""
        headers = self.headers | more.pop("headers", {})
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        response = Context().run(  # as behind a server: nothing of the last request is at hand
            self.client.open, PREFIX + path, method=method, headers=headers, **more
        )
        check(method, path.partition("?")[0], response)
        return response

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("PATCH", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("PUT", path, body, **more)

    def order(self, **fields: Any) -> dict[str, Any]:
        """Post an order that must be taken; gives the reply."""
        response = self.post("/orders", {"number": "1001", **fields})
        assert response.status_code in {200, 201}, response.text
        return dict(response.json)


def line(sku: str = "MUG", quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A line as posted."""
    return {"sku": sku, "title": f"A {sku}", "quantity": quantity, "unit_price_minor": 1000, **more}


def fields_of(response: TestResponse) -> set[str]:
    """Which fields a problem is about; none where it is no problem."""
    return {each["field"] for each in response.json.get("errors", ())}


# --- the checker --------------------------------------------------------------------------------


def check(method: str, path: str, response: TestResponse) -> None:
    """Fail unless the reply is as described: status, content type, and every field of it."""
    if method == "HEAD":
        assert response.data == b""
        return
    found = operation(method, path)
    status = str(response.status_code)
    if found is None or status not in found["responses"]:
        assert found is None or response.status_code in NEVER_DESCRIBED, (method, path, status)
        said = {"content": {"application/problem+json": {"schema": PROBLEM}}}
    else:
        said = resolved(found["responses"][status])
    [(kind, media)] = said["content"].items()
    assert response.mimetype == kind, (method, path, status, response.mimetype)
    reply = json.loads(response.data)
    errors = [f"{e.json_path}: {e.message}" for e in validator(ref(media)).iter_errors(reply)]
    assert not errors, (method, path, status, errors)
    if kind == "application/problem+json":
        assert reply["status"] == response.status_code
        assert reply["title"]
        assert reply["detail"]


PROBLEM = {"$ref": "#/components/schemas/ProblemDetails"}


def ref(media: dict[str, Any]) -> str:
    """Where the schema of a reply stands."""
    return str(media["schema"].get("$ref", ""))


def resolved(said: dict[str, Any]) -> dict[str, Any]:
    """A response itself, where only its name is given."""
    if "$ref" not in said:
        return said
    found: dict[str, Any] = description()["components"]["responses"][said["$ref"].split("/")[-1]]
    return found


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What the description says of this call; None where it says nothing."""
    for pattern, methods in operations():
        if pattern.fullmatch(path) and method.lower() in methods:
            return dict(methods[method.lower()])
    return None


@cache
def operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Every described path as a pattern; those without parts first."""
    paths = description()["paths"]
    return [
        (
            re.compile(re.sub(r"\{sku\}", ".+", re.sub(r"\{(?!sku)\w+\}", "[^/]+", path))),
            paths[path],
        )
        for path in sorted(paths, key=lambda path: path.count("{"))
    ]


@cache
def description() -> dict[str, Any]:
    """The description as it is served."""
    return describe()


@cache
def validator(pointer: str) -> Draft202012Validator:
    """A check against one schema of the description, in which nothing more may be than it names."""
    document = copy.deepcopy(description())
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
    schema = {"$ref": f"urn:api{pointer}"} if pointer else {"type": "object"}
    return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())
