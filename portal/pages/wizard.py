"""Return or exchange: four questions and a look over all, complete without JavaScript.

Every step is decided by the same rules as submitting. Answers stay with the browser; what is sent
is sent once, however often the button is pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.models import Order
from portal.models.change import Conflict
from portal.models.rma_request import Weighed, order_for_return, quoted, request_return, weigh
from portal.models.sent import once
from portal.pages import offers
from portal.pages.brand import brand, page_locale, url_in
from portal.pages.dates import Calendar
from portal.pages.draft import LONGEST, Draft
from portal.pages.entry import enter, guard, order_urls, see
from portal.pages.load import Opened
from portal.pages.policy_words import METHODS, RESOLUTIONS, because, reason_words
from portal.pages.speech import _
from portal.sources.sentences import Invalid
from returns.reasons import REASON_OF, REASONS

bp = Blueprint("returns", __name__)
bp.after_request(guard)
STEPS: Final = ("items", "why", "what", "how", "review")
FALLBACKS: Final = ("refund", "store_credit", "wait")


@dataclass(frozen=True, slots=True)
class Request:
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

    def url(self, step: str) -> str:
        """Where a step is."""
        return url_for(".step", token=self.token, step=step, lang=request.args.get("lang") or None)


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


def _here(token: str) -> Request:
    now = clock.now()
    link = enter(token, now)
    order = order_for_return(link.order_id) or abort(404)
    return Request(token, link, order, Draft.of(order.id), now)


def _first_open(draft: Draft) -> str:
    """The first step that lacks an answer."""
    answers = draft.answers.values()
    if not draft.answers:
        return "items"
    if not all(each.reason for each in answers):
        return "why"
    if not all(each.resolution for each in answers):
        return "what"
    return "review"


# --- what is taken from a form ------------------------------------------------------------------

Taken = tuple[Draft, dict[str, str]]


def _take_items(here: Request) -> Taken:
    """Which articles, how many."""
    free = {each.sku: each for each in offers.articles(here.order, here.now, here.calendar)}
    chosen: dict[str, int] = {}
    for place, sku in enumerate(request.form.getlist("sku")):
        if f"take-{place}" in request.form and sku in free:
            wanted = request.form.get(f"quantity-{place}", 1, type=int)
            chosen[sku] = max(0, min(wanted, free[sku].free))
    draft = here.draft.choosing(chosen)
    errors = {} if draft.answers else {"items": _("Choose at least one thing to send back.")}
    return draft, errors


def _take_why(here: Request) -> Taken:
    """The reason of each article, and what happened."""
    draft, errors = here.draft, dict[str, str]()
    for place, sku in enumerate(list(draft.answers)):
        reason = request.form.get(f"reason-{place}", "")
        if reason not in REASONS and reason not in REASON_OF:
            errors[f"reason-{place}"] = _("Say why it goes back.")
            reason = ""
        said = " ".join(request.form.get(f"statement-{place}", "").split())[:LONGEST]
        draft = draft.saying(sku, reason=reason, statement=said, resolution="")
    return draft, errors


def _take_what(here: Request) -> Taken:
    """The way out of each article. The rules say again later whether it is offered."""
    draft, errors = here.draft, dict[str, str]()
    for place, sku in enumerate(list(draft.answers)):
        resolution = request.form.get(f"resolution-{place}", "")
        other = request.form.get(f"exchange-{place}", "")[:120]
        fallback = request.form.get(f"fallback-{place}", "")
        if resolution not in RESOLUTIONS:
            errors[f"resolution-{place}"] = _("Choose what you would like.")
            resolution = ""
        elif resolution == "exchange" and not other:
            errors[f"exchange-{place}"] = _("Choose which one you would like instead.")
        draft = draft.saying(
            sku,
            resolution=resolution,
            exchange_sku=other if resolution == "exchange" else "",
            fallback=fallback if fallback in FALLBACKS and resolution == "exchange" else "",
        )
    return draft, errors


def _take_how(here: Request) -> Taken:
    """The way back."""
    open_ways = {way.code for way in offers.ways(here.weighed(), here.order.currency, "en")}
    method = request.form.get("method", "")
    if open_ways and method not in open_ways:
        return replace(here.draft, method=""), {"method": _("Choose how you send it back.")}
    return replace(here.draft, method=method if open_ways else ""), {}


TAKES: Final[dict[str, Callable[[Request], Taken]]] = {
    "items": _take_items,
    "why": _take_why,
    "what": _take_what,
    "how": _take_how,
}


# --- what is shown ------------------------------------------------------------------------------


def _show(
    here: Request, step: str, errors: dict[str, str] | None = None, message: str = ""
) -> Response:
    place = STEPS.index(step)
    weighed = here.weighed() if here.draft.answers and step != "items" else []
    text = render_template(
        f"returns/{step}.html",
        order=here.order,
        draft=here.draft,
        rows=SHOWS[step](here, weighed),
        summary=_summary(here, weighed) if weighed else [],
        total=_total(here, weighed),
        number=place + 1,
        count=len(STEPS) - 1,
        back=here.url(STEPS[place - 1]) if place else url_in("tracking.page", token=here.token),
        here=here.url(step),
        change={name: here.url(name) for name in STEPS},
        errors=errors or {},
        message=message,
        way=_(METHODS[here.draft.method]) if here.draft.method else "",
        is_act=here.link.grade == "act",
        urls=order_urls(here.token),
    )
    status = 409 if message else 422 if errors else 200
    return make_response(text, status)


def _items_shown(here: Request, _weighed: Sequence[Weighed]) -> Any:
    return offers.articles(here.order, here.now, here.calendar)


def _why_shown(here: Request, weighed: Sequence[Weighed]) -> Any:
    return [
        {
            "sku": each.asked.sku,
            "title": each.line.title,
            "variant": each.line.variant,
            "answer": here.draft.answers[each.asked.sku],
            "reasons": [
                (code, reason_words(*_reason(code)))
                for code in offers.reasons_for(each.line.category)
            ],
        }
        for each in _by_article(weighed)
    ]


def _reason(code: str) -> tuple[str, str | None]:
    return (REASON_OF[code], code) if code in REASON_OF else (code, None)


def _what_shown(here: Request, weighed: Sequence[Weighed]) -> Any:
    amounts = quoted(weighed, here.draft.method or None)
    found = []
    for each, paid in zip(weighed, amounts, strict=True):
        declined = each.outcome == "decline"
        decision = each.decision
        found.append(
            {
                "sku": each.asked.sku,
                "title": each.line.title,
                "variant": each.line.variant,
                "answer": here.draft.answers[each.asked.sku],
                "because": because(decision.because, decision.values, here.calendar),
                "outcome": each.outcome,
                "choices": []
                if declined
                else offers.choices(here.order, each, paid, page_locale()),
            }
        )
    return found


def _how_shown(here: Request, weighed: Sequence[Weighed]) -> Any:
    return offers.ways(_open(weighed), here.order.currency, page_locale())


def _review_shown(here: Request, weighed: Sequence[Weighed]) -> Any:
    return _what_shown(here, weighed)


SHOWS: Final[dict[str, Callable[[Request, Sequence[Weighed]], Any]]] = {
    "items": _items_shown,
    "why": _why_shown,
    "what": _what_shown,
    "how": _how_shown,
    "review": _review_shown,
}


def _by_article(weighed: Sequence[Weighed]) -> list[Weighed]:
    """One of each article: units of two lines may be asked for together."""
    return list({each.asked.sku: each for each in weighed}.values())


def _open(weighed: Sequence[Weighed]) -> list[Weighed]:
    return [each for each in weighed if each.outcome != "decline"]


def _summary(here: Request, weighed: Sequence[Weighed]) -> list[dict[str, Any]]:
    """What goes back, beside every step."""
    paid = offers.money_of(weighed, here.draft.method)
    return [
        {
            "title": each.line.title,
            "variant": each.line.variant,
            "quantity": len(each.units),
            "reason": reason_words(each.asked.reason, each.asked.detail)
            if each.asked.reason
            else "",
            "resolution": _(RESOLUTIONS[each.asked.resolution]) if each.asked.resolution else "",
            "amount": money(amounts.total_minor, here.order.currency, page_locale())
            if each.asked.resolution
            else "",
            "outcome": each.outcome,
        }
        for each, amounts in zip(weighed, paid, strict=True)
    ]


def _total(here: Request, weighed: Sequence[Weighed]) -> dict[str, Any]:
    """The money of all together, by its parts; only once ways out are chosen."""
    mine = [each for each in _open(weighed) if each.asked.resolution]
    if not mine or len(mine) < len(_open(weighed)):
        return {}
    paid = offers.money_of(mine, here.draft.method)
    locale, currency = page_locale(), here.order.currency

    def shown(name: str, sign: int = 1) -> str:
        minor = sum(getattr(amounts, name) for amounts in paid)
        return money(sign * minor, currency, locale) if minor else ""

    return {
        "items": shown("items_minor"),
        "shipping": shown("shipping_minor"),
        "fee": shown("fee_minor", -1),
        "label": shown("label_minor", -1),
        "bonus": shown("bonus_minor"),
        "total": money(sum(each.total_minor for each in paid), currency, locale),
    }


# --- sending it ---------------------------------------------------------------------------------


def _send(here: Request) -> Response:
    """Store the return, once; then its own page."""
    if _first_open(here.draft) != "review":
        return see(here.url(_first_open(here.draft)))
    if here.link.grade != "act":
        return see(url_in("codes.enter_code", token=here.token))
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


def _store(here: Request) -> str:
    order = order_for_return(here.order.id, lock=True) or abort(404)
    draft = here.draft
    rma = request_return(order, draft.asked, "page", "customer", here.now, draft.method)
    return rma.token
