"""What there is to send back in the rehearsal: rules, variants, orders, and who decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from portal.db import every_shop, inside, session, writing
from portal.demo.errands import Errand, all_errands, errands
from portal.demo.payments import register_payment
from portal.demo.place import home_of, keep, read_kept
from portal.demo.plans import PLANS
from portal.demo.policies import POLICIES, VARIANTS
from portal.demo.seeds import PICTURE_ROOT, origin, register
from portal.demo.shop import TOKEN
from portal.demo.tales import BRANDS, Brand, document
from portal.jobs import poll
from portal.keys import settings
from portal.models import ApiToken, Link, Order, PlanVersion, Return, Shipment, Shop, Variant
from portal.models.due import claim, finish
from portal.models.policy import PolicyVersion
from portal.models.rma_acts import arrive
from portal.models.rma_receipt import Count, receive
from portal.models.rma_request import order_to_change, request_return
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.models.staff import Staff
from portal.sources.document import OrderDocument, VariantDocument
from portal.tenancy import shop_in_scope

BY: Final = "demo"
OPENED: Final = timedelta(days=120)  # so long the brands' rules have been in force
SOLD: Final = timedelta(days=400)  # so long they have sold cover
INVITATION: Final = "PORCHLIGHT_INVITATION_"  # in the kept file, followed by the brand's slug
IN_STOCK: Final = 5
MOST_PARCELS: Final = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """One errand with the address of its order's page; `rma` is its return's, "" without one."""

    number: str
    shows: str
    page: str
    rma: str


def fill_desk(sandbox: str | None, now: datetime) -> None:
    """Add to both brands what their returns need. `sandbox` None: real trackers, no stories."""
    placed: list[tuple[int, str, Errand]] = []
    for brand, found in all_errands():
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id):
            _set_up(brand, now)
            placed += [(shop.id, _place(brand, each, sandbox, now), each) for each in found]
    under_way = [each for each in placed if each[2].asked is not None]
    deliver({order_id for _, order_id, _ in under_way}, now)
    for shop_id, order_id, errand in under_way:
        with inside(shop_id), writing():
            if is_there(order_id):  # elsewhere nobody knows of these parcels
                _return(order_id, errand, now)


def _set_up(brand: Brand, now: datetime) -> None:
    with writing():
        since = now - OPENED
        version = PolicyVersion.draft(POLICIES[brand.slug] | {"version": 2}, BY, since)
        version.publish(BY, since)
        PlanVersion.publish(PLANS[brand.slug], BY, now - SOLD)
        _show_offers(brand)
        for each in VARIANTS[brand.slug]:
            posted = VariantDocument(
                product=each.category,
                title=each.title,
                options={"colour": each.variant},
                price_minor=each.price_minor,
                currency=brand.look["currency"],
                available=IN_STOCK,
            )
            Variant.put(each.sku, posted, now)


def _show_offers(brand: Brand) -> None:
    """Let the storefront's page ask for quotes; everybody may read the token that it shows."""
    made, secret = ApiToken.make(["quote"], [origin(brand.slug), settings().base_url], "storefront")
    session.add(made)
    shop = session.get_one(Shop, shop_in_scope())
    shop.settings = {**shop.settings, TOKEN: secret}


def _place(brand: Brand, errand: Errand, sandbox: str | None, now: datetime) -> str:
    """Store the order of an errand; gives its id."""
    for parcel in errand.tale.parcels if sandbox else ():
        register(sandbox or "", brand, parcel, now)
    posted = document(brand, errand.tale, now, PICTURE_ROOT)
    for place in errand.final:
        posted["lines"][place]["final_sale"] = True
    with writing():
        order, _ = Order.upsert(OrderDocument.model_validate(posted), now)
        order_id = order.id
    register_payment(order_id)
    return order_id


def deliver(order_ids: set[str], now: datetime) -> None:
    """Ask about the parcels of these orders before the worker does: their returns come next."""
    with every_shop():
        mine = select(Shipment.id).where(Shipment.order_id.in_(order_ids))
        ids = set(session.scalars(mine))
        session.rollback()
    with writing():
        leases = claim("poll", MOST_PARCELS, now)
    poll.perform_all([lease for lease in leases if lease.subject in ids])
    with writing():
        for lease in leases:
            if lease.subject not in ids:
                finish(lease, again_at=now)


def is_there(order_id: str) -> bool:
    """Whether a parcel of this order has been delivered."""
    delivered = (Shipment.order_id == order_id, Shipment.status == "delivered")
    return session.scalar(select(Shipment.id).where(*delivered).limit(1)) is not None


def _return(order_id: str, errand: Errand, now: datetime) -> None:
    asked, at = errand.asked, now - errand.waits
    order = order_to_change(order_id, at)
    if order is None or asked is None:
        return
    rma = request_return(order, [asked], "page", "customer", at, asked.method or "")
    if errand.went in ("arrived", "settled"):
        arrive(rma, BY, now - errand.waits / 2)
    if errand.went == "settled":
        session.flush()
        count = Count(asked.sku, asked.quantity, "A", "restock")
        receive(rma, [count], BY, now - errand.waits / 3)
        resolve(rma, None, Act(BY, now - errand.waits / 4))


# --- what is shown of it ------------------------------------------------------------------------


def errands_shown() -> Iterator[tuple[str, list[Shown], list[Shown]]]:
    """For each brand's slug: orders to try, and returns under way."""
    for brand in BRANDS:
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id):
            found = [_shown(shop, errand) for errand in errands(brand)]
        there = [each for each in found if each is not None]
        yield brand.slug, [e for e in there if not e.rma], [e for e in there if e.rma]


def _shown(shop: Shop, errand: Errand) -> Shown | None:
    number = errand.tale.number
    order_id = session.scalar(select(Order.id).where(Order.number == number))
    token = Link.of(order_id) if order_id else ""
    if not token:
        return None
    rma = ""
    if errand.asked is not None:
        first = select(Return.id).where(Return.order_id == order_id).order_by(Return.requested_at)
        rma_id = session.scalar(first.limit(1))
        if rma_id is None:
            return None
        rma = f"{shop.origin}/staff/returns/{rma_id}"
    return Shown(number, errand.tale.shows, f"{shop.origin}/t/{token}", rma)


# --- who decides --------------------------------------------------------------------------------


def invite(now: datetime) -> None:
    """Have an invitation for each brand's desk that can still be used; kept beside the database."""
    home = home_of(settings().database_url)
    kept = read_kept(home)
    for brand in BRANDS:
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id), writing():
            name = INVITATION + brand.slug
            if Staff.known(address(brand.slug)) is None or Staff.invited(kept.get(name, ""), now):
                _, kept[name] = Staff.invite(address(brand.slug), "owner", now)
    keep(home, kept)


def door(slug: str, now: datetime) -> str:
    """Where the desk of a brand is entered: its invitation, once it was used its sign-in."""
    shop = Shop.named(slug)
    if shop is None:
        return ""
    token = read_kept(home_of(settings().database_url)).get(INVITATION + slug, "")
    with inside(shop.id):
        is_open = bool(token) and Staff.invited(token, now) is not None
    return f"{shop.origin}/staff/invitation/{token}" if is_open else f"{shop.origin}/staff"


def address(slug: str) -> str:
    """Who is invited to a brand's desk."""
    return f"desk@{slug}.example"
