"""What something may be exchanged for, and the difference in price either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select

from portal.db import session
from portal.format import money
from portal.models import Order, Variant
from portal.models.rma_request import Weighed
from portal.pages.speech import _
from portal.payments.stripe_amounts import finest
from returns.money import Amounts, Difference, exchange_difference, exchange_price
from returns.reasons import NOT_AS_SOLD

MOST_VARIANTS: Final = 40


@dataclass(frozen=True, slots=True)
class Swap:
    """Another variant in stock; `title` names it with its difference in words."""

    sku: str
    name: str
    cost_minor: int
    difference: Difference

    @property
    def is_even(self) -> bool:
        """Whether nothing is to be paid either way."""
        return not (self.difference.due_minor or self.difference.left_minor)

    def title(self, currency: str, locale: str) -> str:
        """ "XL (you pay $4.00 more)"; the name alone where nothing is to be paid."""
        if self.is_even:
            return self.name
        return f"{self.name} ({difference_words(self.difference, currency, locale)})"


def swaps(order: Order, each: Weighed, gives: Amounts) -> list[Swap]:
    """The variants of the same product that can be had in this number.

    The same one again only where something was wrong with it.
    """
    if not each.line.product:
        return []
    wanted = select(Variant).where(
        Variant.product == each.line.product,
        Variant.currency == order.currency,
        or_(Variant.available.is_(None), Variant.available >= len(each.units)),
    )
    if each.asked.reason not in NOT_AS_SOLD:
        wanted = wanted.where(Variant.sku != each.line.sku)
    rows = session.scalars(wanted.order_by(Variant.title, Variant.sku).limit(MOST_VARIANTS))
    return [_swap(each, row, gives) for row in rows]


def chosen(found: Sequence[Swap], sku: str) -> Swap | None:
    """The one with this sku, if it can still be had."""
    return next((each for each in found if each.sku == sku), None)


def goes_ahead(each: Weighed, swap: Swap, method: str | None) -> bool:
    """Whether this one may be sent before the first is back, if it goes back by this method."""
    own = sum(share.paid_minor for share in each.money)
    effects = each.decision.effects
    return each.outcome == "approve" and effects.sends_ahead(method, swap.cost_minor, own)


def difference_words(difference: Difference, currency: str, locale: str) -> str:
    """ "you pay $4.00 more", "you get $4.00 back" or "nothing to pay"."""
    if difference.due_minor:
        return _("you pay %(amount)s more", amount=money(difference.due_minor, currency, locale))
    if difference.left_minor:
        return _("you get %(amount)s back", amount=money(difference.left_minor, currency, locale))
    return _("nothing to pay")


def _name(row: Variant) -> str:
    return ", ".join(str(value) for value in row.options.values()) or row.title


def _swap(each: Weighed, row: Variant, gives: Amounts) -> Swap:
    cost_minor = _cost(each, row)
    difference = exchange_difference(gives, cost_minor, finest(each.line.order.currency))
    return Swap(row.sku, _name(row), cost_minor, difference)


def _cost(each: Weighed, row: Variant) -> int:
    """As settling works it out: the same product at the same price costs what was paid."""
    if row.price_minor == each.money[0].price_minor:
        return sum(share.paid_minor for share in each.money)
    count, included = len(each.units), row.tax_included
    return exchange_price(row.price_minor, count, each.money, tax_included=included).total_minor
