"""The console's frame: where a person lands, and what every page of it carries."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect
from flask_security import current_user

bp = Blueprint("staff", __name__, url_prefix="/staff")


@bp.get("", strict_slashes=False)
def home() -> Response:
    """The queue for who is signed in, the sign-in for others."""
    where = "/staff/queue" if current_user.is_authenticated else "/staff/sign-in"
    return make_response(redirect(where, 303))


@bp.after_request
def _private(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    return response
