"""The queue: one list of everything that waits for a person, and the frame around every page."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, render_template, request

from portal import clock
from portal.models import DeskHabit, DeskPresence, SavedView
from portal.models.planned import acts_of
from portal.staff.desk import bp
from portal.staff.peek import peeked
from portal.staff.queue_acts import CODES, batch_shown, next_days
from portal.staff.queue_filters import KINDS, SAYS, SORTS, Filters
from portal.staff.queue_rows import COUNTED_TO, MOST_PAGES, colleagues, counts_of, page_of, shown
from portal.staff.queue_views import BY_NAME, VIEWS
from portal.staff.rights import me, needs


@bp.get("/queue")
@needs("read")
def queue() -> Response:
    """One list, 50 rows at a time, with one of them opened beside it where it is asked for."""
    now, filters = clock.now(), Filters.read(request.args)
    page = min(max(1, request.args.get("page", 1, type=int)), MOST_PAGES)
    keys, more = page_of(filters, page, now)
    batch = acts_of(request.args.get("batch", "")[:40])
    text = render_template(
        "staff/queue.html",
        view=BY_NAME[filters.view],
        filters=filters,
        rows=shown(keys, now),
        here="" if filters.q else request.args.get("saved", "")[:40] or filters.view,
        page=page,
        more=more and page < MOST_PAGES,
        peek=peeked(request.args.get("peek", "")[:40]),
        batch=batch_shown(batch, now) if batch else None,
        people=colleagues(),
        kinds=KINDS,
        outcomes=SAYS,
        sorts=SORTS,
        codes=CODES,
        days=next_days(now),
        can=me().may,
    )
    return make_response(text)


@bp.context_processor
def _frame() -> dict[str, Any]:
    """The lists with their counts, beside every page of the console; nothing for who is not in."""
    if g.get("me") is None:
        return {"views": [], "saved_views": [], "me": None, "has_keys": False}
    kept = SavedView.seen_by(me().id)
    lists = [(each.id, Filters.read({**each.filters, "q": ""})) for each in kept]
    counts = counts_of(lists, clock.now())
    views = [
        _linked(each.name, each.title, Filters(view=each.name).url(), counts) for each in VIEWS
    ]
    saved = [
        _linked(each.id, each.name, filters.url(saved=each.id), counts)
        | {"shared": each.shared, "is_mine": each.staff_id == me().id}
        for each, (_, filters) in zip(kept, lists, strict=True)
    ]
    return {
        "views": views,
        "saved_views": saved,
        "me": me(),
        "has_keys": DeskHabit.has_keys(me().id),
        "seen_by": lambda subject: DeskPresence.others([subject], me().id, clock.now()).get(
            subject, []
        ),
    }


def _linked(name: str, title: str, url: str, counts: dict[str, int]) -> dict[str, Any]:
    count = counts.get(name)
    told = f"{COUNTED_TO - 1}+" if count == COUNTED_TO else count
    return {"name": name, "title": title, "url": url, "count": told}
