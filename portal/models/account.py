"""What a shop holds of one person, as they see it themselves: to look at, and to take away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from portal.db import session
from portal.models.claim import Claim
from portal.models.credit import CreditEntry, entries_of
from portal.models.customer import Customer
from portal.models.order import Order, OrderLine
from portal.models.outbox import Message
from portal.models.rma import Return
from portal.models.shipment import Shipment, StoredScan
from portal.sources.matching import email_key

MOST: Final = 100  # orders on one page
OVER: Final = frozenset({"settled", "cancelled", "expired", "declined", "paid"})
UNDER_WAY: Final = frozenset({"placed", "partially_shipped", "shipped", "partially_delivered"})


def newest_order(email: str) -> Order | None:
    """The order that was placed last under this address."""
    key = email_key(email)
    if not key:
        return None
    mine = select(Order).where(Order.email_key == key, Order.customer_id.is_not(None))
    return session.scalar(mine.order_by(Order.placed_at.desc(), Order.id.desc()).limit(1))


def orders_of(customer_id: str) -> Sequence[Order]:
    """Their orders, the newest first."""
    mine = select(Order).where(Order.customer_id == customer_id)
    return session.scalars(mine.order_by(Order.placed_at.desc(), Order.id).limit(MOST)).all()


def returns_of(order_ids: Sequence[str]) -> Sequence[Return]:
    """The returns of these orders, the newest first."""
    mine = select(Return).where(Return.order_id.in_(order_ids))
    return session.scalars(mine.order_by(Return.id.desc())).all()


def claims_of_orders(order_ids: Sequence[str]) -> Sequence[Claim]:
    """The claims for these orders, the newest first."""
    mine = select(Claim).where(Claim.order_id.in_(order_ids))
    return session.scalars(mine.order_by(Claim.id.desc())).all()


def unfinished(customer_id: str) -> list[str]:
    """The numbers of what is under way, and so needs to know whose it is."""
    orders = orders_of(customer_id)
    ids = [order.id for order in orders]
    going = [order.number for order in orders if order.status in UNDER_WAY]
    going += [each.number for each in returns_of(ids) if each.status not in OVER]
    return going + [each.number for each in claims_of_orders(ids) if each.status not in OVER]


def taken_away(customer: Customer) -> dict[str, Any]:
    """Everything that is held of a customer, as plain JSON."""
    orders = orders_of(customer.id)
    ids = [order.id for order in orders]
    return {
        "email": customer.email,
        "phone": customer.phone,
        "since": _at(customer.created_at),
        "orders": [_order(order) for order in orders],
        "returns": [_return(each) for each in returns_of(ids)],
        "claims": [_claim(each) for each in claims_of_orders(ids)],
        "credit": [_credit(each) for each in entries_of(customer.id)],
        "messages": [_message(each) for each in _messages(ids)],
    }


def _messages(order_ids: Sequence[str]) -> Sequence[Message]:
    mine = select(Message).where(Message.order_id.in_(order_ids), Message.sent_at.is_not(None))
    return session.scalars(mine.order_by(Message.id.desc())).all()


def _order(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "placed_at": _at(order.placed_at),
        "status": order.status,
        "currency": order.currency,
        "email": order.email,
        "phone": order.phone,
        "shipping_address": order.address,
        "captured_minor": order.captured_minor,
        "lines": [_line(line) for line in order.lines],
        "parcels": [_parcel(parcel) for parcel in order.shipments],
    }


def _line(line: OrderLine) -> dict[str, Any]:
    names = ("sku", "title", "variant", "quantity", "unit_price_minor", "discount_minor")
    return {name: getattr(line, name) for name in names}


def _parcel(parcel: Shipment) -> dict[str, Any]:
    scans = select(StoredScan).where(StoredScan.shipment_id == parcel.id).order_by(StoredScan.at)
    return {
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "status": parcel.status,
        "scans": [
            {"at": _at(scan.at), "status": scan.status, "message": scan.message, "city": scan.city}
            for scan in session.scalars(scans)
        ],
    }


def _return(rma: Return) -> dict[str, Any]:
    lines = [
        {"sku": x.sku, "quantity": x.quantity, "reason": x.reason, "statement": x.statement}
        for x in rma.lines
    ]
    told = {"number": rma.number, "status": rma.status, "asked_at": _at(rma.requested_at)}
    return told | {"lines": lines}


def _claim(claim: Claim) -> dict[str, Any]:
    names = ("number", "kind", "status", "wanted", "statement", "payout_minor")
    return {name: getattr(claim, name) for name in names} | {"asked_at": _at(claim.asked_at)}


def _credit(entry: CreditEntry) -> dict[str, Any]:
    names = ("kind", "amount_minor", "currency")
    told = {name: getattr(entry, name) for name in names}
    return told | {"at": _at(entry.at), "expires_at": _at(entry.expires_at)}


def _message(row: Message) -> dict[str, Any]:
    return {"kind": row.kind, "to": row.recipient, "subject": row.subject, "at": _at(row.sent_at)}


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
