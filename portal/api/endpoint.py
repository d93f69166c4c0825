"""One table of endpoints: what is served, and what `openapi.json` says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, g, request
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from werkzeug.routing import BaseConverter

from portal import clock
from portal.api.auth import Caller, let_in
from portal.api.once import Answer, body_digest, key_digest, once, read_key
from portal.api.reading import read_body
from portal.api.refusal import Refusal, invalid
from portal.db import session, writing
from portal.models.change import Conflict
from portal.sources.sentences import Invalid, read_as

bp = Blueprint("api", __name__, url_prefix="/api/v1")
ENDPOINTS: Final[list[Endpoint]] = []


class Anything(BaseConverter):
    """The rest of a path as it is: a sku may hold slashes, in any place and number."""

    regex = ".+"
    part_isolating = False


bp.record_once(lambda state: state.app.url_map.converters.update(anything=Anything))


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in: who asks, what was sent, and when."""

    caller: Caller
    body: Any  # the endpoint's body model, else None
    query: Any  # the endpoint's query model, else None
    now: datetime


Run = Callable[..., tuple[int, BaseModel]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API. `replies` has a model for each status it may answer with."""

    method: str
    path: str  # as OpenAPI writes it: /orders/{order_id}
    scope: str  # or several, of which the token needs one
    replies: Mapping[int, type[BaseModel]]
    run: Run
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    needs_key: bool = False
    computes: bool = False  # a POST that stores nothing, not even its answer

    @property
    def summary(self) -> str:
        """The first line of what its function says."""
        return (self.run.__doc__ or "").split("\n", 1)[0].rstrip(".")

    @property
    def description(self) -> str:
        """The rest of it."""
        rest = (self.run.__doc__ or "").partition("\n")[2]
        return " ".join(rest.split())

    @property
    def writes(self) -> bool:
        """Whether it runs inside the one writing transaction."""
        return self.method != "GET" and not self.computes


def endpoint(
    method: str,
    path: str,
    *,
    scope: str,
    replies: Mapping[int, type[BaseModel]],
    **more: Any,
) -> Callable[[Run], Run]:
    """Serve the function under `path`; one that writes runs inside `writing()`.

    It gets the Call and the path's parts, and gives (status, reply).
    """

    def serve(run: Run) -> Run:
        made = Endpoint(method, path, scope, replies, run, **more)
        ENDPOINTS.append(made)
        bp.add_url_rule(
            path.replace("{sku}", "<anything:sku>").replace("{", "<").replace("}", ">"),
            endpoint=run.__name__,
            view_func=lambda **parts: answer(made, parts),
            methods=[method],
            provide_automatic_options=False,
            merge_slashes=False,
        )
        return run

    return serve


def answer(made: Endpoint, parts: dict[str, str]) -> Response:
    """Let the caller in, read what was sent, run, and answer in JSON."""
    now = clock.now()
    caller = let_in(made.scope, now)
    query = read_as(made.query or NoQuery, _query(), strict=False)
    if not made.writes:
        wanted = read_as(made.body, read_body(request)) if made.body else None
        return _response(_run(made, Call(caller, wanted, query, now), parts))
    key = read_key(_key_header(), needed=made.needs_key) if made.method == "POST" else ""
    sent = read_body(request) if made.body else {}
    body = read_as(made.body, sent) if made.body else None
    kept_as = key_digest(caller, made.method, request.path, key) if key else ""

    def write() -> Answer:
        with writing():
            # Read inside, so that who follows `updated_at` misses nobody who waited for the lock.
            call = Call(caller, body, query, clock.now())
            if kept_as:
                said = body_digest(sent)
                return once(kept_as, said, call.now, lambda: _run(made, call, parts))
            return _run(made, call, parts)

    return _response(_twice(write))


def _twice(write: Callable[[], Answer]) -> Answer:
    """Write; once more when somebody made the same new row at the same moment."""
    try:
        return write()
    except IntegrityError:
        pass
    try:
        return write()
    except IntegrityError as error:
        raise Refusal(
            409, "Somebody else is changing the same. Ask again.", headers={"Retry-After": "1"}
        ) from error


def _run(made: Endpoint, call: Call, parts: dict[str, str]) -> Answer:
    status, reply = made.run(call, **parts)
    return Answer(status, reply.model_dump_json(by_alias=True))


class NoQuery(BaseModel, extra="forbid"):
    """An address without anything after the question mark."""


def _query() -> dict[str, str]:
    """What stands after the question mark, each name once."""
    found = request.args.to_dict(flat=False)
    for name, values in found.items():
        if len(values) > 1:
            raise invalid([{"field": name[:120], "message": "Send this once."}])
    return {name: values[0] for name, values in found.items()}


def _key_header() -> str | None:
    return request.headers.get("Idempotency-Key")


def _response(given: Answer) -> Response:
    response = Response(given.body + "\n", given.status, mimetype="application/json")
    if given.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


@bp.after_request
def open_to_its_page(response: Response) -> Response:
    """Let a page of another origin read the answer to its own token."""
    origin = g.get("cors_origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        response.headers.add("Vary", "Origin")
    return response


@bp.errorhandler(Refusal)
def refused(error: Refusal) -> Response:
    """The problem that was meant."""
    session.rollback()
    return error.response()


@bp.errorhandler(Invalid)
def not_taken(error: Invalid) -> Response:
    """422 with a sentence for each field."""
    session.rollback()
    return invalid(error.errors).response()


@bp.errorhandler(Conflict)
def in_conflict(error: Conflict) -> Response:
    """409: the thing does not stand so that this could be done."""
    session.rollback()
    return Refusal(409, str(error)).response()
