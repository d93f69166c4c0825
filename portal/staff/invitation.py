"""An invitation is opened once: name and password, and the person is in."""

from __future__ import annotations

from flask import Response, abort, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_security import login_user
from flask_security.proxies import _security

from portal import clock, limits
from portal.db import writing
from portal.models.audit import record
from portal.models.staff import Staff
from portal.staff.desk import bp
from portal.staff.signin import SIGN_IN_CLIENT, set_password

LONGEST = 120


@bp.get("/invitation/<token>")
def invitation(token: str) -> Response:
    """Ask for a name and a password."""
    staff = _invited(token)
    return _page(staff, {}, {})


@bp.post("/invitation/<token>")
def accept(token: str) -> Response:
    """Set both and sign in; 422 with the reasons where the password will not do."""
    name = " ".join(request.form.get("name", "").split())[:LONGEST]
    typed = request.form.get("password", "")[:1024]
    errors, password = _security.password_util.validate(typed, True)
    with writing():
        limits.take(SIGN_IN_CLIENT, limits.client(), clock.now())
    if errors:
        return _page(_invited(token), {"name": name}, {"password": " ".join(map(str, errors))})
    with writing():
        staff = _invited(token)
        set_password(staff, name, password)
        record(f"staff:{staff.id}", "staff.accepted", f"staff:{staff.id}")
    login_user(_known(staff), authn_via=["password"])
    return make_response(redirect("/staff/queue", 303))


def _invited(token: str) -> Staff:
    return Staff.invited(token, clock.now()) or abort(
        410, _("This invitation was used or has run out. Ask for another one.")
    )


def _known(staff: Staff) -> Staff:
    return Staff.known(staff.email) or abort(410)


def _page(staff: Staff, form: dict[str, str], errors: dict[str, str]) -> Response:
    text = render_template(
        "staff/invitation.html", email=staff.email, role=staff.role, form=form, errors=errors
    )
    return make_response(text, 422 if errors else 200)
