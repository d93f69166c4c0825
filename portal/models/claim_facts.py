"""The facts that a claim is decided over, and the calendar that its days are of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from carriers.contract import Status
from portal.db import session
from portal.models.claim import Claim, claims_of
from portal.models.dispute import is_blocked
from portal.models.order import Order
from portal.models.photo import Photo
from portal.models.protection import PlanVersion, Protection, protection_of
from portal.models.rma_facts import Situation
from portal.models.shipment import Shipment
from portal.models.shop import Shop
from portal.protection.claim_rules import ClaimFacts
from portal.protection.claim_terms import ClaimTerms
from portal.sources.sentences import read_as
from portal.tenancy import shop_in_scope

SETTING = "claims"
LOST = "lost"  # a detail: the carrier says so itself
PAID = ("approved", "paid")  # what these pay is taken out of the cover


def terms_of(shop: Shop) -> ClaimTerms:
    """The shop's claim terms in force. Raises Invalid where its setting cannot be read."""
    return read_as(ClaimTerms, shop.settings.get(SETTING) or {})


@dataclass(frozen=True, slots=True)
class Day:
    """The calendar of a destination; the shop's where that is not known."""

    zone: ZoneInfo

    @staticmethod
    def of(order: Order) -> Day:
        """The calendar where the order goes."""
        shop = session.get_one(Shop, shop_in_scope())
        return Day(ZoneInfo(order.timezone or shop.timezone or "UTC"))

    def local(self, at: datetime) -> date:
        """The day that a moment falls on there."""
        return at.astimezone(self.zone).date()

    def start(self, day: date) -> datetime:
        """The first moment of a day there."""
        return datetime.combine(day, time(), self.zone)


def facts_of(
    claim: Claim,
    here: Situation,
    parcel: Shipment | None,
    now: datetime,
    photos: int | None = None,
) -> ClaimFacts:
    """Everything the terms ask about. `photos` None: count those that were added."""
    order, day = here.order, Day.of(here.order)
    if parcel is None:
        parcel = Shipment(status=Status.UNKNOWN.value, overlays=[], signed_by="")
    shop = session.get_one(Shop, shop_in_scope())
    to, scanned = order.address.get("country", ""), parcel.last_scan_at
    is_there = parcel.status == Status.DELIVERED.value
    delivered = (parcel.delivered_at or parcel.status_since or scanned) if is_there else None
    return ClaimFacts(
        kind=claim.kind,
        asked_on=day.local(claim.asked_at),
        ordered_on=day.local(order.placed_at),
        shipped_on=day.local(parcel.shipped_at) if parcel.shipped_at else None,
        last_scan_on=day.local(scanned) if scanned else None,
        delivered_on=day.local(delivered) if delivered else None,
        presumed_lost=is_given_up(parcel),
        is_abroad=bool(to and shop.country) and to != shop.country,
        **_cover(order, claim),
        paid_minor=claim.paid_minor,
        photos=_photos(claim) if photos is None else photos,
        statement=bool(claim.statement),
        police_report=bool(claim.police_report),
        risk_points=here.customer.get("risk_points", 0),
        signed=bool(parcel.signed_by),
        in_dispute=is_blocked(order.id),
    )


def is_given_up(parcel: Shipment) -> bool:
    """Whether it is lost by the carrier's own word, or silent for so long that we presume so."""
    if parcel.status == Status.DELIVERED.value:
        return False
    return parcel.detail == LOST or "presumed_lost" in (parcel.overlays or [])


def _cover(order: Order, claim: Claim) -> dict[str, Any]:
    """Whether all that is claimed is covered, and how much of the cover is left for it."""
    cover = protection_of(order.id)
    if cover is None or not cover.covers or not _is_in_the_plan(order, claim, cover):
        return {}
    others = [each for each in claims_of(order.id) if each.id != claim.id and each.status in PAID]
    spent = sum(each.payout_minor for each in others)
    here = sum(each.payout_minor for each in others if each.shipment_id == claim.shipment_id)
    left = min(cover.cover_minor - spent, cover.parcel_minor - here)
    return {"covered": True, "cover_left_minor": max(0, left)}


def _is_in_the_plan(order: Order, claim: Claim, cover: Protection) -> bool:
    sold = session.scalar(select(PlanVersion).where(PlanVersion.version == cover.plan_version))
    if sold is None:
        return True
    kinds = {line.sku: line.category for line in order.lines}
    return all(sold.plan.covers_line(unit.sku, kinds.get(unit.sku, "")) for unit in claim.units)


def _photos(claim: Claim) -> int:
    wanted = select(func.count()).select_from(Photo).where(Photo.claim_id == claim.id)
    return session.scalar(wanted) or 0
