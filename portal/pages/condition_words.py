"""When a rule holds, in words: "In Germany or France", "Shirts, from 50.00"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final, Literal

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list

from portal.format import money
from portal.pages.policy_words import BY_METHODS, FOR_REASONS, TO_RESOLUTIONS
from portal.pages.speech import N_, _
from returns.conditions import All, AnyOf, Compare, Condition, Not
from returns.facts import TYPES
from returns.lint import EU

FACTS: Final = {
    "country": N_("Country"),
    "region": N_("Region"),
    "category": N_("Category"),
    "product": N_("Product"),
    "sku": N_("Article"),
    "tags": N_("Marked"),
    "order_tags": N_("Order marked"),
    "customer_tags": N_("Customers marked"),
    "unit_price_minor": N_("Price"),
    "unit_discount_minor": N_("Discount"),
    "order_total_minor": N_("Order total"),
    "final_sale": N_("Final sale"),
    "gift": N_("Gift"),
    "reason": N_("For"),
    "detail": N_("For"),
    "resolution": N_("For"),
    "quantity": N_("Pieces"),
    "request_quantity": N_("Pieces sent back"),
    "days_since_order": N_("Days since the order"),
    "days_since_shipment": N_("Days since dispatch"),
    "days_since_delivery": N_("Days since delivery"),
    "customer_orders": N_("Earlier orders"),
    "customer_returns": N_("Earlier returns"),
    "customer_return_rate_bps": N_("Share sent back before"),
    "risk_points": N_("Risk points"),
    "unit_discount_bps": N_("Discount"),
    "share_bps": N_("Share of the order"),
    "order_quantity": N_("Pieces ordered"),
    "fault": N_("The fault lies with"),
    "method": N_("Sent back by"),
    "channel": N_("Asked over"),
    "photo": N_("With a photo"),
    "text": N_("With a few words"),
    "currency": N_("Currency"),
    "requested_on": N_("Asked"),
    "ordered_on": N_("Ordered"),
    "shipped_on": N_("Dispatched"),
    "delivered_on": N_("Delivered"),
}
NEGATED: Final = ("is", "in", "has_any")
FOR: Final = ("reason", "detail", "resolution")  # their names read as the start of a sentence
FAULTS: Final = {
    "shop": N_("us"),
    "carrier": N_("the carrier"),
    "customer": N_("the customer"),
}


def condition_words(condition: Condition, locale: str, currency: str) -> str:
    """The condition in words; "" for one that always holds."""
    match condition:
        case All(of):
            return _joined(
                [condition_words(part, locale, currency) for part in of], "standard", locale
            )
        case AnyOf(of):
            return _joined([condition_words(part, locale, currency) for part in of], "or", locale)
        case Not(Compare() as compare) if compare.operator in NEGATED:
            return _other(compare, locale, currency)
        case Not(of):
            return _("not (%(condition)s)", condition=condition_words(of, locale, currency))
        case Compare():
            return _compared(condition, locale, currency)
    return ""


def _joined(parts: list[str], style: Literal["standard", "or"], locale: str) -> str:
    said = [part for part in parts if part]
    return str(format_list(said, style, locale=Locale.parse(locale))) if said else ""


def _compared(compare: Compare, locale: str, currency: str) -> str:
    name = _(FACTS.get(compare.fact, compare.fact.replace("_", " ")))
    if TYPES[compare.fact] == "flag":
        return name if compare.wanted else _("not (%(condition)s)", condition=name)
    wanted = _wanted(compare, locale, currency)
    if compare.fact == "country" and compare.operator in ("is", "in"):
        return _("In %(value)s", value=wanted)
    say: dict[str, Callable[[], str]] = {
        "at_least": lambda: _("%(name)s from %(value)s", name=name, value=wanted),
        "at_most": lambda: _("%(name)s up to %(value)s", name=name, value=wanted),
        "known": lambda: (
            _("%(name)s is known", name=name)
            if compare.wanted
            else _("%(name)s is not known", name=name)
        ),
        "starts_with": lambda: _("%(name)s begins with %(value)s", name=name, value=wanted),
    }
    other = say.get(compare.operator)
    return other() if other else _("%(name)s %(value)s", name=name, value=wanted)


def _other(compare: Compare, locale: str, currency: str) -> str:
    wanted = _wanted(compare, locale, currency)
    if compare.fact in FOR:
        return _("Not for %(value)s", value=wanted)
    if compare.fact == "country":
        return _("Outside %(value)s", value=wanted)
    name = _(FACTS.get(compare.fact, compare.fact.replace("_", " ")))
    return _("%(name)s other than %(value)s", name=name, value=wanted)


def _wanted(compare: Compare, locale: str, currency: str) -> str:
    values = compare.wanted if isinstance(compare.wanted, list | tuple) else [compare.wanted]
    if compare.fact == "country" and set(values) == EU:
        return _("the European Union")
    shown = [_shown(compare.fact, value, locale, currency) for value in values]
    return _joined(shown, "standard" if compare.operator == "has_all" else "or", locale)


def _shown(fact: str, value: Any, locale: str, currency: str) -> str:
    if fact == "country":
        return str(Locale.parse(locale).territories.get(value, value))
    if TYPES[fact] == "money" and isinstance(value, int) and currency:
        return money(value, currency, locale)
    if fact.endswith("_bps") and isinstance(value, int):
        return f"{value / 100:g} %"
    if isinstance(value, date):
        return str(format_date(value, "long", locale=Locale.parse(locale)))
    codes = CODES.get(fact, {})
    return _(codes[value]) if value in codes else str(value)


CODES: Final = {
    "reason": FOR_REASONS,
    "detail": FOR_REASONS,
    "resolution": TO_RESOLUTIONS,
    "method": BY_METHODS,
    "fault": FAULTS,
}
