"""The words around an offer of cover, in the reader's language: the same in widget and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.numbers import format_decimal, format_percent
from flask import g

from portal.format import money
from portal.models.cover_record import Year
from portal.models.offer import Offer
from portal.pages.speech import N_, _
from portal.protection import words
from portal.protection.claim_terms import AFTER_DELIVERY, ClaimTerms
from portal.protection.plan import Plan, Words
from portal.protection.price import Priced
from returns.money import exponent

STATES: Final = {
    "none": N_("Waiting for the payment"),
    "active": N_("Your delivery is protected"),
    "refused": N_("Your delivery is not protected"),
    "cancelled": N_("The protection was cancelled"),
    "ended": N_("Your delivery was protected"),
}
# Why nothing is offered here, by code.
WHY_NOT: Final = {
    "no_plan": N_("This shop offers no delivery protection."),
    "currency": N_("Protection is not offered in this currency."),
    "country": N_("Protection is not offered for this destination."),
    "excluded": N_("Protection is not offered for these goods."),
    "nothing": N_("There is nothing of value to protect in this order."),
    "on_its_way": N_("The parcel is on its way already, so protection cannot be added any more."),
    "covered_already": N_("This order is protected already."),
    "order_cancelled": N_("This order was cancelled."),
}
AMISS: Final = N_("What was paid for is not what was ordered. You were not charged for it here.")
# Why a quote was refused, by code, for the customer.
REFUSED: Final = {
    "altered": N_("The offer could not be read. You were not charged for it here."),
    "other_shop": N_("The offer was another shop's. You were not charged for it here."),
    "stale": N_("The offer had run out. You were not charged for it here."),
    "reused": N_("The offer was used for another order. You were not charged for it here."),
    **dict.fromkeys(("currency", "country", "lines", "value", "categories"), AMISS),
    **{name: WHY_NOT[name] for name in ("on_its_way", "covered_already", "order_cancelled")},
}


def offer_words(offer: Offer, locale: str) -> dict[str, str]:
    """Everything that must be seen before choosing, by name; {} where nothing is offered."""
    if offer.plan is None or not offer.quote:
        return {}
    what = _Said(offer.plan.hash, offer.plan, offer.year)
    return _said(what, offer.priced, offer.terms, g.shop.name, locale)


@dataclass(frozen=True)
class _Said:
    """A plan that is the same as another of its hash."""

    hash: str
    plan: Plan = field(compare=False)
    year: Year | None = None


@lru_cache(maxsize=2048)
def _said(
    of: _Said, priced: Priced, terms: ClaimTerms, shop_name: str, locale: str
) -> dict[str, str]:
    plan = of.plan

    def amount(minor: int) -> str:
        return money(minor, plan.currency, locale)

    own = plan.words.get(locale) or plan.words.get(locale[:2]) or Words()
    price = amount(priced.premium_minor)
    return {
        "title": own.title or _(words.TITLE),
        "price": price,
        "summary": own.summary or _(words.SUMMARY),
        "limit": _limit(priced, amount),
        "returns": _(words.RETURNS) if plan.covers_return else "",
        "provider": _provider(plan, shop_name),
        "how_to_claim": own.how_to_claim
        or _(
            words.HOW_TO_CLAIM,
            damaged=min(terms.span(kind).last_days for kind in AFTER_DELIVERY),
            lost=terms.lost.wait_days,
        ),
        "rights": _(words.RIGHTS),
        "climate": _(words.CLIMATE, amount=amount(priced.climate_minor), what=plan.climate_for)
        if priced.climate_minor
        else "",
        "cancel": _(words.CANCEL),
        "record": year_words(of.year, locale) if of.year else "",
        "accept": _(words.ACCEPT, price=price),
        "decline": _(words.DECLINE),
    }


def year_words(year: Year, locale: str) -> str:
    """What a year of cover came to, in a sentence or two."""
    parcels = format_decimal(year.parcels, locale=locale)
    if not year.claimed:
        said = _(words.NONE_CLAIMED, parcels=parcels)
    else:
        said = _(words.CLAIMED, share=_share(year, locale), parcels=parcels)
    out = _paid_out(year, locale)
    return f"{said} {out}" if out else said


def _share(year: Year, locale: str) -> str:
    """How many of the parcels had a claim: in tenths of a per cent, and never none of them."""
    tenths = (year.claimed * 2_000 + year.parcels) // (year.parcels * 2)
    text = format_percent(Decimal(tenths or 1) / 1_000, locale=locale, decimal_quantization=False)
    return str(text) if tenths else _(words.LESS_THAN, share=text)


def _paid_out(year: Year, locale: str) -> str:
    if year.earned_minor <= 0:
        return ""
    if year.paid_minor <= 0:
        return _(words.NOT_PAID_OUT)
    whole = max(100, 10 ** exponent(year.currency))
    part = (year.paid_minor * whole * 2 + year.earned_minor) // (year.earned_minor * 2)
    told = [money(minor, year.currency, locale) for minor in (whole, max(1, part))]
    return _(words.PAID_OUT, whole=told[0], part=told[1])


def _limit(priced: Priced, amount: Callable[[int], str]) -> str:
    cover = amount(priced.cover_minor)
    if priced.parcel_minor < priced.cover_minor:
        return _(words.PARCEL_LIMIT, cover=cover, parcel=amount(priced.parcel_minor))
    return _(words.LIMIT, cover=cover)


def _provider(plan: Plan, shop_name: str) -> str:
    who = plan.provider
    if who.basis == "licensed_insurer":
        return _(words.INSURER, name=who.name, licence=who.licence)
    return _(words.PROVIDER, name=who.name or shop_name)
