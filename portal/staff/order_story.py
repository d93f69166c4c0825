"""What happened to an order, from every source, in one order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from portal.db import session
from portal.format import money
from portal.models import AuditEntry, LedgerEntry, Message, Order, Shipment, StoredScan
from portal.models.desk import KINDS

MOST_OF_A_KIND: Final = 200
MAIL_STATES: Final = {"wanted": "to be sent", "sending": "being sent", "dropped": "not sent"}
SIGNS: Final = {"scan": "▪", "mail": "✉", "money": "¤", "act": "•"}
SOURCES: Final = {"scan": "Parcels", "mail": "Mails", "money": "Money", "act": "Acts"}


@dataclass(frozen=True, slots=True)
class Told:
    """One line: when, from which source, what, and a word more."""

    at: datetime
    source: str  # a name in SOURCES
    what: str
    more: str = ""
    url: str = ""

    @property
    def sign(self) -> str:
        """A sign for its source."""
        return SIGNS[self.source]


def story_of(order: Order, subjects: Iterable[str]) -> list[Told]:
    """Everything about an order and what hangs on it, newest first; `subjects` are their ids.

    Of each source the newest two hundred are told.
    """
    parcels = session.scalars(select(Shipment).where(Shipment.order_id == order.id)).all()
    names = {each.id: f"{each.carrier} {each.tracking_number}".strip() for each in parcels}
    told = [
        Told(order.placed_at, "act", "Order placed"),
        *_scans(names),
        *_mails(order.id),
        *_money(order.id),
        *_acts(order.id, [*subjects, *names]),
    ]
    return sorted(told, key=lambda each: each.at, reverse=True)


def _scans(names: dict[str, str]) -> Iterator[Told]:
    wanted = select(
        StoredScan.shipment_id, StoredScan.at, StoredScan.status, StoredScan.detail,
        StoredScan.message, StoredScan.city, StoredScan.region, StoredScan.flag,
    ).where(StoredScan.shipment_id.in_(list(names)))  # fmt: skip
    for row in session.execute(wanted.order_by(StoredScan.at.desc()).limit(MOST_OF_A_KIND)):
        place = ", ".join(part for part in (row.city, row.region) if part)
        said = " · ".join(part for part in (row.message, place, names[row.shipment_id]) if part)
        doubt = f" ({_words(row.flag).lower()})" if row.flag else ""
        yield Told(row.at, "scan", _words(row.status) + doubt, said)


def _mails(order_id: str) -> Iterator[Told]:
    wanted = select(
        Message.kind, Message.channel, Message.recipient, Message.state, Message.subject,
        Message.error, Message.created_at,
    ).where(Message.order_id == order_id)  # fmt: skip
    for row in session.execute(wanted.order_by(Message.created_at.desc()).limit(MOST_OF_A_KIND)):
        what = f"{_words(row.kind)}: {MAIL_STATES.get(row.state, row.state)}"
        more = " · ".join(part for part in (row.recipient, row.subject, row.error) if part)
        yield Told(row.created_at, "mail", what, more)


def _money(order_id: str) -> Iterator[Told]:
    wanted = select(LedgerEntry).where(LedgerEntry.order_id == order_id)
    for row in session.scalars(wanted.order_by(LedgerEntry.id.desc()).limit(MOST_OF_A_KIND)):
        amount = money(row.amount_minor, row.currency, "en")
        yield Told(row.at, "money", f"{_words(row.kind)} {amount}", row.reference)


def _acts(order_id: str, subjects: list[str]) -> Iterator[Told]:
    rooms = {"ret": "returns", "clm": "claims", "wdr": "withdrawals"}
    named = [f"{KINDS[each[:3]]}:{each}" for each in subjects if each[:3] in KINDS]
    wanted = select(
        AuditEntry.at, AuditEntry.who, AuditEntry.act, AuditEntry.subject, AuditEntry.why
    ).where(AuditEntry.subject.in_([f"order:{order_id}", *named]))
    for row in session.execute(wanted.order_by(AuditEntry.id.desc()).limit(MOST_OF_A_KIND)):
        subject = row.subject.partition(":")[2]
        room = rooms.get(subject[:3])
        url = f"/staff/{room}/{subject}" if room else ""
        more = " · ".join(part for part in (f"by {row.who}", row.why) if part)
        yield Told(row.at, "act", _words(row.act.replace(".", " ")), more, url)


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()
