"""Protection: quotes for carts, cover for orders, the plan it is sold under."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from flask import Response, g, request
from pydantic import Field
from sqlalchemy import select

from portal.api.endpoint import Call, bp, endpoint
from portal.api.orders import locked
from portal.api.refusal import not_found
from portal.api.replies import Protection, Reply, protection_told
from portal.db import session
from portal.format import reader_locale
from portal.models import ApiToken
from portal.models.cover import Choice, take_quote
from portal.models.offer import Cart, Offer, offer_for
from portal.models.premium import cancel_cover
from portal.models.protection import Protection as CoverRow
from portal.models.protection import protection_of
from portal.models.rma_rows import Act
from portal.pages.protection_words import offer_words
from portal.protection.claim_terms import KINDS, ClaimTerms
from portal.sources.document import (
    MOST_LINES,
    Country,
    Currency,
    Money,
    Plain,
    Posted,
    Quantity,
    Sku,
)

QUOTES = "/protection/quotes"


class QuotedLine(Posted):
    """One line of a cart. `discount_minor` is the line's total."""

    sku: Sku
    quantity: Quantity
    unit_price_minor: Money
    discount_minor: Money = 0
    category: Annotated[str, Field(max_length=120), Plain] = ""


class QuoteBody(Posted):
    """A cart, and where it goes. Without a country the shop's own is meant."""

    currency: Currency
    country: Country = ""
    lines: Annotated[list[QuotedLine], Field(min_length=1, max_length=MOST_LINES)]
    shipping_minor: Money = 0


class Limits(Reply):
    """At most what is covered: of the whole order, and of one parcel of it."""

    order_minor: int
    parcel_minor: int


class Days(Reply):
    """When something of one kind can be claimed, in days after what it is counted from."""

    wait_days: int
    wait_days_abroad: int
    last_days: int


class QuoteFacts(Reply):
    """What the price rests on. `why_not` says why nothing is offered."""

    why_not: str | None = Field(
        description="no_plan, currency, country, excluded, nothing; null where cover is offered."
    )
    currency: str
    country: str
    value_minor: int = Field(description="Of the lines after their discounts, without shipping.")
    price_minor: int
    return_minor: int
    climate_minor: int = Field(description="Of the premium, shown as a line of its own.")
    covers_return: bool
    plan_version: int | None
    claims: dict[str, Days]


class QuoteReply(Reply):
    """What cover costs. `quote` is null where none is offered; send it with the paid order."""

    quote: str | None
    premium_minor: int
    cover_minor: int
    limits: Limits
    facts: QuoteFacts
    text_version: str
    words: dict[str, str] = Field(description="What must be shown before anybody chooses.")
    expires_at: datetime


class CoverBody(Posted):
    """The quote that was paid for."""

    quote: Annotated[str, Field(min_length=1, max_length=8000), Plain]


class ReasonBody(Posted):
    """Why it is given up."""

    reason: Annotated[str, Field(max_length=500), Plain] = ""


class CoverReply(Reply):
    """The cover of an order, as it became."""

    id: str
    order_id: str
    status: str
    reason: str | None
    premium_minor: int
    climate_minor: int
    cover_minor: int
    currency: str
    consent: dict[str, Any]
    protection: Protection


@endpoint(
    "POST",
    QUOTES,
    scope="quote protection",
    body=QuoteBody,
    replies={200: QuoteReply},
    computes=True,
)
def quote_protection(call: Call) -> tuple[int, QuoteReply]:
    """Quote cover for a cart.

    Stores nothing. The quote is signed, valid for a day, and bound to currency, country and lines.
    """
    asked: QuoteBody = call.body
    country = asked.country or g.shop.country
    cart = Cart(asked.currency, country, asked.lines, asked.shipping_minor)
    return 200, _quoted(cart, offer_for(cart, g.shop.settings, call.now))


