"""An order's tracking page: whole, its changing part alone, and its arrival as a calendar entry.

The words are kept packed in this process; they hold no form, no nonce and nothing personal.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, render_template, request, url_for

from portal import clock
from portal.format import LOCALES
from portal.keys import digest
from portal.pages.brand import allow_style, brand, page_locale
from portal.pages.calendar import calendar
from portal.pages.entry import enter, guard, order_urls
from portal.pages.facts import OrderFacts
from portal.pages.kept import Body, Shelf
from portal.pages.load import Opened, load_order
from portal.pages.present import TrackingPage, present

bp = Blueprint("tracking", __name__)
bp.after_request(guard)
SHELF = Shelf()
AWAITING_PICTURE = timedelta(minutes=1)  # a picture comes in without a new version of its order


@bp.get("/t/<token>")
def page(token: str) -> Response:
    """The page, complete without JavaScript."""
    return _told("tracking/page.html", token)


@bp.get("/t/<token>/live")
def live(token: str) -> Response:
    """The part that changes; 304 while it has not."""
    return _told("tracking/_live.html", token)


@bp.get("/t/<token>/arrival.ics")
def arrival(token: str) -> Response:
    """A parcel's arrival window as a calendar entry; 404 where no date lies ahead."""
    now = clock.now()
    order, told = _read(enter(token, now), now)
    asked = request.args.get("parcel", "")
    ahead = {one.id for one in told.parcels if one.has_calendar and asked in ("", one.id)}
    parcel = next((one for one in order.parcels if one.id in ahead), None)
    if parcel is None:
        abort(404)
    entry = Response(calendar(order, parcel, now, brand().shop.name), mimetype="text/calendar")
    entry.headers["Content-Disposition"] = 'attachment; filename="arrival.ics"'
    return entry


def _told(template: str, token: str) -> Response:
    now = clock.now()
    link = enter(token, now)
    key = _key(template, token, link)
    body = SHELF.get(key, now) or SHELF.put(key, _tell(template, token, link, now))
    allow_style()
    response = body.response()
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Live-Version"] = str(link.version)  # what static/live.js has seen
    if body.is_final:
        response.headers["Live-Stop"] = "1"  # static/live.js stops asking
    return response


def _key(template: str, token: str, link: Opened) -> Hashable:
    """All that the words depend on, beside the clock."""
    asked = request.args.get("lang", "")
    return (
        template,
        digest(token),
        link.version,
        link.checked_at,
        link.grade,
        brand().version,
        page_locale(),
        asked if asked in LOCALES else "",
    )


def _tell(template: str, token: str, link: Opened, now: datetime) -> Body:
    order, told = _read(link, now)
    urls = order_urls(token)
    if told.is_split:  # the template names the parcel behind it
        urls["calendar"] = url_for(".arrival", token=token)
    text = render_template(template, page=told, urls=urls, version=link.version)
    until = told.changes_at
    if any(item.awaits_picture for item in order.items):
        until = min(until, now + AWAITING_PICTURE)
    return Body.of(text, until, told.is_final)


def _read(link: Opened, now: datetime) -> tuple[OrderFacts, TrackingPage]:
    order = load_order(link.order_id, link.grade)
    if order is None:
        abort(404)
    return order, present(order, brand().shop, now, page_locale())
