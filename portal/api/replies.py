"""What the API answers: the models that describe it, and how rows become them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal import clock
from portal.db import is_writing, session, writing
from portal.keys import Unsealable, unseal
from portal.models import Link, Order, OrderLine, Shipment, StoredScan, Variant
from portal.models.arrival import window_on
from portal.models.ledger import Sums, sums_of
from portal.models.protection import Protection as CoverRow
from portal.models.protection import protections_of


class Reply(BaseModel):
    """What all replies share."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)


BASIS = (
    "Who says so: carrier, promise (the shop's rules), or the shop's own finished parcels of the "
    "same lane, destination or country."
)


class Window(Reply):
    """When a parcel arrives: local dates of the destination, both ends included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    basis: str = Field(description=BASIS)
    parcels: int = Field(description="How many of the shop's own past parcels it rests on.")


class ScanReply(Reply):
    """One thing a carrier said. `at` carries the carrier's offset, +00:00 if it gave none."""

    at: datetime
    status: str
    detail: str
    message: str
    city: str | None
    region: str | None
    country: str | None
    source: str
    flag: str | None = Field(
        description="Why it decides nothing: future, unknown, older_parcel, restated."
    )


class Problem(Reply):
    """What staff must look at, and how to mend it."""

    code: str
    text: str
    fix: str
    since: datetime | None


class Held(Reply):
    """How many of what."""

    sku: str
    quantity: int


class ShipmentReply(Reply):
    """One parcel. `scans` run from the oldest to the newest."""

    id: str
    order_id: str
    carrier: str
    service: str
    tracking_number: str
    shipped_at: datetime | None
    status: str
    detail: str
    overlays: list[str]
    delivered_at: datetime | None
    window: Window | None
    lines: list[Held]
    scans: list[ScanReply]
    polls: int = Field(description="How often the carrier was asked about it.")
    problem: Problem | None


class LineReply(Reply):
    """One line of an order."""

    sku: str
    title: str
    variant: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    tax_minor: int
    tax_included: bool


class Protection(Reply):
    """Whether the journey is covered, and why not."""

    status: str
    reason: str | None


class OrderReply(Reply):
    """One order. `refundable_minor` is what was captured and can still be given back."""

    id: str
    number: str
    customer_id: str | None
    tracking_url: str
    status: str
    currency: str
    placed_at: datetime
    updated_at: datetime
    lines: list[LineReply]
    shipments: list[ShipmentReply]
    captured_minor: int
    refunded_minor: int
    refundable_minor: int
    protection: Protection


class OrderPage(Reply):
    """Orders by when they changed last; `next_cursor` is null at the end."""

    orders: list[OrderReply]
    next_cursor: str | None


class ProblemReply(Reply):
    """A parcel that staff must look at."""

    shipment_id: str
    order_id: str
    order_number: str
    carrier: str
    tracking_number: str
    polls: int
    problem: Problem


class ProblemPage(Reply):
    """Parcels with a problem, the oldest parcel first; `next_cursor` is null at the end."""

    problems: list[ProblemReply]
    next_cursor: str | None


class VariantReply(Reply):
    """One thing that can be bought."""

    sku: str
    product: str
    title: str
    options: dict[str, str | int]
    price_minor: int
    currency: str
    tax_included: bool
    available: int | None
    image_url: str


def order_replies(orders: Sequence[Order], origin: str) -> list[OrderReply]:
    """The replies of these orders (their lines loaded): as many statements for any number."""
    ids = [order.id for order in orders]
    tokens = _tokens(ids)
    parcels: dict[str, list[Shipment]] = {}
    statement = select(Shipment).where(Shipment.order_id.in_(ids), Shipment.rma_id.is_(None))
    found = session.scalars(
        statement.order_by(Shipment.position, Shipment.id).options(selectinload(Shipment.lines))
    ).all()
    for parcel in found:
        parcels.setdefault(parcel.order_id, []).append(parcel)
    skus = {line.id: line.sku for order in orders for line in order.lines}
    told = {reply.id: reply for reply in shipment_replies(found, skus)}
    sums = sums_of(ids)
    covers = protections_of(ids)
    return [
        _order_reply(
            order,
            f"{origin}/t/{tokens[order.id]}" if order.id in tokens else "",
            [told[parcel.id] for parcel in parcels.get(order.id, ())],
            sums[order.id],
            covers.get(order.id),
        )
        for order in orders
    ]


