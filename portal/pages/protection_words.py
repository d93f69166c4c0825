"""The words around an offer of cover, in the reader's language: the same in widget and pages."""

from __future__ import annotations

from collections.abc import Callable

from flask import g

from portal.format import money
from portal.models.offer import Offer
from portal.pages.speech import _
from portal.protection import words
from portal.protection.plan import Plan, Words


def offer_words(offer: Offer, locale: str) -> dict[str, str]:
    """Everything that must be seen before choosing, by name; {} where nothing is offered."""
    plan, priced = offer.plan, offer.priced
    if plan is None or not offer.quote:
        return {}

    def amount(minor: int) -> str:
        return money(minor, plan.currency, locale)

    own = plan.words.get(locale) or plan.words.get(locale[:2]) or Words()
    price = amount(priced.premium_minor)
    terms = offer.terms
    return {
        "title": own.title or _(words.TITLE),
        "price": price,
        "summary": own.summary or _(words.SUMMARY),
        "limit": _limit(offer, amount),
        "returns": _(words.RETURNS) if plan.covers_return else "",
        "provider": _provider(plan),
        "how_to_claim": own.how_to_claim
        or _(
            words.HOW_TO_CLAIM,
            damaged=terms.damaged.last_days,
            not_received=terms.not_received.last_days,
            lost=terms.lost.wait_days,
        ),
        "rights": _(words.RIGHTS),
        "climate": _(words.CLIMATE, amount=amount(priced.climate_minor), what=plan.climate_for)
        if priced.climate_minor
        else "",
        "cancel": _(words.CANCEL),
        "accept": _(words.ACCEPT, price=price),
        "decline": _(words.DECLINE),
    }


def _limit(offer: Offer, amount: Callable[[int], str]) -> str:
    priced = offer.priced
    cover = amount(priced.cover_minor)
    if priced.parcel_minor < priced.cover_minor:
        return _(words.PARCEL_LIMIT, cover=cover, parcel=amount(priced.parcel_minor))
    return _(words.LIMIT, cover=cover)


def _provider(plan: Plan) -> str:
    who = plan.provider
    if who.basis == "licensed_insurer":
        return _(words.INSURER, name=who.name, licence=who.licence)
    return _(words.PROVIDER, name=who.name or g.shop.name)
