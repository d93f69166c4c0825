"""One visit to the wizard, and what is taken from its forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from flask import request, url_for

from portal.models import Order
from portal.models.change import Conflict
from portal.models.rma_request import USUAL, Weighed, weigh
from portal.pages import offers, photos
from portal.pages.brand import brand, page_locale
from portal.pages.dates import Calendar
from portal.pages.draft import LONGEST, Draft
from portal.pages.load import Opened
from portal.pages.policy_words import RESOLUTIONS
from portal.pages.speech import _
from returns.reasons import REASON_OF, REASONS

FALLBACKS: Final = ("refund", "store_credit", "wait")


@dataclass(frozen=True, slots=True)
class Asking:
    """One request of the wizard: the link, the order, the answers so far."""

    token: str
    link: Opened
    order: Order
    draft: Draft
    now: datetime

    @property
    def calendar(self) -> Calendar:
        """Dates as the reader reads them, in the shop's zone, by which windows are counted."""
        return Calendar.at(self.now, page_locale(), brand().shop.timezone)

    def weighed(self) -> list[Weighed]:
        """What the rules say of the answers so far."""
        return weigh(self.order, self.draft.asked, "page", self.now, strict=False)

    def weighed_afresh(self) -> list[Weighed]:
        """What the rules say as if no way out had been chosen yet: so all of them are offered."""
        asked = [replace(each, resolution=None, exchange_sku="") for each in self.draft.asked]
        return weigh(self.order, asked, "page", self.now, strict=False)

    def url(self, step: str) -> str:
        """Where a step is."""
        return url_for(
            "returns.step", token=self.token, step=step, lang=request.args.get("lang") or None
        )


Taken = tuple[Draft, dict[str, str]]


def _take_items(here: Asking) -> Taken:
    """Which articles, how many."""
    free = {each.sku: each for each in offers.articles(here.order, here.now, here.calendar, {})}
    chosen: dict[str, int] = {}
    for place, sku in enumerate(request.form.getlist("sku")):
        if f"take-{place}" in request.form and sku in free:
            wanted = request.form.get(f"quantity-{place}", 1, type=int)
            chosen[sku] = max(0, min(wanted, free[sku].free))
    draft = here.draft.choosing(chosen)
    errors = {} if draft.answers else {"items": _("Choose at least one thing to send back.")}
    return draft, errors


def _take_why(here: Asking) -> Taken:
    """The reason of each article, and what happened."""
    draft, errors = here.draft, dict[str, str]()
    for place, sku in enumerate(list(draft.answers)):
        reason = request.form.get(f"reason-{place}", "")
        if reason not in REASONS and reason not in REASON_OF:
            errors[f"reason-{place}"] = _("Say why it goes back.")
            reason = ""
        said = " ".join(request.form.get(f"statement-{place}", "").split())[:LONGEST]
        before = draft.answers[sku]
        pictures, problem = _photos(here, sku, place)
        if problem:
            errors[f"photo-{place}"] = problem
        # Another reason may open other ways out; the same one keeps what was chosen.
        chosen = {} if reason == before.reason else {"resolution": ""}
        draft = draft.saying(sku, reason=reason, statement=said, photos=pictures, **chosen)
    if not errors and "without" not in request.form:
        errors = _wanted_photos(replace(here, draft=draft))
    return draft, errors


def _photos(here: Asking, sku: str, place: int) -> tuple[list[str], str]:
    """The article's photos: those kept that were not taken out, and those just added."""
    gone = request.form.getlist(f"remove-{place}")
    kept = [each for each in here.draft.answers[sku].photos if each not in gone]
    try:
        added, problem = photos.take(here.order.id, sku, f"photo-{place}", len(kept))
    except Conflict as error:
        return kept, str(error)
    return kept + added, problem


def _wanted_photos(here: Asking) -> dict[str, str]:
    """Where the rules would decide at once with a photo. Going on without one is offered too."""
    skus = list(here.draft.answers)
    return {
        f"photo-{skus.index(each.asked.sku)}": _(
            "Add a photo of it, so that we can decide at once. Or go on without one."
        )
        for each in here.weighed()
        if each.decision.because == "photo_missing"
    }


def _take_what(here: Asking) -> Taken:
    """The way out of each article. The rules say again later whether it is offered."""
    closed = {each.asked.sku for each in here.weighed_afresh() if each.outcome == "decline"}
    draft, errors = here.draft, dict[str, str]()
    for place, sku in enumerate(list(draft.answers)):
        if (
            sku in closed
        ):  # nothing to choose: it is named with its reason, and left out of the sums
            draft = draft.saying(sku, resolution=USUAL)
            continue
        draft, problem = _way_out(draft, sku, place)
        errors |= problem
    if closed == draft.answers.keys():
        errors["resolution-0"] = _("None of this can go back. Choose something else, or ask us.")
    return draft, errors


def _way_out(draft: Draft, sku: str, place: int) -> Taken:
    resolution = request.form.get(f"resolution-{place}", "")
    other = request.form.get(f"exchange-{place}", "")[:120]
    fallback = request.form.get(f"fallback-{place}", "")
    errors = {}
    if resolution not in RESOLUTIONS:
        errors[f"resolution-{place}"] = _("Choose what you would like.")
        resolution = ""
    elif resolution == "exchange" and not other:
        errors[f"exchange-{place}"] = _("Choose which one you would like instead.")
    is_swap = resolution == "exchange"
    said = draft.saying(
        sku,
        resolution=resolution,
        exchange_sku=other if is_swap else "",
        fallback=fallback if fallback in FALLBACKS and is_swap else "",
    )
    return said, errors


def _take_how(here: Asking) -> Taken:
    """The way back."""
    open_ways = {way.code for way in offers.ways(here.weighed(), here.order.currency, "en")}
    method = request.form.get("method", "")
    if open_ways and method not in open_ways:
        return replace(here.draft, method=""), {"method": _("Choose how you send it back.")}
    return replace(here.draft, method=method if open_ways else ""), {}


TAKES: Final[dict[str, Callable[[Asking], Taken]]] = {
    "items": _take_items,
    "why": _take_why,
    "what": _take_what,
    "how": _take_how,
}
