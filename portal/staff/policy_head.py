"""What holds for a whole policy: its name, its calendar, its currency, what becomes of the rest."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, flash, g, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict

from portal.models.change import Conflict
from portal.models.policy import PolicyVersion
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.policy_edit import change_document, found
from portal.staff.policy_sentences import OTHERWISE
from portal.staff.rights import needs
from portal.staff.widget_groups import Record
from portal.staff.widgets import Line, One, Problems, Typed

HEAD: Final = Record(
    of={
        "name": Line(label="Name", help="For the desk.", default="", most=200),
        "otherwise": One(label="What becomes of the rest", words=OTHERWISE),
        "time_zone": Line(
            label="Time zone",
            help="Days are counted on its calendar. A name such as Europe/Berlin.",
            is_needed=True,
            most=60,
        ),
        "currency": Line(
            label="Currency of the amounts", help="A code such as EUR.", is_needed=True, most=3
        ),
    }
)


@bp.get("/policy/<int:version>/head")
@needs("policy")
def policy_head(version: int) -> Response:
    """The form of what holds for the whole policy."""
    shown, typed = found(version), MultiDict[str, str]()
    HEAD.fill("", {**shown.document, "currency": shown.policy.currency or g.shop.currency}, typed)
    return _head_shown(shown, typed, {})


@bp.post("/policy/<int:version>/head")
@needs("policy")
def policy_head_change(version: int) -> Response:
    """Change name, rest, time zone or currency."""
    typed, problems = MultiDict(request.form), Problems()
    read = HEAD.read("", typed, problems)
    if problems:
        return _head_shown(found(version), typed, problems, status=422)
    try:
        change_document(version, lambda document: {**document, **_tidy(read)})
    except Conflict as error:
        return _head_shown(found(version), typed, {}, str(error), 409)
    except Invalid as error:
        problems = {each["field"]: each["message"] for each in error.errors}
        return _head_shown(found(version), typed, problems, status=422)
    flash("Saved.")
    return make_response(redirect(f"/staff/policy/{version}", 303))


def _tidy(read: dict[str, Any]) -> dict[str, Any]:
    return {**read, "currency": read["currency"].upper()}


def _head_shown(
    version: PolicyVersion, typed: Typed, problems: Problems, told: str = "", status: int = 200
) -> Response:
    text = render_template(
        "staff/policy_head.html",
        here="policy",
        version=version.version,
        seen=version.hash,
        boxes=HEAD.show("", typed, problems).parts,
        problems=problems,
        told=told,
    )
    return make_response(text, status)
