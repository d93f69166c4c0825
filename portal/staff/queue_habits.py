"""How people work at the queue: views they keep, keys they use, and what they have open."""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import Response, abort, jsonify, make_response, redirect, render_template, request

from portal import clock
from portal.db import session, writing
from portal.models import DeskHabit, DeskPresence, SavedView
from portal.models.change import Conflict
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.queue_acts import KINDS, back
from portal.staff.queue_filters import Filters
from portal.staff.rights import me, needs


@bp.post("/views")
@needs("read")
def view_saving() -> Response:
    """Keep the list's filters under a name, for oneself or for everybody at the shop."""
    query = dict(parse_qsl(request.form.get("back", "")[:2000].partition("?")[2]))
    filters = {**Filters.read(query).kept, "q": ""}
    shared = request.form.get("shared") == "yes" and me().may("decide")
    try:
        with writing():
            name = request.form.get("name", "")[:200]
            SavedView.save(me().id, name, filters, shared=shared, now=clock.now())
        told = "The view is kept."
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
    return back(told)


@bp.post("/views/<view_id>/removal")
@needs("read")
def view_removal(view_id: str) -> Response:
    """Forget a view: one's own, or, for whoever decides, one that is shared."""
    with writing():
        view = session.get(SavedView, view_id) or abort(404)
        if view.staff_id != me().id and not (view.shared and me().may("decide")):
            abort(403, "This view is a colleague's.")
        session.delete(view)
    return back("The view is removed.")


@bp.get("/keys")
@needs("read")
def keys() -> Response:
    """Every key of the queue, and the switch that turns them off."""
    return make_response(render_template("staff/keys.html", here=""))


@bp.post("/keys")
@needs("read")
def keys_switch() -> Response:
    """Turn single keys on or off for oneself."""
    with writing():
        DeskHabit.set_keys(me().id, on=request.form.get("keys") == "on")
    return make_response(redirect("/staff/keys", 303))


@bp.post("/presence")
@needs("receive")
def presence() -> Response:
    """Say that one looks at an item, or does no more; gives who else does."""
    subject, now = request.form.get("subject", "")[:40], clock.now()
    if subject[:4] not in KINDS:
        abort(400, "This is no item of the queue.")
    with writing("NORMAL"):
        if request.form.get("leaves"):
            DeskPresence.leave(subject, me().id)
        else:
            DeskPresence.note(subject, me().id, now)
    others = DeskPresence.others([subject], me().id, now)
    return jsonify(seen_by=others.get(subject, []))
