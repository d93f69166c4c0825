"""Finished parcels that lanes know nothing of yet, and how well windows held."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from portal.db import session
from portal.models.arrival import Milestones, lane_facts
from portal.models.heard import zone_of
from portal.models.lane import FACTS, held_between, note_parcels
from portal.models.order import Order
from portal.models.scan import StoredScan
from portal.models.shipment import Shipment
from portal.models.shop import Shop
from portal.tenancy import shop_in_scope

AT_ONCE: Final = 500  # parcels a transaction
LEAST_SHOWN: Final = 30  # windows that a record of a quarter stands on


def note_some(before: str, zone: str) -> str | None:
    """Note the next 500 finished parcels older than `before` ("" for the newest).

    `zone` is the shop's. Gives where to go on; None at the end. What is known is noted again to no
    effect. Call it inside `writing()`.
    """
    parcels = session.execute(_finished(before)).all()
    scans: defaultdict[str, list[Any]] = defaultdict(list)
    for scan in session.execute(_deciding([parcel.id for parcel in parcels])):
        scans[scan.shipment_id].append(scan)
    rows = []
    for parcel in parcels:
        there = zone_of(parcel.timezone)
        milestones = Milestones.of(scans[parcel.id], zone_of(zone), there)
        rows.append({"shipment_id": parcel.id, **lane_facts(parcel, parcel, milestones)})
    note_parcels(rows, FACTS)
    return parcels[-1].id if len(parcels) == AT_ONCE else None


def _finished(before: str) -> Any:
    columns = (
        *(Shipment.id, Shipment.carrier, Shipment.carrier_code, Shipment.service),
        *(Shipment.first_eta_date, Shipment.delivered_at, Order.address, Order.timezone),
    )
    statement = select(*columns).join(Order, Order.id == Shipment.order_id)
    statement = statement.where(Shipment.delivered_at.is_not(None), Shipment.rma_id.is_(None))
    if before:
        statement = statement.where(Shipment.id < before)
    return statement.order_by(Shipment.id.desc()).limit(AT_ONCE)


def _deciding(ids: list[str]) -> Any:
    names = ("shipment_id", "at", "offset_minutes", "status", "detail", "region", "country")
    columns = [getattr(StoredScan, name) for name in names]
    return select(*columns).where(StoredScan.shipment_id.in_(ids), StoredScan.flag == "")


def record(now: datetime) -> None:
    """Say at the shop in scope how many of the last quarter's windows held.

    Call it inside `writing()`. Nothing is said on fewer than 30 windows.
    """
    shop = session.get_one(Shop, shop_in_scope())
    first, last = quarter_before(now.astimezone(zone_of(shop.timezone)).date())
    held = held_between(first, last)
    told = {"first": first.isoformat(), "last": last.isoformat(), **held}
    shop.arrival_record = told if held["shown"] >= LEAST_SHOWN else {}


def quarter_before(day: date) -> tuple[date, date]:
    """The first and the last day of the calendar quarter before that of `day`."""
    begins = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    last = begins - timedelta(days=1)
    return last.replace(month=last.month - 2, day=1), last
