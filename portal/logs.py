"""Structured logs: one JSON line an event, with the request's id and nothing personal."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

from portal.clock import now
from portal.db import new_id

REQUEST_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
SECRET_PATHS = re.compile(r"^/(t|r|c|u|events)/[^/]+")
PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|(?<!\d)\+?\d[\d ()/-]{8,}\d(?!\d)")
log: structlog.stdlib.BoundLogger = structlog.get_logger("porchlight")


def init_logs(app: Flask) -> None:
    """Give each request an id and one line when it ends."""
    app.before_request(_begin)
    app.after_request(_end)


def configure(stream: Any = None) -> None:
    """Set up logging for a process: JSON lines on standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _tracebacks_without_values,
            _without_personal_data,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.match(given) else new_id("req", now())
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "began" in g:
        response.headers["X-Request-Id"] = g.request_id
        log.info(
            "request",
            method=request.method,
            path=SECRET_PATHS.sub(r"/\1/-", request.path),
            status=response.status_code,
            ms=round((time.monotonic() - g.began) * 1000, 1),
            shop=g.get("shop_id", 0),
        )
    return response


def _tracebacks_without_values(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Where it broke, without the message: messages carry what people typed."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        frame, places = error.__traceback__, []
        while frame is not None:
            places.append(f"{frame.tb_frame.f_globals.get('__name__')}:{frame.tb_lineno}")
            frame = frame.tb_next
        event["trace"] = places[-12:]
    return event


def _without_personal_data(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in {"timestamp", "request_id"}:
            event[key] = PERSONAL.sub("[removed]", value)
    return event
