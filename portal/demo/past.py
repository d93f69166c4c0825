"""A year of sold cover in the rehearsal, so that its books have something to say.

Every step is the real one, with the moment it would have happened at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from carriers.contract import Scan, Status, Tracking
from portal.db import inside, session, writing
from portal.demo.claims import buy_cover
from portal.demo.desk import BY
from portal.demo.payments import register_payment
from portal.demo.seeds import PICTURE_ROOT
from portal.demo.tales import BRANDS, Brand, Parcel, Tale, document, number_for
from portal.models import Order, Protection, Settlement, Shipment, Shop, payout
from portal.models.claim_request import AskedClaim, request_claim
from portal.models.cover_end import end_covers
from portal.models.cover_record import count_years, keep_years, speak
from portal.models.due import forget
from portal.models.earned import earn
from portal.models.recovered import recover
from portal.models.rma_request import order_for_return
from portal.sources.document import OrderDocument

SPEAKS: Final = "fern"  # this brand says in public what its last year came to
DAY: Final = timedelta(days=1)
ORDERS: Final = {"fern": 11, "volta": 4}  # the second brand is too young for shares
APART: Final = 31  # days between two orders
YOUNGEST: Final = 36  # days ago, so that the cover of all of them has ended
PARCELS: Final = 3  # of each order: shares are told from 30 parcels on
TRAVEL: Final = 4  # days
GOODS: Final = {"fern": (0, 1, 2, 6), "volta": (4, 7, 5)}
ABROAD: Final = {
    "fern": ("Toronto", "CA"),
    "volta": ("Wien", "AT"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with an order of the past, by its place; what a carrier paid for it."""

    kind: str
    good: int
    wanted: str = "refund"
    recovered_minor: int = 0


TROUBLES: Final[dict[str, dict[int, Trouble]]] = {
    "fern": {
        1: Trouble("missing_item", 2),
        3: Trouble("damaged", 2, wanted="reship"),
        6: Trouble("lost", 6, recovered_minor=2_000),
    },
    "volta": {
        1: Trouble("lost", 7, recovered_minor=1_500),
        2: Trouble("wrong_item", 4, wanted="reship"),
    },
}


def fill_past(now: datetime) -> None:
    """Add a year of covered orders to both brands, with their claims, and count it."""
    for brand in BRANDS:
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id), writing():
            placed = [_live_through(brand, n, now) for n in range(ORDERS[brand.slug])]
            end_covers(now)
        with inside(shop.id):
            for order_id in placed:
                register_payment(order_id)
            years = count_years(now)
            with writing():
                keep_years(years, now)
                speak(session.get_one(Shop, shop.id), brand.slug == SPEAKS, BY)


def _live_through(brand: Brand, place: int, now: datetime) -> str:
    """One order from its day to the end of its journey; gives its id."""
    placed = now - timedelta(days=YOUNGEST + APART * place)
    trouble = TROUBLES[brand.slug].get(place)
    posted = _posted(brand, place, now)
    buy_cover(posted)
    order, _ = Order.upsert(OrderDocument.model_validate(posted), placed, BY)
    session.flush()
    _travel(order.id, placed, is_lost=trouble is not None and trouble.kind == "lost")
    if trouble is not None:
        _complain(order.id, brand.goods[trouble.good].sku, trouble, placed)
    [cover_id] = session.scalars(select(Protection.id).where(Protection.order_id == order.id))
    earn(cover_id, placed + timedelta(days=14 if trouble else 6))
    return order.id


def _posted(brand: Brand, place: int, now: datetime) -> dict[str, Any]:
    """The order as the API would be given it: of somebody who left no e-mail."""
    carrier = brand.tales[0].parcels[0].carrier
    base = 5_000 + place * PARCELS + (1_000 if brand.slug == "volta" else 0)
    parcels = tuple(
        Parcel("delivered", carrier, number_for(carrier, base + n)) for n in range(PARCELS)
    )
    tale = Tale(
        f"{brand.slug[0].upper()}-{800 - place}",
        "",
        parcels,
        GOODS[brand.slug],
        quantity=3,
        days_ago=YOUNGEST + APART * place,
    )
    city, country = ABROAD[brand.slug]
    goes = (
        {"city": city, "country": country, "region": "", "postcode": ""} if place % 4 == 3 else {}
    )
    home = replace(brand, address={**brand.address, "name": "A customer", "line1": "", **goes})
    return document(home, tale, now, PICTURE_ROOT) | {"email": ""}


def _travel(order_id: str, placed: datetime, *, is_lost: bool) -> None:
    """Have its parcels travel: the carrier's words are stored, and nobody is asked about them."""
    mine = select(Shipment).where(Shipment.order_id == order_id).order_by(Shipment.position)
    for parcel in session.scalars(mine).all():
        ends = not is_lost or parcel.position > 0
        told = Tracking(
            provider_id="",
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            status=Status.DELIVERED if ends else Status.IN_TRANSIT,
            scans=tuple(_scans(placed, ends=ends)),
        )
        parcel.record(told, "poll", placed + timedelta(days=TRAVEL, hours=1))
        for queue in ("poll", "quiet"):
            forget(queue, parcel.id)


def _scans(placed: datetime, *, ends: bool) -> Iterator[Scan]:
    yield Scan(placed + DAY, Status.IN_TRANSIT, message="Picked up")
    if ends:
        yield Scan(placed + TRAVEL * DAY, Status.DELIVERED, message="Delivered")


def _complain(order_id: str, sku: str, trouble: Trouble, placed: datetime) -> None:
    """Claim one piece of the first parcel, be paid, and have the carrier pay some of it back."""
    at = placed + timedelta(days=13 if trouble.kind == "lost" else 8)
    order = order_for_return(order_id, lock=True)
    parcels = select(Shipment.id).where(Shipment.order_id == order_id)
    first = session.scalars(parcels.order_by(Shipment.position).limit(1)).one()
    if order is None:
        return
    asked = AskedClaim(trouble.kind, first, {sku: 1}, trouble.wanted, "It is not right.")
    claim_id = request_claim(order, asked, "page", "customer", at).id
    refunds = select(Settlement.id).where(Settlement.subject == claim_id)
    for id in session.scalars(refunds.where(Settlement.status == "wanted")).all():
        payout.begin(id, at + DAY)
        payout.succeeded(id, f"re_demo_{id}", at + DAY)
    if trouble.recovered_minor:
        paid = (trouble.recovered_minor, "carrier", f"Paid {claim_id[-6:]}")
        recover(claim_id, *paid, BY, at + 20 * DAY)
