"""What each step of the wizard shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from portal.format import money
from portal.models.rma_request import Weighed, quoted
from portal.pages import offers
from portal.pages.asking import Asking
from portal.pages.brand import page_locale
from portal.pages.policy_words import DETAILS, REASONS, RESOLUTIONS, because, reason_words
from portal.pages.speech import _


def _items_shown(here: Asking, _weighed: Sequence[Weighed]) -> Any:
    return offers.articles(here.order, here.now, here.calendar)


def _why_shown(here: Asking, weighed: Sequence[Weighed]) -> Any:
    return [
        {
            "sku": each.asked.sku,
            "title": each.line.title,
            "variant": each.line.variant,
            "answer": here.draft.answers[each.asked.sku],
            "reasons": [
                (code, _(DETAILS.get(code) or REASONS[code]))
                for code in offers.reasons_for(each.line.category)
            ],
        }
        for each in _by_article(weighed)
    ]


def _what_shown(here: Asking, weighed: Sequence[Weighed]) -> Any:
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


def _how_shown(here: Asking, weighed: Sequence[Weighed]) -> Any:
    return offers.ways(_open(weighed), here.order.currency, page_locale())


def _review_shown(here: Asking, weighed: Sequence[Weighed]) -> Any:
    return _what_shown(here, weighed)


SHOWS: Final[dict[str, Callable[[Asking, Sequence[Weighed]], Any]]] = {
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


def summary(here: Asking, weighed: Sequence[Weighed]) -> list[dict[str, Any]]:
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


def total(here: Asking, weighed: Sequence[Weighed]) -> dict[str, Any]:
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