def _quoted(cart: Cart, offer: Offer) -> QuoteReply:
    priced = offer.priced
    return QuoteReply(
        quote=offer.quote or None,
        premium_minor=priced.premium_minor,
        cover_minor=priced.cover_minor,
        limits=Limits(order_minor=priced.cover_minor, parcel_minor=priced.parcel_minor),
        facts=QuoteFacts(
            why_not=priced.why_not or None,
            currency=cart.currency,
            country=cart.country,
            value_minor=priced.value_minor,
            price_minor=priced.price_minor,
            return_minor=priced.return_minor,
            climate_minor=priced.climate_minor,
            covers_return=bool(offer.plan and offer.plan.covers_return),
            plan_version=offer.plan_version or None,
            claims=_days(offer.terms),
        ),
        text_version=offer.text_version,
        words=offer_words(offer, reader_locale()),
        expires_at=offer.expires_at,
    )


@lru_cache(maxsize=64)
def _days(terms: ClaimTerms) -> dict[str, Days]:
    return {kind: Days(**terms.span(kind).model_dump()) for kind in KINDS}


@bp.route(f"{QUOTES}", methods=["OPTIONS"], provide_automatic_options=False)
def may_ask() -> Response:
    """Tell a browser whether a page of another origin may ask for quotes."""
    origin = request.headers.get("Origin", "")
    response = Response(status=204)
    response.headers.add("Vary", "Origin")
    if origin and origin in _listed():
        response.headers |= {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "authorization, content-type, accept-language",
            "Access-Control-Max-Age": "600",
        }
    return response


def _listed() -> set[str]:
    """The origins that the shop's tokens list, and its own."""
    rows = session.scalars(select(ApiToken.origins).where(ApiToken.revoked_at.is_(None)))
    return {g.shop.origin}.union(*rows)


@endpoint(
    "POST",
    "/orders/{order_id}/protection",
    scope="protection",
    body=CoverBody,
    replies={201: CoverReply, 200: CoverReply},
)
def cover_order(call: Call, order_id: str) -> tuple[int, CoverReply]:
    """Cover an order by a quote that was paid for.

    A quote that is altered, stale, used before or for something else is refused: the reply has
    status refused and the reason (200). The same quote again gives the same cover.
    """
    order = locked(order_id)
    before = protection_of(order.id)
    choice = Choice("api", call.caller.who, order.placed_at)
    row = take_quote(order, call.body.quote, choice, call.now)
    session.flush()
    is_new = row.status == "active" and (before is None or before.id != row.id)
    if is_new or row.status == "refused":
        order.touch(call.now)
    return (201 if is_new else 200), _cover_reply(row)


@endpoint(
    "POST",
    "/orders/{order_id}/protection/cancellation",
    scope="protection",
    body=ReasonBody,
    replies={200: CoverReply},
    needs_key=True,
)
def uncover_order(call: Call, order_id: str) -> tuple[int, CoverReply]:
    """End the cover of an order; its premium goes back by a job.

    Within a day, or until a carrier has the parcel, and never once something was claimed.
    """
    order = locked(order_id)
    cover = cancel_cover(order, Act(call.caller.who, call.now, call.body.reason))
    session.flush()
    return 200, _cover_reply(cover)


@endpoint("GET", "/orders/{order_id}/protection", scope="protection", replies={200: CoverReply})
def read_cover(call: Call, order_id: str) -> tuple[int, CoverReply]:
    """Read the cover of an order, or why there is none."""
    row = protection_of(order_id) if order_id.startswith("ord_") else None
    if row is None:
        raise not_found()
    return 200, _cover_reply(row)


def _cover_reply(row: CoverRow) -> CoverReply:
    return CoverReply(
        id=row.id,
        order_id=row.order_id,
        status=row.status,
        reason=row.reason or None,
        premium_minor=row.premium_minor,
        climate_minor=row.climate_minor,
        cover_minor=row.cover_minor,
        currency=row.currency,
        consent=row.consent,
        protection=protection_told(row),
    )
