"""`/events/<token>`: tells an open tracking page that it shows something old."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, request

from portal import clock
from portal.live import Stream, streams_of
from portal.pages.entry import enter, guard
from portal.pages.load import Opened, open_link
from portal.tenancy import shop_in_scope

bp = Blueprint("events", __name__)
bp.after_request(guard)
AGAIN_S = 120  # where no place is free; pages ask for their live part meanwhile
LINES = ("gunicorn.socket", "gevent.socket", "werkzeug.socket")  # how servers name the connection


@bp.get("/events/<token>")
def listen(token: str) -> Response:
    """A stream of events as long as the page is open; 204 where no place is free.

    To a browser 204 says: do not try again by yourself.
    """
    now = clock.now()
    stream = _open(enter(token, now), now) if request.method == "GET" else None
    if stream is None:
        return Response(status=204, headers={"Retry-After": str(AGAIN_S)})
    try:
        # Read once more: what changed between the two would be told to nobody.
        link = open_link(token)
        if link is None or link.has_ended(now):
            stream.end()
        else:
            stream.tell(link.version)
        return _told(stream)
    except BaseException:
        stream.close()
        raise


def _open(link: Opened, now: datetime) -> Stream | None:
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    left = (link.ends_at - now).total_seconds() if link.ends_at else float("inf")
    line = next((request.environ[name] for name in LINES if name in request.environ), None)
    return streams_of(app).open((shop_in_scope(), link.order_id), link.id, left, line)


def _told(stream: Stream) -> Response:
    seen = _seen()
    if seen > stream.version:  # of a house as it was before a backup was put back
        seen = 0
    response = Response(stream.after(seen), mimetype="text/event-stream")
    response.call_on_close(stream.close)
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep the words back
    return response


def _seen() -> int:
    """The version the page shows: what its stream said last, else what it was made with."""
    said = request.headers.get("Last-Event-ID") or request.args.get("since", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else 0
