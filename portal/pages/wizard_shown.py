"""What each step of the wizard shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from portal.models.rma_request import Weighed, quoted
from portal.pages import offers
from portal.pages.asking import Asking
from portal.pages.brand import page_locale
from portal.pages.load_returns import return_pages
from portal.pages.policy_words import DETAILS, REASONS, because
from portal.pages.return_sums import reader
from portal.pages.speech import _


def _items_shown(here: Asking, _weighed: Sequence[Weighed]) -> Any:
    # The page of a return shows more than a look-up may: only the order's own link leads there.
    pages = return_pages(here.order) if here.link.grade == "act" else {}
    return offers.articles(here.order, here.now, here.calendar, pages)


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


def _what_shown(here: Asking, _weighed: Sequence[Weighed]) -> Any:
    weighed = here.weighed_afresh()
    amounts = iter(quoted(_open(weighed), here.draft.method or None))
    found = []
    for each in weighed:
        declined = each.outcome == "decline"
        decision = each.decision
        answer = here.draft.answers[each.asked.sku]
        asked = replace(each.asked, exchange_sku=answer.exchange_sku)
        this = replace(each, asked=asked)
        found.append(
            {
                "sku": each.asked.sku,
                "title": each.line.title,
                "variant": each.line.variant,
                "answer": answer,
                "because": because(decision.because, decision.values, here.calendar),
                "outcome": each.outcome,
                "choices": []
                if declined
                else offers.choices(here.order, this, next(amounts), reader(here)),
            }
        )
    return found


def _how_shown(here: Asking, weighed: Sequence[Weighed]) -> Any:
    return offers.ways(_open(weighed), here.order.currency, page_locale())


def _review_shown(_here: Asking, weighed: Sequence[Weighed]) -> Any:
    return weighed


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
