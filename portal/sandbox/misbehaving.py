"""Around every request: the journal, the key, and whatever the fault script says."""

import base64
import binascii
import hmac
import time
from http import HTTPStatus
from typing import Final
from uuid import uuid4

from flask import Flask, Response, current_app, g, jsonify, request
from werkzeug.exceptions import HTTPException

from portal.sandbox.account import Account, fine_stamp
from portal.sandbox.asked import read_body
from portal.sandbox.faults import BEFORE, FaultAsked, bent_body
from portal.sandbox.refusals import Json, Refusal, unauthorized
from portal.sandbox.server import WIRE
from portal.sandbox.trackers import tell_due

HTML: Final = "<!doctype html><title>Rehearsal</title><h1>This is not JSON.</h1>"
SECRETS: Final = frozenset({"webhook_secret", "custom_headers"})


def watch(app: Flask) -> None:
    """Journal, authenticate and misbehave on every request but those of the door behind."""
    app.before_request(_before)
    app.after_request(_after)
    app.teardown_request(_let_go)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)


def _account() -> Account:
    found: Account = current_app.extensions["account"]
    return found


def route() -> str:
    """POST /v2/shipments/<id>/buy: the request without its ids."""
    return f"{request.method} {request.url_rule.rule if request.url_rule else request.path}"


def _behind() -> bool:
    return request.path.startswith("/_sandbox/")


def _before() -> Response | None:
    if not _behind():
        g.fault = _account().faults.for_request(request.method, request.path, route())
        if g.fault is not None and g.fault.fault in BEFORE:
            return _broken(g.fault)
        if g.fault is not None and g.fault.fault == "slow":
            time.sleep(g.fault.seconds)
        if request.path.startswith("/v2/"):
            _check_key(request.headers.get("Authorization", ""))
    _account().lock.acquire()
    g.locked = True
    tell_due(_account())
    return None


def _check_key(header: str) -> None:
    scheme, _, given = header.partition(" ")
    if scheme.lower() == "basic":
        given = _user_of(given)
    wanted = _account().api_key
    if not given or scheme.lower() not in ("bearer", "basic"):
        raise unauthorized()
    if wanted is not None and not hmac.compare_digest(given.encode(), wanted.encode()):
        raise unauthorized()


def _user_of(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise unauthorized() from None


def _broken(fault: FaultAsked) -> Response:
    """The answer of a fault that comes before anything is done."""
    answers = {
        "rate_limited": (429, "RATE_LIMITED", "Too many requests."),
        "error_500": (500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side."),
        "error_503": (503, "SERVICE_UNAVAILABLE", "The service is not available."),
    }
    if fault.fault == "reset":
        request.environ[WIRE] = "reset"
        return Response("")
    if fault.fault == "html_502":
        return Response(HTML, 502, mimetype="text/html")
    if fault.fault == "error_text":
        answer = jsonify({"error": "Something went wrong."})
        answer.status_code = 500
        return answer
    answer = _refused(Refusal(*answers[fault.fault]))
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = f"{fault.retry_after:g}"
    return answer


def _after(response: Response) -> Response:
    _let_go()
    if _behind():
        return response
    status = response.status_code
    fault: FaultAsked | None = g.get("fault")
    _journal(status, fault)
    if fault is not None and fault.fault not in BEFORE:
        response = _bent(response, fault)
    response.headers["x-ep-request-uuid"] = uuid4().hex
    response.headers["x-version-label"] = "sandbox"
    response.headers["Cache-Control"] = "private, no-cache, no-store"
    return response


def _let_go(error: BaseException | None = None) -> None:
    """Give the lock back, also when a view broke."""
    if g.pop("locked", False):
        _account().lock.release()


def _bent(response: Response, fault: FaultAsked) -> Response:
    """A true answer spoilt on its way back, after the work was done."""
    if fault.fault in ("commit_then_drop", "truncated"):
        request.environ[WIRE] = "reset" if fault.fault == "commit_then_drop" else "truncated"
    elif fault.fault == "html_200":
        return Response(HTML, 200, mimetype="text/html")
    elif fault.fault == "wrong_types":
        response.set_data(bent_body(response.get_data()))
    elif fault.fault in ("empty", "null"):
        response.set_data(b"" if fault.fault == "empty" else b"null")
    return response


def _journal(status: int, fault: FaultAsked | None) -> None:
    account = _account()
    with account.lock:
        account.requests[route()] += 1
        account.log.append(
            {
                "at": fine_stamp(account.clock()),
                "method": request.method,
                "path": request.path,
                "route": route(),
                "query": request.args.to_dict(flat=False),
                "body": _body_seen(),
                "status": status,
                "fault": fault.fault if fault else None,
            }
        )


def _body_seen() -> object:
    try:
        return _without_secrets(read_body(request.get_data()))
    except (Refusal, RecursionError, HTTPException):
        return "(not readable)"


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: "(not kept)" if name in SECRETS else _without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    return value


def _refused(refusal: Refusal) -> Response:
    answer = jsonify(refusal.envelope())
    answer.status_code = refusal.status
    return answer


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    message = "The requested resource could not be found." if status == 404 else status.phrase
    envelope: Json = Refusal(status, status.name, message).envelope()
    answer = jsonify(envelope)
    answer.status_code = status
    return answer
