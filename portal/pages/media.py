"""The pictures we keep: a shop's own ones, under names that never mean another picture."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, request
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
    try:
        content = path_of(g.shop_id, found).read_bytes() if found else b""
    except FileNotFoundError:
        content = b""
    if not content:
        abort(404)
    response = Response(content, mimetype="image/webp")
    response.set_etag(picture_id)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # Mails show it too, in whatever place they are read.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response
