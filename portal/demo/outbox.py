"""The rehearsal's outbox: every message of both brands, as it would have been sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, render_template
from sqlalchemy import select

from portal.db import inside, session
from portal.demo.tales import BRANDS
from portal.keys import unseal
from portal.models import Message, Shop

bp = Blueprint("outbox", __name__, url_prefix="/demo/outbox")
MOST_SHOWN = 100  # of a brand, the newest
LISTED = (
    *(Message.id, Message.subject, Message.kind, Message.recipient, Message.state),
    *(Message.error, Message.created_at, Message.sent_at),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it was sent, and the origin its pictures come from."""

    origin: str
    text: str
    html: str


@bp.get("")
def index() -> str:
    """All messages, the newest of either brand first."""
    rows = [(name, row) for name, found in _listed() for row in found]
    rows.sort(key=lambda each: _at(each[1]), reverse=True)
    return render_template("demo/outbox.html", messages=rows)


@bp.get("/<message_id>.html")
def as_html(message_id: str) -> Response:
    """One message as a mail program shows it. Its style is inline, as mails need it."""
    sent = _sent(message_id)
    response = Response(sent.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src 'self' {sent.origin}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response


@bp.get("/<message_id>.txt")
def as_text(message_id: str) -> Response:
    """One message as a program without HTML shows it."""
    return Response(_sent(message_id).text, mimetype="text/plain")


def _listed() -> Iterator[tuple[str, Sequence[Any]]]:
    for shop in _shops():
        with inside(shop.id):
            newest = select(*LISTED).order_by(Message.created_at.desc()).limit(MOST_SHOWN)
            yield shop.name, session.execute(newest).all()


def _at(row: Any) -> datetime:
    at: datetime = row.sent_at or row.created_at
    return at


def _sent(message_id: str) -> Sent:
    """The message with this id, whichever brand sent it; 404 for one that was not sent."""
    sent = next(_found(message_id), None)
    if sent is None:
        abort(404)
    return sent


def _found(message_id: str) -> Iterator[Sent]:
    is_it = (Message.id == message_id, Message.state == "sent")
    for shop in _shops():
        with inside(shop.id):
            row = session.execute(select(Message.text, Message.html).where(*is_it)).first()
        if row is not None:
            yield Sent(shop.origin, unseal(row.text), unseal(row.html))


@dataclass(frozen=True, slots=True)
class _Shown:
    id: int
    name: str
    origin: str


def _shops() -> list[_Shown]:
    found = [Shop.named(brand.slug) for brand in BRANDS]
    return [_Shown(shop.id, shop.name, shop.origin) for shop in found if shop is not None]
