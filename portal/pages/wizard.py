"""Return or exchange: four questions and a look over all, complete without JavaScript.

Every step is decided by the same rules as submitting. Answers stay with the browser; what is sent
is sent once, however often the button is pressed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template, url_for

from portal import clock
from portal.db import session, writing
from portal.jobs import nudge
from portal.models import Photo
from portal.models.change import Conflict
from portal.models.rma_request import order_for_return, order_to_change, request_return
from portal.models.sent import once
from portal.pages.asking import TAKES, Asking
from portal.pages.brand import url_in
from portal.pages.draft import Answer, Draft
from portal.pages.entry import enter, guard, order_urls, see
from portal.pages.policy_words import METHODS
from portal.pages.return_sums import summary, total
from portal.pages.speech import _
from portal.pages.wizard_shown import SHOWS
from portal.sources.sentences import Invalid

bp = Blueprint("returns", __name__)
bp.after_request(guard)
STEPS: Final = ("items", "why", "what", "how", "review")


@bp.get("/t/<token>/return")
def start(token: str) -> Response:
    """The first question."""
    return step(token, "items")


@bp.get("/t/<token>/return/<step>")
def step(token: str, step: str) -> Response:
    """One step with what was answered; the first open one where an earlier one is open."""
    here = _here(token)
    if step not in STEPS:
        abort(404)
    first = _first_open(here.draft)
    if STEPS.index(step) > STEPS.index(first):
        return see(here.url(first))
    return _show(here, step)


@bp.post("/t/<token>/return/<step>")
def answer(token: str, step: str) -> Response:
    """Keep the answers of a step and go on; 422 with what is missing."""
    here = _here(token)
    if step not in STEPS:
        abort(404)
    if step == "review":
        return _send(here)
    draft, errors = TAKES[step](here)
    draft.keep()
    if errors:
        return _show(replace(here, draft=draft), step, errors)
    return see(here.url(STEPS[STEPS.index(step) + 1]))


def _here(token: str) -> Asking:
    now = clock.now()
    link = enter(token, now)
    order = order_for_return(link.order_id) or abort(404)
    return Asking(token, link, order, Draft.of(order.id), now)


def _first_open(draft: Draft) -> str:
    """The first step that lacks an answer."""
    answers = draft.answers.values()
    if not draft.answers:
        return "items"
    if not all(each.reason for each in answers):
        return "why"
    if not all(each.resolution and _names_its_swap(each) for each in answers):
        return "what"
    return "review"


def _names_its_swap(answer: Answer) -> bool:
    return answer.resolution != "exchange" or bool(answer.exchange_sku)


# --- what is shown ------------------------------------------------------------------------------


def _show(
    here: Asking, step: str, errors: dict[str, str] | None = None, message: str = ""
) -> Response:
    place = STEPS.index(step)
    weighed = here.weighed() if here.draft.answers and step != "items" else []
    rows = SHOWS[step](here, weighed)
    text = render_template(
        f"returns/{step}.html",
        order=here.order,
        draft=here.draft,
        rows=rows,
        late=step == "items" and any(row.is_late and not row.is_open for row in rows),
        summary=summary(here, weighed) if weighed else [],
        total=total(here, weighed),
        number=place + 1,
        count=len(STEPS) - 1,
        back=here.url(STEPS[place - 1]) if place else url_in("tracking.page", token=here.token),
        here=here.url(step),
        change={name: here.url(name) for name in STEPS},
        errors=errors or {},
        message=message,
        way=_(METHODS[here.draft.method]) if here.draft.method else "",
        photo_url=lambda photo: url_for("photos.of_draft", token=here.token, photo_id=photo),
        is_act=here.link.grade == "act",
        urls=order_urls(here.token),
    )
    status = 409 if message else 422 if errors else 200
    return make_response(text, status)


# --- sending it ---------------------------------------------------------------------------------


def _send(here: Asking) -> Response:
    """Store the return, once; then its own page."""
    if _first_open(here.draft) != "review":
        return see(here.url(_first_open(here.draft)))
    if here.link.grade != "act":
        return see(url_in("codes.enter_code", token=here.token, then="return"))
    try:
        with writing():
            token = once(f"return:{here.draft.key}", here.now, lambda: _store(here))
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        session.rollback()
        return _show(_here(here.token), "review", message=told)
    here.draft.drop()
    nudge("label")
    return see(url_in("rma.page", token=token))


def _store(here: Asking) -> str:
    order = order_to_change(here.order.id, here.now) or abort(404)
    draft = here.draft
    rma = request_return(order, draft.asked, "page", "customer", here.now, draft.method)
    photos = [photo for each in draft.answers.values() for photo in each.photos]
    Photo.attach(photos, order.id, rma.id)
    return rma.token
