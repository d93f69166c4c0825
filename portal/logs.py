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
from gunicorn import glogging

from portal.clock import now
from portal.db import new_id

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
PERSONAL = re.compile(
    r"[^\s@<>]+@[^\s@<>]+"  # an e-mail, also one that is badly written
    r"|(?<!\d)(?!\d{4}-\d\d-\d\d\b)\+?\d[\d ()/.-]{7,}\d(?!\d)"  # a phone, a card, an address
    r"|(?<=/)(?:t|r|c|u|events|media)/[^/\s?]+"  # what a link opens with
    r"|\b(?:pl_|sk_|rk_|whsec_|EZAK|EZTK)[\w-]{6,}"  # keys, by how they begin
    r"|(?i:\bbearer\s+\S+)"
    r"|(?<=://)[^\s/@]+(?=@)"  # a password in an address
)
KEPT = frozenset({"timestamp", "request_id", "route", "level", "trace"})  # made by us alone
log: structlog.stdlib.BoundLogger = structlog.get_logger("porchlight")


def init_logs(app: Flask) -> None:
    """Give each request an id and one line when it ends."""
    app.before_request(_begin)
    app.after_request(_end)


def configure(stream: Any = None) -> None:
    """Set up logging for a process: JSON lines on standard error."""
    first: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [
        _tracebacks_without_values,
        _without_personal_data,
        structlog.processors.JSONRenderer(ensure_ascii=True),
    ]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    # What libraries say goes the same way: they put paths, and what people typed, into it.
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class ServerLog(glogging.Logger):  # type: ignore[misc]
    """gunicorn's own lines, in our form; it would quote the requests that it cannot read."""

    def setup(self, cfg: Any) -> None:
        """Leave the writing to the process's one handler."""
        self.error_log.handlers = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)
        self.access_log.disabled = True


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else new_id("req", now())
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "began" in g:
        response.headers["X-Request-Id"] = g.request_id
        log.info(
            "request",
            method=request.method,
            # The route, not the path: what stands in a path may be a token, a name, an address.
            route=request.url_rule.rule if request.url_rule else "",
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
    return {key: value if key in KEPT else _cleaned(value) for key, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return PERSONAL.sub("[removed]", value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(inner) for inner in value]
    return value if isinstance(value, int | float | None) else _cleaned(str(value))
