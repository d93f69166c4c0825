"""Forgetting a customer: what names a person goes, what counts stays.

Orders keep their number, lines, amounts, dates and country; the ledger and the audit trail stay.
E-mail, phone, address, messages, wishes, codes and links go, and so does what carriers said about
the door and who stood behind it. Parcels lose their tracking numbers: whoever has one can ask the
carrier, and the next answer would bring everything back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update

from portal.db import session
from portal.models.access import Link, LinkCode
from portal.models.audit import record
from portal.models.checkout import erase_checkouts
from portal.models.customer import Customer
from portal.models.due import Due
from portal.models.erasure_after import Files, erase_after_sale
from portal.models.event import HookEvent
from portal.models.order import Order
from portal.models.outbox import Message
from portal.models.preference import Preference, address_key
from portal.models.scan import StoredScan
from portal.models.shipment import Shipment
from portal.models.withdrawal import Withdrawal
from portal.sources.matching import email_key
from portal.tenancy import shop_in_scope

ERASED = "erased:"  # what stands where a customer's e-mail was compared by


@dataclass(frozen=True, slots=True)
class Held:
    """What the shop holds of one person."""

    customer_ids: Sequence[str]
    order_ids: Sequence[str]
    message_ids: Sequence[str]
    wish_ids: Sequence[int]
    withdrawal_ids: Sequence[str] = ()
    files: Files = field(default_factory=Files)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to forget."""
        held = (self.customer_ids, self.order_ids, self.message_ids, self.wish_ids)
        return not any(held) and not self.withdrawal_ids


def held_of(email: str) -> Held:
    """What the shop in scope holds under this address: as a customer's or as a recipient's."""
    key = email_key(email)
    customers = session.scalars(select(Customer.id).where(Customer.email_key == key)).all()
    orders = session.scalars(
        select(Order.id)
        .where(or_(Order.email_key == key, Order.customer_id.in_(customers)))
        .order_by(Order.id)
    ).all()
    spellings = {each.lower() for each in (email.strip(), address_key(email), key)}
    told = or_(func.lower(Message.recipient).in_(spellings), Message.order_id.in_(orders))
    wishes = or_(Preference.recipient == address_key(email), Preference.order_id.in_(orders))
    return Held(
        customers,
        orders,
        session.scalars(select(Message.id).where(told)).all(),
        session.scalars(select(Preference.id).where(wishes)).all(),
        session.scalars(select(Withdrawal.id).where(func.lower(Withdrawal.email) == key)).all(),
    )


def erase(email: str, now: datetime, who: str = "operator") -> Held:
    """Forget the person with this address in the shop in scope; gives what was held.

    Call it inside `writing()`, and throw away the files it names once that is committed. The audit
    entry names the customer's id, never the address.
    """
    held = held_of(email)
    if held.is_nothing:
        return held
    # Orders first, as everybody locks them, so that nobody waits in a circle.
    session.execute(select(Order.id).where(Order.id.in_(held.order_ids)).with_for_update())
    _erase_parcels(held.order_ids)
    _erase_words(held)
    _erase_links(held.order_ids, now)
    erase_checkouts(held.order_ids, email)
    files = erase_after_sale(held.order_ids, email_key(email))
    _erase_orders(held, now)
    told = {"orders": len(held.order_ids), "messages": len(held.message_ids)}
    for customer_id in held.customer_ids or ["-"]:
        record(who, "customer.erased", f"customer:{customer_id}", after=told)
    return replace(held, files=files)


def _erase_parcels(order_ids: Sequence[str]) -> None:
    of_orders = Shipment.order_id.in_(order_ids)
    rows = session.execute(select(Shipment.id, Shipment.number_key).where(of_orders)).all()
    parcel_ids = [row.id for row in rows]
    numbers = {row.number_key for row in rows if row.number_key}
    session.execute(
        delete(HookEvent).where(
            HookEvent.number_key.in_(numbers), HookEvent.shop_id == shop_in_scope()
        )
    )
    session.execute(
        update(StoredScan)
        .where(StoredScan.shipment_id.in_(parcel_ids))
        .values(message="", city=None, region=None, postcode=None, raw={})
    )
    session.execute(
        update(Shipment)
        .where(of_orders)
        .values(
            tracking_number="",
            number_key="",
            watched="",
            provider_id=None,
            signed_by="",
            heard={},
            problem="",
            problem_text="",
            problem_fix="",
            problem_since=None,
            version=Shipment.version + 1,
        )
    )
    session.execute(delete(Due).where(Due.queue == "poll", Due.subject.in_(parcel_ids)))


def _erase_words(held: Held) -> None:
    session.execute(delete(Due).where(Due.queue == "send", Due.subject.in_(held.message_ids)))
    session.execute(delete(Message).where(Message.id.in_(held.message_ids)))
    session.execute(delete(Preference).where(Preference.id.in_(held.wish_ids)))


def _erase_links(order_ids: Sequence[str], now: datetime) -> None:
    """Links end, and cannot be shown again; that they were there still answers 410."""
    session.execute(
        update(Link)
        .where(Link.order_id.in_(order_ids), Link.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.execute(update(Link).where(Link.order_id.in_(order_ids)).values(token_sealed=""))
    session.execute(delete(LinkCode).where(LinkCode.order_id.in_(order_ids)))


def _erase_orders(held: Held, now: datetime) -> None:
    for order in session.scalars(select(Order).where(Order.id.in_(held.order_ids))):
        country = order.address.get("country", "")
        order.email = order.email_key = order.phone = ""
        order.address = {"country": country} if country else {}
        order.customer_tags = []
        order.version += 1
        order.updated_at = now
    for customer in session.scalars(select(Customer).where(Customer.id.in_(held.customer_ids))):
        customer.email, customer.phone = "", ""
        customer.email_key = f"{ERASED}{customer.id}"
    session.flush()
