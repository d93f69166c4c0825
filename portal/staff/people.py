"""Who works here: invited, given a role, let go. Only owners, and only shortly after signing in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from email_validator import EmailNotValidError, validate_email
from flask import Response, abort, flash, g, make_response, redirect, render_template, request

from portal import clock
from portal.db import session, writing
from portal.models import Shop
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.staff import INVITED_FOR, ROLES, Staff
from portal.models.staff_acts import (
    give_role,
    let_go,
    people,
    sign_out,
    standing,
    take_back,
)
from portal.pages.dates import Calendar
from portal.staff.desk import bp
from portal.staff.return_shown import when
from portal.staff.rights import confirmed, me, needs

MAY: Final = {
    "owner": "everything, and who works here",
    "manager": "everything but who works here",
    "agent": "decide, receive and pay",
    "warehouse": "receive and count what comes back",
    "reader": "look, and read the figures",
}
STANDINGS: Final = {
    "here": "Works here",
    "invited": "Invited",
    "lapsed": "The invitation ran out",
    "gone": "Works here no more",
}


@bp.get("/people")
@needs("people")
def all_people() -> Response:
    """Everybody, and a form to invite one more."""
    return _page({}, {})


@bp.post("/people")
@needs("people")
@confirmed
def invite_person() -> Response:
    """Invite somebody, or invite them anew. The link is shown once, to be passed on."""
    typed = {name: request.form.get(name, "").strip()[:254] for name in ("email", "role")}
    errors = {} if typed["role"] in ROLES else {"role": "Choose one of the roles."}
    try:
        checked = validate_email(typed["email"], check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return _page(typed, {**errors, "email": f"This is no e-mail address: {error}"})
    if errors:
        return _page(typed, errors)
    with writing():
        known = Staff.known(checked.normalized)
        if known is not None and known.id == me().id:
            return _page(typed, {"email": "That is you. Another owner can invite you anew."})
        person, token = Staff.invite(checked.normalized, typed["role"], clock.now())
        session.flush()
        record(me().who, "staff.invited", f"staff:{person.id}", after={"role": person.role})
        origin = session.get_one(Shop, g.shop_id).origin
    return _page({}, {}, link=f"{origin}/staff/invitation/{token}", invited=checked.normalized)


@bp.post("/people/<int:staff_id>/role")
@needs("people")
@confirmed
def change_role(staff_id: int) -> Response:
    """Give somebody another role, from their next click on."""
    role = request.form.get("role", "")
    return _act(staff_id, lambda person, by: give_role(person, role, by), "has another role now")


@bp.post("/people/<int:staff_id>/leave")
@needs("people")
@confirmed
def leave(staff_id: int) -> Response:
    """Somebody works here no more."""
    return _act(staff_id, let_go, "works here no more, and is signed out")


@bp.post("/people/<int:staff_id>/return")
@needs("people")
@confirmed
def come_back(staff_id: int) -> Response:
    """Somebody works here again."""
    return _act(staff_id, take_back, "works here again")


@bp.post("/people/<int:staff_id>/sign-out")
@needs("people")
@confirmed
def sign_out_person(staff_id: int) -> Response:
    """End every session of somebody."""
    return _act(staff_id, sign_out, "is signed out everywhere")


def _act(staff_id: int, act: Callable[[Staff, Staff], None], said: str) -> Response:
    try:
        with writing():
            person = session.get(Staff, staff_id) or abort(404)
            act(person, session.get_one(Staff, me().id))
            name = person.shown_name
    except Conflict as error:
        return _page({}, {}, problem=str(error), status=409)
    flash(f"{name} {said}.")
    return make_response(redirect("/staff/people", 303))


def _page(
    typed: dict[str, str],
    errors: dict[str, str],
    *,
    link: str = "",
    invited: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    now = clock.now()
    calendar = Calendar.at(now, "en", g.shop.timezone)
    text = render_template(
        "staff/people.html",
        here="people",
        people=[(person, standing(person, now)) for person in people()],
        standings=STANDINGS,
        roles=MAY,
        typed=typed,
        errors=errors,
        link=link,
        invited=invited,
        days=INVITED_FOR.days,
        problem=problem,
        when=lambda at: when(at, calendar),
    )
    return make_response(text, 422 if errors else status)
