"""What is done from the list: decide, give to somebody, put off, see to; and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from flask import (
    Response,
    abort,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
)

from portal import clock
from portal.db import session, writing
from portal.models import PlannedAct, Staff
from portal.models.change import Conflict
from portal.models.desk import assign, rest, see_to
from portal.models.planned import ACTS, MOST_AT_ONCE, Decision, acts_of, plan_acts, undo
from portal.pages.dates import zone
from portal.sources.sentences import Invalid, wrong
from portal.staff.claims import CODES as CLAIM_CODES
from portal.staff.desk import bp
from portal.staff.queue_filters import Filters
from portal.staff.return_shown import CODES as RETURN_CODES
from portal.staff.rights import me, needs

# What can be chosen for a whole selection: the form's word, the reason, and what it fits.
CODES: Final = {
    **{f"ret:{code}": words for code, words in RETURN_CODES.items() if code != "other"},
    **{f"clm:{code}": words for code, words in CLAIM_CODES.items() if code != "other"},
    "all:other": "Another reason, told in the note",
}
KINDS: Final = ("ret_", "clm_", "wdr_", "shp_")  # how ids of items begin
BACK_AT: Final = time(6)  # what was put off is back before work begins, the shop's time


@bp.post("/queue/decisions")
@needs("decide")
def queue_decisions() -> Response:
    """Plan the same decision for every row that was chosen; each is checked by itself."""
    act, note = request.form.get("act", ""), request.form.get("note", "").strip()[:2000]
    code = request.form.get("code", "")
    if act not in ACTS:
        abort(400, "Choose whether to approve or to decline. Nothing was changed.")
    chosen = [
        Decision(subject, version, act, _code_for(subject, code), note)
        for subject, version in _chosen()
    ]
    if not chosen:
        return back("Choose at least one row first.")
    with writing():
        staff = session.get_one(Staff, me().id)
        batch = plan_acts(chosen, staff, clock.now())
    return back(batch=batch)


def _code_for(subject: str, code: str) -> str:
    """The reason of a rejection, where it is one of this kind; else ""."""
    kind, _, word = code.partition(":")
    return word if code in CODES and kind in (subject[:3], "all") else ""


@bp.post("/queue/undo")
@needs("decide")
def queue_undo() -> Response:
    """Take back what was decided a moment ago; what is being performed already stays."""
    batch = request.form.get("batch", "")[:40]
    with writing():
        taken = undo(batch, me().id, me().who, clock.now())
    if not taken:
        return back("It was too late to take it back.")
    return back(f"Taken back. {_rows(taken)} as before.")


@bp.get("/queue/batches/<batch>")
@needs("read")
def queue_batch(batch: str) -> Response:
    """What became of rows that were decided together; its changing part alone with `part`."""
    found = batch_shown(acts_of(batch) or abort(404), clock.now())
    name = "staff/_batch.html" if request.args.get("part") else "staff/batch.html"
    return make_response(render_template(name, batch=found, here=""))


def batch_shown(acts: Sequence[PlannedAct], now: datetime) -> dict[str, Any]:
    """A batch as a page shows it: how many did what, and each that could not be."""
    count = dict.fromkeys(("planned", "done", "refused", "undone"), 0)
    for act in acts:
        count[act.status] += 1
    left = max((act.at - now for act in acts if act.status == "planned"), default=timedelta())
    room = {"ret": "returns", "clm": "claims"}
    return {
        "id": acts[0].batch,
        "act": "approval" if acts[0].act == "approve" else "rejection",
        "is_mine": acts[0].staff_id == me().id,
        "left_s": max(0, -(-left // timedelta(seconds=1))),
        **count,
        "refusals": [
            {
                "number": act.number or act.subject,
                "problem": act.problem,
                "url": f"/staff/{room[act.subject[:3]]}/{act.subject}"
                if act.subject[:3] in room and act.number
                else "",
            }
            for act in acts
            if act.status == "refused"
        ],
    }


@bp.post("/queue/assignment")
@needs("receive")
def queue_assignment() -> Response:
    """Give rows to somebody: to oneself, to a colleague, to nobody."""
    to = request.form.get("to", "me")

    def act(subjects: Sequence[str], _now: datetime) -> str:
        people = {"me": me().id, "none": None}
        if to not in people and not (to.isascii() and to.isdigit() and len(to) < 16):
            raise Conflict("Choose who is to have it. Nothing was changed.")
        assign(subjects, people[to] if to in people else int(to), me().who)
        return f"{_rows(len(subjects))} given."

    return _marked(act)


@bp.post("/queue/rest")
@needs("receive")
def queue_rest() -> Response:
    """Put rows off until a day; without one they are back at once."""
    typed = request.form.get("day", "").strip()[:10]

    def act(subjects: Sequence[str], now: datetime) -> str:
        until = _begins(typed) if typed else None
        rest(subjects, until, me().who, now)
        return f"{_rows(len(subjects))} {'put off' if until else 'back in the queue'}."

    return _marked(act)


def _begins(typed: str) -> datetime:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise wrong("day", "Write the day as in 2026-05-03. Nothing was changed.") from None
    return datetime.combine(day, BACK_AT, zone(g.shop.timezone))


def next_days(now: datetime) -> tuple[date, date]:
    """The first and the last day that something may be put off to."""
    today = now.astimezone(zone(g.shop.timezone)).date()
    return today + timedelta(days=1), today + timedelta(days=89)


@bp.post("/queue/seen")
@needs("decide")
def queue_seen() -> Response:
    """Parcels' troubles were seen to: they leave the queue until there are new ones."""

    def act(subjects: Sequence[str], now: datetime) -> str:
        parcels = [each for each in subjects if each.startswith("shp_")]
        if not parcels:
            raise Conflict("Only parcels can be marked as seen to. Nothing was changed.")
        see_to(parcels, me().who, now)
        return f"{_rows(len(parcels))} seen to."

    return _marked(act)


def _marked(act: Callable[[Sequence[str], datetime], str]) -> Response:
    subjects = [subject for subject, _ in _chosen()]
    if not subjects:
        return back("Choose at least one row first.")
    try:
        with writing():
            told = act(subjects, clock.now())
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
    return back(told)


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"


def _chosen() -> list[tuple[str, int]]:
    """The rows that were chosen, each once, with the version that was shown."""
    found: dict[str, int] = {}
    for item in request.form.getlist("item")[:MOST_AT_ONCE]:
        subject, _, version = item.partition(":")
        if subject[:4] in KINDS and len(subject) <= 40:
            found[subject] = int(version) if version.isascii() and version.isdigit() else 0
    return list(found.items())


def back(told: str = "", **more: str) -> Response:
    """To the list that the form was on, and nowhere else."""
    if told:
        flash(told)
    query = dict(parse_qsl(request.form.get("back", "")[:2000].partition("?")[2]))
    return make_response(redirect(Filters.read(query).url(page=query.get("page"), **more), 303))
