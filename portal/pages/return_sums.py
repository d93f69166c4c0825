"""What goes back and what comes of it, beside every step and in the last look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from portal.models.rma_request import Weighed
from portal.pages import offers
from portal.pages.asking import Asking
from portal.pages.brand import page_locale
from portal.pages.instant import is_paid_by_card
from portal.pages.policy_words import RESOLUTIONS, because, reason_words
from portal.pages.speech import N_, _
from portal.pages.swaps import Swap, chosen, difference_words, goes_ahead, swaps
from returns.money import Amounts, Difference

NOTHING = Difference(0, 0, 0, 0)


def reader(here: Asking) -> offers.Reader:
    """How this visitor reads money and dates."""
    return offers.Reader(here.order.currency, page_locale(), here.calendar)


def summary(here: Asking, weighed: Sequence[Weighed]) -> list[dict[str, Any]]:
    """One entry for each article, with what was said about it so far."""
    paid = _paid(here, weighed)
    shown = list(dict.fromkeys(line.sku for line in here.order.lines))
    asked = list(here.draft.answers)
    return [
        {
            "title": each.line.title,
            "variant": each.line.variant,
            "quantity": len(each.units),
            "reason": reason_words(each.asked.reason, each.asked.detail)
            if each.asked.reason
            else "",
            "photos": len(here.draft.answers[each.asked.sku].photos),
            "item": shown.index(each.asked.sku),
            "place": asked.index(each.asked.sku),
            "outcome": each.outcome,
            **_outcome(here, each, amounts),
        }
        for each, amounts in zip(weighed, paid, strict=True)
    ]


def _paid(here: Asking, weighed: Sequence[Weighed]) -> list[Amounts]:
    """What each pays; what is declined pays nothing, and bears nothing of the way back."""
    travelling = [each for each in weighed if each.outcome != "decline"]
    paid = iter(offers.money_of(travelling, here.draft.method))
    return [Amounts() if each.outcome == "decline" else next(paid) for each in weighed]


def _outcome(here: Asking, each: Weighed, amounts: Amounts) -> dict[str, str]:
    """The way out in words with its amount: empty until one was chosen."""
    if each.outcome == "decline":
        why = because(each.decision.because, each.decision.values, here.calendar)
        return {"resolution": _("cannot go back"), "amount": "", "because": why}
    if not each.asked.resolution:
        return {"resolution": "", "amount": "", "because": ""}
    words = _(RESOLUTIONS[each.asked.resolution])
    swap = _swap(here, each, amounts)
    if each.asked.resolution != "exchange":
        return {"resolution": words, "amount": reader(here).money(amounts.total_minor)}
    if swap is None:
        return {"resolution": words, "amount": ""}
    at_once = goes_ahead(each, swap, here.draft.method) and is_paid_by_card()
    days = each.decision.effects.instant_days
    return {
        "resolution": _("Exchange for %(other)s", other=swap.name),
        "amount": difference_words(swap.difference, here.order.currency, page_locale()),
        "at_once": _(AT_ONCE, other=swap.name, days=days) if at_once else "",
    }


AT_ONCE: Final = N_(
    "Have it at once: %(other)s can go out before yours is back. Save a card on the next page, "
    "and nothing is charged if you send yours within %(days)d days."
)


def _swap(here: Asking, each: Weighed, amounts: Amounts) -> Swap | None:
    if each.asked.resolution != "exchange":
        return None
    return chosen(swaps(here.order, each, amounts), each.asked.exchange_sku)


def total(here: Asking, weighed: Sequence[Weighed]) -> dict[str, Any]:
    """The money of all together, by its parts and by where it goes; once ways out are chosen.

    The rows sum to the results: what an exchange costs is a row, its bonus counts as far as used.
    """
    mine = [each for each in weighed if each.outcome != "decline"]
    if not mine or not all(each.asked.resolution for each in mine):
        return {}
    paid = offers.money_of(mine, here.draft.method)
    swapped = [_swap(here, each, amounts) for each, amounts in zip(mine, paid, strict=True)]
    differences = [swap.difference if swap else NOTHING for swap in swapped]
    rows = [(name, minor) for name, minor in _rows(mine, paid, differences) if minor]
    show = reader(here).money
    return {
        "rows": [(name, show(minor)) for name, minor in rows],
        "results": [(name, show(minor)) for name, minor in _results(mine, paid, differences)],
    }


def _rows(
    mine: Sequence[Weighed], paid: Sequence[Amounts], differences: Sequence[Difference]
) -> list[tuple[str, int]]:
    added_tax = sum(
        a.own_minor - (a.items_minor + a.shipping_minor - a.fee_minor - a.label_minor) for a in paid
    )
    bonus = sum(
        d.bonus_used_minor if each.asked.resolution == "exchange" else a.bonus_minor
        for each, a, d in zip(mine, paid, differences, strict=True)
    )
    others = sum(d.own_used_minor + d.bonus_used_minor + d.due_minor for d in differences)
    return [
        (_("What you paid for it"), sum(a.items_minor for a in paid)),
        (_("Tax"), added_tax),
        (_("Shipping"), sum(a.shipping_minor for a in paid)),
        (_("Fee"), -sum(a.fee_minor for a in paid)),
        (_("The way back"), -sum(a.label_minor for a in paid)),
        (_("Bonus"), bonus),
        (_("What you get instead"), -others),
    ]


def _results(
    mine: Sequence[Weighed], paid: Sequence[Amounts], differences: Sequence[Difference]
) -> list[tuple[str, int]]:
    """Where the money goes: back, into credit, and what is to be paid; never set off in silence."""
    by = {"refund": sum(d.left_minor for d in differences), "store_credit": 0}
    for each, amounts in zip(mine, paid, strict=True):
        if each.asked.resolution in by:
            by[each.asked.resolution] += amounts.total_minor
    found = [(_("You get back"), by["refund"]), (_("You get as credit"), by["store_credit"])]
    found.append((_("You pay"), sum(d.due_minor for d in differences)))
    return [row for row in found if row[1]] or [(_("Nothing to pay"), 0)]
