"""What the shop can show for an order: the facts of an evidence pack, from its own records.

They are words and numbers only, ready to be printed; every moment stands in UTC and as the clock
showed it where the parcel goes (a scan: where it was made). Links that open something are cut out
of what was sent, because a pack is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, Final

from sqlalchemy import or_, select

from portal.db import session
from portal.format import money
from portal.keys import Unsealable, unseal
from portal.models.audit import AuditEntry
from portal.models.claim import Claim, claims_of
from portal.models.claim_facts import Day
from portal.models.ledger import entries_of, sums_of
from portal.models.message import Message
from portal.models.order import Order, OrderLine
from portal.models.photo import Photo
from portal.models.protection import protection_of
from portal.models.rma import Return
from portal.models.scan import StoredScan
from portal.models.shipment import Shipment
from portal.models.shop import Shop
from portal.pictures import path_of
from portal.tenancy import shop_in_scope

FORM: Final = 1  # of the facts; another one when a name in them changes its meaning
LINK: Final = re.compile(r"(https?://[^\s/]+)/\S+")
PLACE: Final = ("name", "line1", "line2", "postcode", "city", "region", "country")
HAPPENED: Final = {
    "lost": "It has not arrived",
    "not_received": "The carrier says delivered, the customer does not have it",
    "damaged": "It arrived damaged",
    "missing_item": "Something is missing",
    "wrong_item": "The wrong thing came",
}
Told = list[tuple[str, str]]


def evidence_of_claim(claim: Claim, now: datetime) -> dict[str, Any]:
    """The facts for a claim: of its own parcel first, then of the order's others."""
    order = session.get_one(Order, claim.order_id)
    about = {
        "title": f"Evidence for claim {claim.number}",
        "kind": "claim",
        "number": claim.number,
        "told": [
            ("What happened", HAPPENED[claim.kind]),
            ("Value claimed", money(claim.paid_minor, claim.currency, "en")),
        ],
    }
    return _facts(order, about, [claim], claim.shipment_id, now)


