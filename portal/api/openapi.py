"""The API's own description, made from the table of endpoints: OpenAPI 3.1."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from flask import Response
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from portal.api.endpoint import ENDPOINTS, Endpoint, bp
from portal.models.token import PUBLISHABLE, SCOPES

REF: Final = "#/components/schemas/{model}"
SAID: Final = {
    400: "The address is not one we serve so, such as with a key in it.",
    401: "No token, an unknown or revoked one, or one of another shop than the address.",
    403: "The token lacks the scope.",
    404: "There is nothing here under this id; the same for what is another shop's.",
    409: "The thing does not stand so that this could be done, or is being changed right now.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not application/json, or compressed.",
    421: "The address's host is none of a shop here.",
    422: "Something that was sent cannot be taken; `errors` says what, field by field.",
    428: "Money moves here: an Idempotency-Key is needed.",
    429: "Asked too often with a token of scope quote. Retry-After says when to ask again.",
    503: "We are busy; nothing was changed. Retry-After says when to ask again.",
}
PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string", "description": "A path such as lines.0.sku."},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
ABOUT: Final = (
    "Orders, parcels and variants of one shop, which the token names. Amounts are whole minor "
    "units beside a currency. Moments carry an offset. Unknown fields are refused by name; null "
    "empties a text. The same POST under the same Idempotency-Key is done once and answered the "
    "same for 30 days. Lists are pages: go on with next_cursor until it is null."
)
KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 visible ASCII characters, a new one for each act.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
REPLAYED: Final = {
    "description": "true when this is the answer given before under the same key.",
    "schema": {"type": "string", "enum": ["true"]},
}


@bp.get("/openapi.json", provide_automatic_options=False)
def description() -> Response:
    """What this API is, for anybody."""
    response = Response(_text(), mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@cache
def _text() -> str:
    return json.dumps(describe(), indent=1)


def describe() -> dict[str, Any]:
    """The OpenAPI document."""
    refs, schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for each in ENDPOINTS:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Porchlight", "version": version("porchlight"), "description": ABOUT},
        "servers": [{"url": "/api/v1"}],
        "paths": paths | {"/openapi.json": {"get": _self()}},
        "components": {
            "schemas": schemas | {"ProblemDetails": PROBLEM},
            "responses": {str(status): _refusal(status) for status in SAID},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A token with scopes: {' '.join(SCOPES)}, or * for all.",
                }
            },
        },
    }


def _schemas() -> tuple[dict[Any, Any], dict[str, Any]]:
    """The schema of every model, and where each is found."""
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for each in ENDPOINTS:
        wanted += [(model, "serialization") for model in each.replies.values()]
        if each.body:
            wanted.append((each.body, "validation"))
    refs, document = models_json_schema(list(dict.fromkeys(wanted)), ref_template=REF)
    return dict(refs), document["$defs"]


def _operation(each: Endpoint, refs: dict[Any, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": each.run.__name__,
        "summary": each.summary,
        "security": [{"bearer": [scope]} for scope in each.scope.split()],
        "parameters": _parameters(each),
        "responses": _replies(each, refs),
    }
    if each.description:
        said["description"] = each.description
    if each.body:
        schema = refs[each.body, "validation"]
        said["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return said


def _parameters(each: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in each.path.split("/")
        if part.startswith("{")
    ]
    if each.query:
        for name, schema in each.query.model_json_schema()["properties"].items():
            found.append({"name": name, "in": "query", "required": False, "schema": schema})
    if each.method == "POST" and each.writes:
        found.append(KEY | {"required": each.needs_key})
    return found


def _replies(each: Endpoint, refs: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, model in each.replies.items():
        schema = refs[model, "serialization"]
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        if each.method == "POST" and each.writes:
            found[str(status)]["headers"] = {"Idempotency-Replayed": REPLAYED}
    for status in _refusals(each):
        found[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return found


def _refusals(each: Endpoint) -> list[int]:
    found = [400, 401, 403, 421, 422, 503]
    if "{" in each.path or "order" in (each.query.model_fields if each.query else ()):
        found.append(404)
    if each.body:
        found += [413, 415]
    if each.writes:
        found.append(409)
    if each.needs_key:
        found.append(428)
    if PUBLISHABLE & set(each.scope.split()):
        found.append(429)
    return sorted(found)


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": REF.format(model="ProblemDetails")}
    said: dict[str, Any] = {
        "description": SAID[status],
        "content": {"application/problem+json": {"schema": schema}},
    }
    if status in {409, 429, 503}:
        said["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return said


def _self() -> dict[str, Any]:
    return {
        "operationId": "description",
        "summary": "Read this description",
        "security": [],
        "responses": {
            "200": {
                "description": "OK",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    }
