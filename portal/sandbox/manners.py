"""What differs between the services we stand in for, around every request of theirs."""

import base64
import binascii
import hmac
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, Protocol
from uuid import uuid4

from flask import Response, current_app, g, jsonify, request
from werkzeug.datastructures import FileStorage

from portal.sandbox.account import Account
from portal.sandbox.asked import read_body
from portal.sandbox.refusals import Json, Refusal, unauthorized
from portal.sandbox.stripe_account import API_VERSION, Till, new_id
from portal.sandbox.stripe_asked import read_form
from portal.sandbox.stripe_refusals import StripeRefusal, key_in_use, unavailable


class Manners(Protocol):
    """How a service greets, refuses and signs its answers."""

    def opening(self) -> Response | None:
        """Before the work: the key is checked; an answer means that there is nothing to do."""

    def closing(self, response: Response) -> None:
        """After the work, before anything spoils the answer."""

    def refusal(self, status: int, code: str, message: str) -> Refusal:
        """A failure in the service's own envelope."""

    def dress(self, response: Response) -> None:
        """The headers that every answer has."""

    def seen(self) -> object:
        """The body as the log keeps it. Raises Refusal for one that cannot be read."""


def manners() -> Manners:
    """Those of the service this request speaks to."""
    if request.path.startswith("/stripe/v1/"):
        return STRIPE
    return EASYPOST


def given_key() -> str:
    """The key of the Authorization header, bearer or basic; "" where there is none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return given if scheme.lower() == "bearer" else ""


def is_key(given: str, wanted: str | None) -> bool:
    """Whether the key opens; where none is set any does, but not none at all."""
    return bool(given) and (wanted is None or hmac.compare_digest(given.encode(), wanted.encode()))


class EasyPostManners:
    """EasyPost has no idempotency; label files are open to all."""

    def opening(self) -> Response | None:
        account: Account = current_app.extensions["account"]
        if request.path.startswith("/v2/") and not is_key(given_key(), account.api_key):
            raise unauthorized()
        return None

    def closing(self, response: Response) -> None:
        """Nothing is kept."""

    def refusal(self, status: int, code: str, message: str) -> Refusal:
        return Refusal(status, code, message)

    def dress(self, response: Response) -> None:
        response.headers["x-ep-request-uuid"] = uuid4().hex
        response.headers["x-version-label"] = "sandbox"
        response.headers["Cache-Control"] = "private, no-cache, no-store"

    def seen(self) -> object:
        return read_body(request.get_data())


class StripeManners:
    """Stripe answers once a key, refuses other versions than its own, and numbers its requests."""

    def opening(self) -> Response | None:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        g.stripe_request = {"id": new_id("req", 14), "idempotency_key": key}
        self._check_key()
        version = request.headers.get("Stripe-Version", API_VERSION)
        if version != API_VERSION:
            message = f"Invalid Stripe API version: {version}. The sandbox speaks {API_VERSION}."
            raise StripeRefusal(400, message, executed=False)
        if request.method != "POST":
            return None
        if request.mimetype not in ("application/x-www-form-urlencoded", "") and not _is_files():
            message = "Invalid request (check that your POST content type is a form)."
            raise StripeRefusal(400, message, executed=False)
        return self._begin(key) if key is not None else None

    def _check_key(self) -> None:
        given = given_key()
        if not given:
            message = "You did not provide an API key. Send it as a Bearer token."
            raise StripeRefusal(401, message, executed=False)
        if not is_key(given, _till().key) or not given.startswith(("sk_", "rk_")):
            message = f"Invalid API Key provided: {given[:7]}***"
            raise StripeRefusal(401, message, "invalid_api_key", executed=False)

    def _begin(self, key: str) -> Response | None:
        asked = _form()
        kept = _till().once.begin(key, request.path, asked, g.stripe_request["id"])
        if kept is None or kept.answer is None:
            g.once = key
            return None
        status, body = kept.answer
        answer = Response(body, status, mimetype="application/json")
        answer.headers["Idempotent-Replayed"] = "true"
        answer.headers["Original-Request"] = kept.request_id
        return answer

    def closing(self, response: Response) -> None:
        """Keep the answer under its key."""
        key = g.pop("once", None)
        if key is not None:
            executed = g.get("executed", True)
            _till().once.end(key, response.status_code, response.get_data(), executed=executed)

    def refusal(self, status: int, code: str, message: str) -> Refusal:
        if status == 429:
            return StripeRefusal(429, "Request rate limit exceeded.", "rate_limit", executed=False)
        if code == "TRACKER.CREATE.ERROR":
            return key_in_use(g.stripe_request["idempotency_key"])
        if status >= 500:
            return unavailable(status, message)
        message = f"Unrecognized request URL ({request.method}: {request.path}). {message}"
        return StripeRefusal(status, message, executed=False)

    def dress(self, response: Response) -> None:
        told = g.get("stripe_request") or {"id": new_id("req", 14), "idempotency_key": None}
        response.headers["Request-Id"] = told["id"]
        response.headers["Stripe-Version"] = API_VERSION
        response.headers["Cache-Control"] = "no-cache, no-store"
        if told["idempotency_key"] is not None:
            response.headers["Idempotency-Key"] = told["idempotency_key"]

    def seen(self) -> object:
        return _form()


def _is_files() -> bool:
    """Files alone come in parts."""
    return request.path == "/stripe/v1/files" and request.mimetype == "multipart/form-data"


def _form() -> Json:
    if _is_files():
        files = {name: sha256(file.stream.read()).hexdigest() for name, file in _files()}
        return {**request.form.to_dict(), **files}
    return read_form(request.get_data().decode("utf-8", "replace"))


def _files() -> Iterator[tuple[str, FileStorage]]:
    for name, file in request.files.items():
        file.stream.seek(0)
        yield name, file
        file.stream.seek(0)


def _till() -> Till:
    found: Till = current_app.extensions["till"]
    return found


EASYPOST: Final[Manners] = EasyPostManners()
STRIPE: Final[Manners] = StripeManners()


def refused(refusal: Refusal) -> Response:
    """A refusal as an answer."""
    g.executed = getattr(refusal, "executed", True)
    answer = jsonify(refusal.envelope())
    answer.status_code = refusal.status
    return answer
