"""An offer of cover for a cart or an order, made under the plan in force. Nothing is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, bindparam, cast, select

from portal.db import new_id
from portal.models.cover import quote_keys
from portal.models.cover_record import Year, public_year
from portal.models.protection import PlanVersion
from portal.protection.claim_terms import ClaimTerms
from portal.protection.plan import Plan
from portal.protection.price import Line, Priced, price
from portal.protection.quote import LIFE, Quote, categories_digest, goods_digest, sign
from portal.protection.words import STANDARD
from portal.sources.sentences import read_as
from portal.standing import Standing
from portal.tenancy import shop_in_scope

LIVE = Standing(
    select(PlanVersion.version, PlanVersion.hash, cast(PlanVersion.document, Text).label("text"))
    .where(PlanVersion.since <= bindparam("now"))
    .order_by(PlanVersion.version.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Cart:
    """What cover is asked for. Amounts are minor units of `currency`."""

    currency: str
    country: str
    lines: Sequence[Line]
    shipping_minor: int = 0
    discount_minor: int = 0  # off the whole, after the lines' own


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered; `quote` is "" where nothing is, and `priced.why_not` says why."""

    priced: Priced
    terms: ClaimTerms
    expires_at: datetime
    plan: Plan | None = None
    plan_version: int = 0
    text_version: str = ""
    quote: str = ""
    year: Year | None = None  # what the shop says of its last one


def offer_for(cart: Cart, settings: dict[str, Any], now: datetime) -> Offer:
    """Price cover for a cart and sign a quote. `settings` are the shop's."""
    terms = _terms(json.dumps(settings.get("claims") or {}))
    row = LIVE.first(now=now)
    if row is None:
        return Offer(Priced(why_not="no_plan"), terms, now + LIFE)
    plan = _plan(row.hash, row.text)
    priced = price(plan, cart.lines, cart.currency, cart.country, cart.discount_minor)
    year = public_year(settings, plan.currency)
    text_version = _text_version(row.hash, terms, year)
    quote = "" if priced.why_not else _signed(cart, priced, plan, row.version, text_version, now)
    return Offer(priced, terms, now + LIFE, plan, row.version, text_version, quote, year)


def _signed(
    cart: Cart, priced: Priced, plan: Plan, version: int, text_version: str, now: datetime
) -> str:
    made = int(now.timestamp())
    quote = Quote(
        id=new_id("quo", now),
        shop_id=shop_in_scope(),
        currency=cart.currency,
        country=cart.country,
        goods=goods_digest(cart.lines),
        categories=categories_digest(cart.lines),
        value_minor=priced.value_minor,
        shipping_minor=cart.shipping_minor,
        premium_minor=priced.premium_minor,
        climate_minor=priced.climate_minor,
        cover_minor=priced.cover_minor,
        parcel_minor=priced.parcel_minor,
        covers_return=plan.covers_return,
        plan_version=version,
        text_version=text_version,
        made_at=made,
        ends_at=made + int(LIFE.total_seconds()),
    )
    return sign(quote, quote_keys())


@lru_cache(maxsize=256)
def _terms(text: str) -> ClaimTerms:
    return read_as(ClaimTerms, json.loads(text))


@lru_cache(maxsize=256)
def _plan(_hash: str, text: str) -> Plan:
    return read_as(Plan, json.loads(text))


@lru_cache(maxsize=256)
def _text_version(plan_hash: str, terms: ClaimTerms, year: Year | None) -> str:
    """Another one whenever anything is said differently: our words, the shop's, terms, figures."""
    said = json.dumps([STANDARD, plan_hash, terms.model_dump_json(), year and asdict(year)])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def text_version_of(plan: PlanVersion, settings: dict[str, Any]) -> str:
    """The version of the words that a plan is offered in now."""
    terms = _terms(json.dumps(settings.get("claims") or {}))
    return _text_version(plan.hash, terms, public_year(settings, plan.plan.currency))
