"""Taking a quote for an order: it becomes cover, once, or a refusal that everybody can see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from carriers.contract import Status
from portal.db import insert_new, new_id, session
from portal.keys import derive, digest, secrets_in_force
from portal.models.ledger import book
from portal.models.line import split_units
from portal.models.parcels import parcels_of
from portal.models.protection import COVERING, Protection
from portal.protection.quote import SIGNED_FOR, Bought, NotOurs, Quote, difference, is_stale, read
from portal.tenancy import shop_in_scope

if TYPE_CHECKING:
    from portal.models.order import Order

NOT_MOVED: Final = (Status.UNKNOWN.value, Status.PRE_TRANSIT.value, Status.CANCELLED.value)


def quote_keys() -> tuple[bytes, ...]:
    """The keys that quotes are signed with, the current one first."""
    return _derived(secrets_in_force())


@lru_cache(maxsize=8)
def _derived(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(derive(SIGNED_FOR, secret) for secret in secrets)


@dataclass(frozen=True, slots=True)
class Choice:
    """How a quote came to be taken: through which door, chosen when, and with which payment.

    `payment` is the quote's own; "" where it was paid with the order, when that was placed.
    """

    channel: str
    by: str
    at: datetime
    payment: str = ""


def take_quote(order: Order, text: str, choice: Choice, now: datetime) -> Protection:
    """Cover the order by a quote that was paid for, or store why not: nobody loses by a refusal.

    The order is locked and its lines are loaded. The same quote again gives what came of it before.
    """
    known = _taken(order.id, digest(text))
    if known is not None:
        return known
    quote, reason = judged(order, text, choice.at, now)
    row = None if quote is None or reason else _accepted(order, quote, choice, now)
    if row is not None:
        row.quote_digest, row.payment = digest(text), choice.payment
        _start(order, row, choice.by, now)
        return row
    return _refused(order, text, reason or "reused", choice, now)


def judged(order: Order, text: str, at: datetime, now: datetime) -> tuple[Quote | None, str]:
    """The quote in a text that was chosen `at` some moment, and why it covers nothing; ''."""
    try:
        quote = read(text, quote_keys())
    except NotOurs:
        return None, "altered"
    if is_stale(quote, at, now):
        return quote, "stale"
    return quote, difference(quote, bought(order)) or may_be_covered(order)


def may_be_covered(order: Order) -> str:
    """Why cover cannot begin for an order any more, as a code; '' where it can."""
    if order.cancelled_at is not None:
        return "order_cancelled"
    if has_moved(order):
        return "on_its_way"
    active = select(Protection.id).where(
        Protection.order_id == order.id, Protection.status.in_(COVERING)
    )
    return "covered_already" if session.scalar(active.limit(1)) else ""


def has_moved(order: Order) -> bool:
    """Whether a carrier has scanned a parcel of the order: what is on its way can be lost."""
    return any(parcel.status not in NOT_MOVED for parcel in parcels_of(order))


def bought(order: Order) -> Bought:
    """What a quote for this order is held against."""
    return Bought.of(
        order.shop_id,
        order.currency,
        order.address.get("country", ""),
        order.lines,
        order.discount_minor,
    )


def _taken(order_id: str, quote_digest: str) -> Protection | None:
    return session.scalar(
        select(Protection)
        .where(
            Protection.order_id == order_id,
            Protection.quote_digest == quote_digest,
            Protection.status != "refused",
        )
        .limit(1)
    )


def _accepted(order: Order, quote: Quote, choice: Choice, now: datetime) -> Protection | None:
    """A row that uses the quote up; None where another order used it first."""
    id = new_id("prt", now)
    values: dict[str, Any] = {
        "id": id,
        "order_id": order.id,
        "status": "none",
        "channel": choice.channel,
        "quote_id": quote.id,
        "consent": consent(quote, choice.at, choice.channel),
        "created_at": now,
        "version": 1,
        **dict.fromkeys(("reason", "quote_digest", "payment"), ""),
    }
    same = (
        *("plan_version", "currency", "premium_minor", "climate_minor"),
        *("cover_minor", "parcel_minor", "covers_return"),
    )
    values |= {name: getattr(quote, name) for name in same}
    made = insert_new(Protection, [values], ["shop_id", "quote_id"])
    return session.get_one(Protection, id) if made else None


def consent(quote: Quote, at: datetime, channel: str) -> dict[str, Any]:
    """The record of the choice: what was read, when, and that nothing was chosen beforehand."""
    return {
        "text_version": quote.text_version,
        "quoted_at": quote.quoted_at.isoformat(),
        "at": at.isoformat(),
        "choice": "accepted",
        "preselected": False,
        "channel": channel,
    }


def _start(order: Order, row: Protection, by: str, now: datetime) -> None:
    row.move("start", by, premium_minor=row.premium_minor, plan_version=row.plan_version)
    row.started_at = now
    order.cover_minor = row.premium_minor
    session.flush()
    split_units(order)
    paid_by = row.payment or order.payment_reference
    if row.payment:
        cause = f"{row.id}:paid"
        book(order.id, "captured", row.premium_minor, row.currency, cause, now, reference=paid_by)
    book(
        order.id,
        "premium",
        row.premium_minor,
        row.currency,
        f"{row.id}:start",
        now,
        reference=paid_by,
        subject=row.id,
    )


def _refused(order: Order, text: str, reason: str, choice: Choice, now: datetime) -> Protection:
    """Keep the refusal, once for the same text: the newest reason counts."""
    row = session.scalar(
        select(Protection)
        .where(Protection.order_id == order.id, Protection.quote_digest == digest(text))
        .limit(1)
    )
    if row is not None:
        row.reason = reason
        return row
    row = Protection(
        id=new_id("prt", now),
        shop_id=shop_in_scope(),
        order_id=order.id,
        status="none",
        channel=choice.channel,
        quote_digest=digest(text),
        currency=order.currency,
        consent={},
        created_at=now,
        payment="",
        covers_return=False,
        version=1,
        reason=reason,
        **dict.fromkeys(("premium_minor", "climate_minor", "cover_minor", "parcel_minor"), 0),
    )
    session.add(row)
    row.move("refuse", choice.by, why=reason)
    return row