def evidence_of_order(order: Order, about: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The facts of an order with all its claims; `about` has title, kind, number and told."""
    return _facts(order, about, claims_of(order.id), "", now)


def photos_of(order_id: str, claim_id: str = "") -> list[Path]:
    """The files of what was photographed: for a claim, or for every claim and return."""
    wanted = select(Photo).where(Photo.order_id == order_id)
    sent = Photo.claim_id == claim_id
    if not claim_id:
        sent = or_(Photo.claim_id.is_not(None), Photo.rma_id.is_not(None))
    found = session.scalars(wanted.where(sent).order_by(Photo.created_at, Photo.id))
    return [path_of(photo.shop_id, photo.id) for photo in found]


def _facts(
    order: Order, about: dict[str, Any], claims: Sequence[Claim], first: str, now: datetime
) -> dict[str, Any]:
    shop = session.get_one(Shop, shop_in_scope())
    zone = Day.of(order).zone
    returns = list(session.scalars(select(Return).where(Return.order_id == order.id)))
    subjects = [
        f"order:{order.id}",
        *(f"claim:{claim.id}" for claim in claims),
        *(f"return:{rma.id}" for rma in returns),
    ]
    return {
        "form": FORM,
        "made_on": now.astimezone(zone).date().isoformat(),
        "shop": {"name": shop.name, "origin": shop.origin, "country": shop.country},
        "about": about,
        "order": _order(order, claims, zone),
        "parcels": [_parcel(each, zone) for each in _parcels(order.id, first)],
        "claims": [_claim(each, zone) for each in claims],
        "decisions": _decisions(subjects, zone),
        "cover": _cover(order.id, order.currency, zone),
        "money": [
            {
                **_at(entry.at, zone),
                "kind": entry.kind.replace("_", " "),
                "amount": money(entry.amount_minor, entry.currency, "en"),
                "amount_minor": entry.amount_minor,
                "for": " ".join(filter(None, (entry.subject, entry.reference))),
            }
            for entry in entries_of(order.id)
        ],
        "messages": _messages(order.id, zone),
    }


def _order(order: Order, claims: Sequence[Claim], zone: tzinfo) -> dict[str, Any]:
    sums = sums_of([order.id])[order.id]
    given_minor = sums.refunded_minor + sums.pending_minor + sums.credited_minor
    given_minor += sums.exchanged_minor + sums.payout_minor
    held = {unit.unit_id for claim in claims for unit in claim.units}
    told = {
        "Shipping": order.shipping_minor + order.shipping_tax_minor,
        "Paid in all": sums.captured_minor,
        "Given back so far": given_minor,
        "Taken back by the bank": sums.disputed_minor,
    }
    return {
        "number": order.number,
        "placed": _at(order.placed_at, zone),
        "name": order.address.get("name", ""),
        "email": order.email,
        "address": ", ".join(filter(None, (order.address.get(name) for name in PLACE))),
        "currency": order.currency,
        "payment": order.payment_reference,
        "lines": [
            {
                "sku": line.sku,
                "title": line.title,
                "variant": line.variant,
                "quantity": line.quantity,
                "claimed": sum(unit.id in held for unit in line.units),
                "unit_price": money(line.unit_price_minor, order.currency, "en"),
                "paid": money(_paid(line), order.currency, "en"),
                "paid_minor": _paid(line),
            }
            for line in order.lines
        ],
        "amounts": [(name, money(minor, order.currency, "en")) for name, minor in told.items()],
        "captured_minor": sums.captured_minor,
        "given_minor": given_minor,
    }


def _paid(line: OrderLine) -> int:
    added = 0 if line.tax_included else line.tax_minor
    return sum(unit.price_minor - unit.discount_minor for unit in line.units) + added


def _parcels(order_id: str, first: str) -> list[Shipment]:
    wanted = select(Shipment).where(Shipment.order_id == order_id, Shipment.rma_id.is_(None))
    found = session.scalars(wanted.order_by(Shipment.position, Shipment.id))
    return sorted(found, key=lambda parcel: parcel.id != first)


def _parcel(parcel: Shipment, zone: tzinfo) -> dict[str, Any]:
    wanted = select(StoredScan).where(StoredScan.shipment_id == parcel.id)
    scans = session.scalars(wanted.order_by(StoredScan.at, StoredScan.id))
    return {
        "number": f"{parcel.carrier or parcel.carrier_code} {parcel.tracking_number}".strip(),
        "carrier": parcel.carrier or parcel.carrier_code,
        "tracking_number": parcel.tracking_number,
        "status": parcel.status,
        "shipped_at": _utc(parcel.shipped_at),
        "delivered_at": _utc(parcel.delivered_at),
        "signed_by": parcel.signed_by,
        "told": [
            ("Service", parcel.service),
            ("Sent", _local(parcel.shipped_at, zone)),
            ("Stands at", parcel.status.replace("_", " ")),
            ("Delivered", _local(parcel.delivered_at, zone)),
            ("Proof of delivery", _proof(parcel, zone)),
        ],
        "scans": [_scan(each, zone) for each in scans],
    }


def _proof(parcel: Shipment, zone: tzinfo) -> str:
    if parcel.delivered_at is None:
        return "None: the carrier has not said that it was delivered."
    signed = f"Signed for by {parcel.signed_by}." if parcel.signed_by else "No signature is known."
    return f"The carrier's own delivery scan of {_local(parcel.delivered_at, zone)}. {signed}"


def _scan(scan: StoredScan, zone: tzinfo) -> dict[str, Any]:
    own = zone
    if scan.offset_minutes is not None:
        own = timezone(timedelta(minutes=scan.offset_minutes))
    return {
        **_at(scan.at, own),
        "status": scan.status,
        "detail": scan.detail,
        "place": ", ".join(filter(None, (scan.city, scan.region, scan.country))),
        "message": scan.message,
        "source": scan.source,
    }


def _claim(claim: Claim, zone: tzinfo) -> dict[str, Any]:
    receipt = claim.decision or {}
    paid = claim.status in ("approved", "paid")
    told = [
        ("What happened", HAPPENED[claim.kind]),
        ("Told by the customer on", _local(claim.asked_at, zone)),
        ("Asked for", claim.wanted.replace("_", " ")),
        ("Stands at", claim.status.replace("_", " ")),
        ("Given", money(claim.payout_minor, claim.currency, "en") if paid else ""),
    ]
    words = {
        "In the customer's words": claim.statement,
        "Police report": claim.police_report,
        "The appeal": claim.appeal,
        "The shop's answer": claim.note,
    }
    return {
        "number": claim.number,
        "kind": claim.kind,
        "status": claim.status,
        "asked": _at(claim.asked_at, zone),
        "pieces": [
            {"sku": unit.sku, "title": unit.title, "paid_minor": unit.share.paid_minor}
            for unit in claim.units
        ],
        "payout_minor": claim.payout_minor,
        "told": told,
        "words": [(name, text) for name, text in words.items() if text],
        "decision": receipt,
    }


def _decisions(subjects: Iterable[str], zone: tzinfo) -> list[dict[str, Any]]:
    wanted = select(AuditEntry).where(AuditEntry.subject.in_(list(subjects)))
    return [
        {
            **_at(entry.at, zone),
            "what": entry.act.replace(".", " ").replace("_", " "),
            "who": re.sub(r"^staff:\d+ ?", "staff ", entry.who).strip(),
            "why": entry.why,
        }
        for entry in session.scalars(wanted.order_by(AuditEntry.at, AuditEntry.id))
        if entry.act != "evidence.taken"  # who read the pack is no part of it
    ]


def _cover(order_id: str, currency: str, zone: tzinfo) -> dict[str, Any] | None:
    cover = protection_of(order_id)
    if cover is None:
        return None
    chosen = cover.consent
    told: Told = [
        ("Cover", cover.status),
        ("At most", money(cover.cover_minor, currency, "en")),
        ("Paid for it", money(cover.premium_minor, currency, "en")),
        ("Version of the texts", str(chosen.get("text_version", ""))),
        ("Chosen", _local(_moment(chosen.get("at")), zone)),
        ("Where", str(chosen.get("channel", ""))),
        ("Chosen beforehand", "yes" if chosen.get("preselected") else "no"),
    ]
    return {"told": told, "status": cover.status, "consent": chosen, "plan": cover.plan_version}


def _messages(order_id: str, zone: tzinfo) -> list[dict[str, Any]]:
    wanted = select(Message).where(
        Message.order_id == order_id, Message.state == "sent", Message.kind != "code"
    )
    found = session.scalars(wanted.order_by(Message.sent_at, Message.id))
    return [
        {
            **_at(message.sent_at or message.created_at, zone),
            "kind": message.kind,
            "subject": message.subject,
            "to": message.recipient,
            "state": message.state,
            "text": _text(message),
        }
        for message in found
    ]


def _text(message: Message) -> str:
    """What was sent, with what its links open cut off."""
    try:
        text = unseal(message.text) if message.text else ""
    except Unsealable:
        return ""
    return LINK.sub(r"\1/…", text).strip()


def _at(at: datetime, zone: tzinfo) -> dict[str, str]:
    return {"at": _utc(at), "local": _local(at, zone)}


def _utc(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _local(at: datetime | None, zone: tzinfo) -> str:
    """2 Nov 2026, 14:03 (UTC-06:00)"""
    if at is None:
        return ""
    here = at.astimezone(zone)
    sign = here.strftime("%z")
    return f"{here.day} {here:%b %Y, %H:%M} (UTC{sign[:3]}:{sign[3:5]})"


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
