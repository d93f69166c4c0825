"""Photos of what is sent back: taken from a form, and shown to whom they belong."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, request
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.models import Photo, Return
from portal.pages.draft import Draft
from portal.pages.entry import enter, guard
from portal.pages.speech import _
from portal.pictures import Unusable, keep, path_of, redraw

bp = Blueprint("photos", __name__)
bp.after_request(guard)
LONGEST_SIDE = 1600
MOST_BYTES = 10 * 1024 * 1024  # of one file
MOST_AN_ARTICLE = 5


def take(
    order_id: str, sku: str, field: str, have: int, by: str = "customer", rma_id: str | None = None
) -> tuple[list[str], str]:
    """Keep the files of one field; gives the ids of the photos and what was wrong, "" for nothing.

    A file that is no picture spoils none of the others. They belong to a return that is named.
    Raises Conflict past an order's limit.
    """
    made: list[str] = []
    problem = ""
    for file in request.files.getlist(field):
        if not file.filename:
            continue
        if have + len(made) >= MOST_AN_ARTICLE:
            problem = _("Five photos are enough. The others were left out.")
            break
        try:
            content = redraw(file.stream.read(MOST_BYTES + 1)[: MOST_BYTES + 1], LONGEST_SIDE)
        except Unusable as error:
            problem = _("A file could not be read as a photo. %(why)s", why=str(error))
            continue
        with writing():  # the file first, the row after it: a row always has its file
            photo_id = Photo.add(order_id, sku, by, clock.now(), rma_id)
            keep(g.shop_id, photo_id, content)
        made.append(photo_id)
    return made, problem


@bp.get("/t/<token>/return/photos/<photo_id>")
def of_draft(token: str, photo_id: str) -> Response:
    """A photo of a return that is being filled in, for the browser that added it."""
    link = enter(token, clock.now())
    mine = {id for each in Draft.of(link.order_id).answers.values() for id in each.photos}
    return shown(photo_id) if photo_id in mine else abort(404)


@bp.get("/r/<token>/photos/<photo_id>")
def of_return(token: str, photo_id: str) -> Response:
    """A photo of a return, for who has its link."""
    rma = Return.at(token) or abort(404)
    wanted = select(Photo.id).where(Photo.id == photo_id, Photo.rma_id == rma.id)
    return shown(photo_id) if session.scalar(wanted) else abort(404)


def shown(photo_id: str) -> Response:
    """The photo itself; 404 where its file is gone."""
    try:
        content = path_of(g.shop_id, photo_id).read_bytes()
    except FileNotFoundError:
        abort(404)
    response = Response(content, mimetype="image/webp")
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
