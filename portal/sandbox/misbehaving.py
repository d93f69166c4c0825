"""Around every request: the journal, the key, and whatever the fault script says."""

import time
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, current_app, g, jsonify, request
from werkzeug.exceptions import HTTPException

from portal.sandbox.account import Account, fine_stamp
from portal.sandbox.faults import BEFORE, EDGE, FaultAsked, bent_body
from portal.sandbox.manners import manners, refused
from portal.sandbox.refusals import Refusal
from portal.sandbox.server import WIRE

HTML: Final = "<!doctype html><title>Rehearsal</title><h1>This is not JSON.</h1>"
SECRETS: Final = frozenset(
    {
        *("webhook_secret", "custom_headers", "email_evidence_attachments"),
        *("invoice_attachments", "supporting_documentation_attachments"),  # too long for a log
    }
)
IN_FLIGHT: Final = "A duplicate request is currently in-flight"
FAILED: Final = "Something went wrong on our side."


def watch(app: Flask) -> None:
    """Journal, authenticate and misbehave on every request but those of the door behind."""
    app.before_request(_before)
    app.after_request(_after)
    app.teardown_request(_let_go)
    app.register_error_handler(Refusal, refused)
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
        fault = g.fault.fault if g.fault is not None else ""
        if fault in EDGE:
            return _broken(g.fault)
        kept = manners().opening()
        if kept is not None:
            return kept
        if fault in BEFORE:
            return _broken(g.fault)
        if fault == "slow":
            time.sleep(g.fault.seconds)
    _account().lock.acquire()
    g.locked = True
    _account().beat()
    return None


def _broken(fault: FaultAsked) -> Response:
    """The answer of a fault that comes before anything is done."""
    answers = {
        "rate_limited": (429, "RATE_LIMITED", "Too many requests."),
        "in_flight": (422, "TRACKER.CREATE.ERROR", IN_FLIGHT),
        "error_500": (500, "INTERNAL_SERVER_ERROR", FAILED),
        "error_503": (503, "SERVICE_UNAVAILABLE", "The service is not available."),
    }
    if fault.fault == "reset":
        request.environ[WIRE] = "reset"
        return Response("")
    if fault.fault == "html_502":
        return Response(HTML, 502, mimetype="text/html")
    if fault.fault in ("error_text", "error_null"):
        text = fault.fault == "error_text"
        answer = jsonify({"error": "Something went wrong." if text else None})
        answer.status_code = 500 if text else 400
        return answer
    answer = refused(manners().refusal(*answers[fault.fault]))
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = f"{fault.retry_after:g}"
    return answer


def _after(response: Response) -> Response:
    _let_go()
    if _behind():
        return response
    fault: FaultAsked | None = g.get("fault")
    if fault is not None and fault.fault == "commit_then_500":
        response = refused(manners().refusal(500, "INTERNAL_SERVER_ERROR", FAILED))
    _journal(response.status_code, fault)
    manners().closing(response)
    if fault is not None and fault.fault not in BEFORE:
        response = _bent(response, fault)
    manners().dress(response)
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
    elif fault.fault in ("empty", "null", "list"):
        response.set_data({"empty": b"", "null": b"null", "list": b"[]"}[fault.fault])
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
        return _without_secrets(manners().seen())
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


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    message = "The requested resource could not be found." if status == 404 else status.phrase
    return refused(manners().refusal(status, status.name, message))
