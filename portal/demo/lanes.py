"""Half a year of parcels that arrived, so that the rehearsal's shops know how long theirs take.

Every parcel goes the real way in: an order, what its carrier said, and what is learned from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from carriers.contract import Scan, Status, Tracking
from carriers.simulated import Step, story
from portal.db import inside, session, writing
from portal.demo.desk import BY
from portal.demo.rehearsal import SERVICES
from portal.demo.seeds import PICTURE_ROOT
from portal.demo.tales import BRANDS, Brand, Parcel, Tale, document, number_for
from portal.jobs.lanes import rebuild
from portal.models import Order, Shipment, Shop
from portal.models.due import forget
from portal.sources.document import OrderDocument

ORDERS: Final = 18
APART: Final = 10  # days between two orders
YOUNGEST: Final = 18  # days ago, so that all of them have arrived
PARCELS: Final = 4  # of each order; the last one goes with the brand's second carrier
DAYS: Final = (11.5, 12.0, 12.5, 13.0, 12.0, 13.5, 11.0)  # that a journey takes, in turn
FIRST_NUMBER: Final = 7_000


def fill_lanes(now: datetime) -> None:
    """Add finished parcels to both brands and learn from them."""
    for brand in BRANDS:
        shop = Shop.named(brand.slug)
        if shop is None:
            continue
        with inside(shop.id):
            with writing():
                for place in reversed(range(ORDERS)):
                    _live_through(brand, place, now)
            rebuild(shop.id)


def _live_through(brand: Brand, place: int, now: datetime) -> None:
    placed = now - timedelta(days=YOUNGEST + APART * place)
    carriers = [brand.tales[1].parcels[0].carrier] * (PARCELS - 1)
    carriers.append(brand.tales[3].parcels[0].carrier)
    numbers = range(FIRST_NUMBER + place * PARCELS, FIRST_NUMBER + (place + 1) * PARCELS)
    parcels = tuple(
        Parcel("on_time", carrier, number_for(carrier, number))
        for carrier, number in zip(carriers, numbers, strict=True)
    )
    number = f"{brand.slug[0].upper()}L-{700 - place}"
    tale = Tale(number, "", parcels, (place % 8,), days_ago=YOUNGEST + APART * place)
    home = replace(brand, address={**brand.address, "name": "A customer", "line1": ""})
    posted = document(home, tale, now, PICTURE_ROOT) | {"email": ""}
    order, _ = Order.upsert(OrderDocument.model_validate(posted), placed, BY)
    session.flush()
    mine = select(Shipment).where(Shipment.order_id == order.id).order_by(Shipment.position)
    for parcel in session.scalars(mine).all():
        took = timedelta(days=DAYS[(place * PARCELS + parcel.position) % len(DAYS)])
        _travel(parcel, brand.route, placed, took)


def _travel(parcel: Shipment, route: str, placed: datetime, took: timedelta) -> None:
    """Its carrier speaks twice: as it is handed over, and when it has arrived."""
    steps = story("on_time", ends=placed + took, span=took, route=route)
    for told in (steps[:2], steps):
        at = told[-1]["at"] + timedelta(hours=1)
        parcel.record(_said(parcel, told), "poll", at)
    for queue in ("poll", "quiet"):
        forget(queue, parcel.id)


def _said(parcel: Shipment, steps: Sequence[Step]) -> Tracking:
    scans = tuple(
        Scan(
            step["at"],
            Status(step["status"]),
            step["tz_offset_minutes"],
            step["status_detail"],
            message=step["message"],
            city=step["city"],
            region=step["state"],
            country=step["country"],
        )
        for step in steps
    )
    return Tracking(
        provider_id="",
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        status=scans[-1].status,
        scans=scans,
        service=SERVICES.get(parcel.carrier, "ExpressWorldwide"),
    )
