"""What went wrong in the rehearsal: covered orders, and claims that are under way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.db import inside, session, writing
from portal.demo.desk import BY, Shown, deliver, is_there
from portal.demo.mishaps import Mishap, mishaps
from portal.demo.payments import OURS, register_payment
from portal.demo.seeds import PICTURE_ROOT, register
from portal.demo.tales import BRANDS, Brand, document
from portal.models import Claim, Link, Order, Shop
from portal.models.claim_acts import appeal, decline
from portal.models.claim_request import request_claim
from portal.models.offer import Cart, offer_for
from portal.models.premium import cancel_cover
from portal.models.rma_request import order_for_return
from portal.models.rma_rows import Act
from portal.sources.document import OrderDocument
from portal.tenancy import shop_in_scope

AGAIN = "There was nothing under the paper either, and its tape was cut."
WHY_NOT = "The shop's packing photo shows it in the box. Have you looked under the paper?"


def fill_claims(sandbox: str | None, now: datetime) -> None:
    """Add to both brands what their claims need, once their plans are in force."""
    placed: list[tuple[int, str, Mishap]] = []
    for brand in BRANDS:
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id):
            placed += [(shop.id, _place(brand, e, sandbox, now), e) for e in mishaps(brand)]
    under_way = [each for each in placed if each[2].asked is not None]
    deliver({order_id for _, order_id, _ in under_way}, now)
    for shop_id, order_id, mishap in under_way:
        with inside(shop_id), writing():
            if is_there(order_id):  # elsewhere nobody knows of these parcels
                _claim(order_id, mishap, now)


def _place(brand: Brand, mishap: Mishap, sandbox: str | None, now: datetime) -> str:
    """Store the order of a mishap, with its cover; gives its id."""
    for parcel in mishap.tale.parcels if sandbox else ():
        register(sandbox or "", brand, parcel, now)
    posted = document(brand, mishap.tale, now, PICTURE_ROOT)
    posted["email"] = mishap.email or brand.email
    if mishap.is_covered:
        buy_cover(posted)
    if mishap.went == "refused":
        posted["protection_quote"] = f"{posted['protection_quote'][:-6]}forged"
    if mishap.went == "stuck":
        known = posted["payment"]["reference"]
        posted["payment"]["reference"] = known.replace(OURS, "pi_closed_")  # nobody knows this one
    with writing():
        order, _ = Order.upsert(OrderDocument.model_validate(posted), now)
        order_id = order.id
        if mishap.went == "given_up":
            cancel_cover(order, Act("customer", now, "cancelled by the customer"))
    register_payment(order_id)
    return order_id


def buy_cover(posted: dict[str, Any]) -> None:
    """Have cover bought with a posted order, as it was offered then. Inside its shop."""
    read = OrderDocument.model_validate(posted)
    shop = session.get_one(Shop, shop_in_scope())
    lines = read.lines or []
    cart = Cart(posted["currency"], posted["shipping_address"]["country"], lines)
    offer = offer_for(cart, shop.settings, datetime.fromisoformat(posted["placed_at"]))
    posted["protection_quote"] = offer.quote or None
    posted["payment"]["captured_minor"] += offer.priced.premium_minor


def _claim(order_id: str, mishap: Mishap, now: datetime) -> None:
    order, asked = order_for_return(order_id, lock=True), mishap.asked
    if order is None or asked is None:
        return
    claim = request_claim(order, asked, "page", "customer", now)
    if mishap.went in ("declined", "appealed"):
        decline(claim, BY, now, "not_on_the_way", WHY_NOT)
    if mishap.went == "appealed":
        appeal(claim, "customer", now, AGAIN)


def mishaps_shown() -> Iterator[tuple[str, list[Shown]]]:
    """For each brand's slug its orders; one with a claim leads to the claim's own page."""
    for brand in BRANDS:
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id):
            found = [_shown(shop, each) for each in mishaps(brand)]
        yield brand.slug, [each for each in found if each is not None]


def _shown(shop: Shop, mishap: Mishap) -> Shown | None:
    number = mishap.tale.number
    order_id = session.scalar(select(Order.id).where(Order.number == number))
    token = Link.of(order_id) if order_id else ""
    if not token:
        return None
    page = f"{shop.origin}/t/{token}"
    if mishap.asked is not None:
        first = select(Claim).where(Claim.order_id == order_id).order_by(Claim.asked_at, Claim.id)
        claim = session.scalars(first.limit(1)).first()
        if claim is None:
            return None
        page = f"{shop.origin}/c/{claim.token}"
    return Shown(number, mishap.tale.shows, page, "")
