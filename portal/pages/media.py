"""The pictures we keep: a shop's own ones, under names that never mean another picture."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, send_file
from sqlalchemy import select

from portal.db import session
from portal.models import Picture
from portal.pictures import path_of

bp = Blueprint("media", __name__)


@bp.get("/media/<picture_id>")
def show(picture_id: str) -> Response:
    """A kept picture; 404 for one that is another shop's, not kept or not there."""
    found = session.scalar(
        select(Picture.id).where(Picture.id == picture_id, Picture.state == "kept")
    )
    if found is None or not (path := path_of(g.shop_id, found)).is_file():
        abort(404)
    response = send_file(path, mimetype="image/webp", etag=found, last_modified=None)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # Mails show it too, in whatever place they are read.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