def shipment_replies(
    parcels: Sequence[Shipment], skus: dict[int, str] | None = None
) -> list[ShipmentReply]:
    """The replies of these parcels. `skus` by line, where the caller knows them already."""
    if skus is None:
        lines = {held.line_id for parcel in parcels for held in parcel.lines}
        rows = session.execute(select(OrderLine.id, OrderLine.sku).where(OrderLine.id.in_(lines)))
        skus = {row.id: row.sku for row in rows}
    scans: dict[str, list[ScanReply]] = {parcel.id: [] for parcel in parcels}
    if parcels:
        for scan in session.execute(_scans(scans)):
            scans[scan.shipment_id].append(_scan_reply(scan))
    return [_shipment_reply(parcel, scans[parcel.id], skus) for parcel in parcels]


def with_lines(order_id: str) -> Order | None:
    """The order with its lines, if it is this shop's."""
    wanted = select(Order).where(Order.id == order_id)
    return session.scalar(wanted.options(selectinload(Order.lines)))


def _tokens(order_ids: Sequence[str]) -> dict[str, str]:
    """The token of each order's own link in force; a link sealed with a lost key is none.

    Where a command without SECRET_KEY left a link for later, it is made now.
    """
    own = Link.order_id.in_(order_ids), Link.grade == "act", Link.session_digest == ""
    rows = session.execute(
        select(Link.order_id, Link.token_sealed)
        .where(*own, Link.revoked_at.is_(None))
        .order_by(Link.id)
    ).all()
    late = set(order_ids) - {row.order_id for row in rows}
    found = _made_up(late) if late else {}
    for order_id, sealed in rows:
        try:
            found[order_id] = unseal(sealed)
        except Unsealable:
            found.pop(order_id, None)
    return found


def _made_up(order_ids: set[str]) -> dict[str, str]:
    if is_writing():
        return Link.make_up(order_ids)
    with writing():
        return Link.make_up(order_ids)


def _scans(parcel_ids: Iterable[str]) -> Any:
    names = (*("shipment_id", "at", "offset_minutes", "flag"), *SCAN_TEXTS)
    columns = [getattr(StoredScan, name) for name in names]
    mine = StoredScan.shipment_id.in_(parcel_ids)
    return select(*columns).where(mine).order_by(StoredScan.at, StoredScan.id)


SCAN_TEXTS = ("status", "detail", "message", "city", "region", "country", "source")


def _scan_reply(scan: Any) -> ScanReply:
    zone = UTC if scan.offset_minutes is None else timezone(timedelta(minutes=scan.offset_minutes))
    return ScanReply(
        at=scan.at.astimezone(zone),
        flag=scan.flag or None,
        **{name: getattr(scan, name) for name in SCAN_TEXTS},
    )


def _shipment_reply(
    parcel: Shipment, scans: list[ScanReply], skus: dict[int, str]
) -> ShipmentReply:
    window = window_on(parcel, clock.now())
    return ShipmentReply(
        id=parcel.id,
        order_id=parcel.order_id,
        carrier=parcel.carrier,
        service=parcel.service,
        tracking_number=parcel.tracking_number,
        shipped_at=parcel.shipped_at,
        status=parcel.status,
        detail=parcel.detail,
        overlays=parcel.overlays,
        delivered_at=parcel.delivered_at,
        window=Window(**asdict(window)) if window else None,
        lines=[
            Held(sku=skus.get(held.line_id, ""), quantity=held.quantity) for held in parcel.lines
        ],
        scans=scans,
        polls=parcel.polls,
        problem=problem_of(parcel),
    )


def problem_of(parcel: Shipment) -> Problem | None:
    """What staff must look at, if anything."""
    if not parcel.problem:
        return None
    return Problem(
        code=parcel.problem,
        text=parcel.problem_text,
        fix=parcel.problem_fix,
        since=parcel.problem_since,
    )


def protection_told(cover: CoverRow | None) -> Protection:
    """Whether an order is covered, and why it is not."""
    if cover is None:
        return Protection(status="none", reason=None)
    return Protection(status=cover.status, reason=cover.reason or None)


def _order_reply(
    order: Order, url: str, parcels: list[ShipmentReply], sums: Sums, cover: CoverRow | None
) -> OrderReply:
    return OrderReply(
        id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        tracking_url=url,
        status=order.status,
        currency=order.currency,
        placed_at=order.placed_at,
        updated_at=order.updated_at,
        lines=[
            LineReply(**{name: getattr(line, name) for name in LineReply.model_fields})
            for line in sorted(order.lines, key=lambda each: each.position)
        ],
        shipments=parcels,
        captured_minor=sums.captured_minor,
        refunded_minor=sums.refunded_minor,
        refundable_minor=sums.refundable_minor,
        protection=protection_told(cover),
    )


def variant_reply(variant: Variant) -> VariantReply:
    """A variant as it is stored."""
    return VariantReply(**{name: getattr(variant, name) for name in VariantReply.model_fields})
