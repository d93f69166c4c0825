"""What is said when something is wrong: a page for people, problem details for machines."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from jinja2 import Template
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from portal.db import session
from portal.logs import log
from portal.turns import Busy

MACHINES = ("/api/", "/hooks/", "/healthz", "/readyz", "/metrics")


def init_errors(app: Flask) -> None:
    """Answer every failure with a sentence; never with a trace."""
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Busy, busy)
    app.register_error_handler(OperationalError, busy)
    app.register_error_handler(Exception, unexpected)


def http_error(error: HTTPException) -> Response:
    """The page, or the problem, for an HTTP error."""
    if error.response is not None:
        return make_response(error.response)
    status = error.code or 500
    response = (
        problem(status, error.name, error.description or "")
        if request.path.startswith(MACHINES)
        else _page(status, error.description or "")
    )
    for name, value in error.get_headers():
        if name in {"Retry-After", "Allow", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def busy(error: Exception) -> Response:
    """The database did not let us write in time: nothing was changed, try again."""
    session.rollback()
    log.warning("database busy", exc_info=error)
    response = http_error(ServiceUnavailable(_("We are busy. Nothing was changed; try again.")))
    response.headers["Retry-After"] = "2"
    return response


def unexpected(error: Exception) -> Response:
    """A fault of ours: logged whole, told as a number to quote."""
    session.rollback()
    log.error("unexpected", exc_info=error)
    return (
        problem(500, "Internal Server Error", "A fault on our side. Nothing was changed.")
        if request.path.startswith(MACHINES)
        else _page(500, "")
    )


def problem(
    status: int, title: str, detail: str, errors: list[dict[str, Any]] | None = None
) -> Response:
    """An RFC 9457 problem."""
    response = jsonify(
        type="about:blank", title=title, status=status, detail=detail, errors=errors or []
    )
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _page(status: int, detail: str) -> Response:
    if g.get("shop") is None:
        # No shop, no brand: an unknown host learns nothing but that it is unknown.
        response = make_response(f"{status}: there is no shop at this address.\n", status)
        response.mimetype = "text/plain"
        return response
    # The page of this status, else of its hundred.
    names: list[str | Template] = [f"errors/{status}.html", f"errors/{status // 100}00.html"]
    body = render_template(names, status=status, detail=detail)
    return make_response(body, status)
