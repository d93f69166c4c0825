"""The way out of every mail: one press, or the mail program's own button, without signing in.

Looking changes nothing. The token came with a message about one order to one address, and stops
the messages of that order to that address. It is the proof itself, so no form token is asked for:
mail programs post here by themselves (RFC 8058).
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, abort, make_response, render_template, request

from portal import clock
from portal.db import writing
from portal.models import Message
from portal.models.audit import record
from portal.models.outbox import confirm, start, stop, wants
from portal.pages.brand import site_urls, url_in
from portal.pages.entry import guard

bp = Blueprint("unsubscribe", __name__)
bp.after_request(guard)


@bp.get("/u/<token>")
def ask(token: str) -> Response:
    """What is sent now, and a button that changes it."""
    order_id, recipient, number = _told(token)
    return _page(token, number, gets_mails=wants(order_id, recipient))


@bp.post("/u/<token>")
def change(token: str) -> Response:
    """Stop the messages; with `again`, take that back."""
    order_id, recipient, number = _told(token)
    again = "again" in request.form
    with writing():
        _keep(order_id, recipient, clock.now(), again=again)
    return _page(token, number, gets_mails=again, saved=True)


def _told(token: str) -> tuple[str, str, str]:
    """Order, address and the order's number of the message the token came with."""
    message = Message.with_stop_token(token)
    if message is None or message.order_id is None:
        abort(404)
    return message.order_id, message.recipient, str(message.facts.get("number", ""))


def _keep(order_id: str, recipient: str, now: datetime, *, again: bool) -> None:
    if again:
        start(order_id, recipient)
        confirm(order_id, recipient, now)  # the message came to this address
    else:
        stop(order_id, recipient)
    record("customer", "updates.resumed" if again else "updates.stopped", order_id)


def _page(token: str, number: str, *, gets_mails: bool, saved: bool = False) -> Response:
    text = render_template(
        "tracking/stop.html",
        number=number,
        gets_mails=gets_mails,
        saved=saved,
        urls=site_urls() | {"stop": url_in("unsubscribe.change", token=token)},
    )
    return make_response(text)
