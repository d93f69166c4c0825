"""Outgoing webhooks: whom a shop's systems are told through, what happened, what became of it.

What is told is read off the audit trail and the orders' versions by a job, so that nothing that
writes has to think of it. An event holds no copy of its thing: the body is made when it is sent.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_new, new_id, session
from portal.keys import seal, unseal
from portal.models.audit import AuditEntry, record
from portal.models.due import plan_all
from portal.models.order_change import Change
from portal.tenancy import OfShop, shop_in_scope

RETURN_STATES: Final = (
    *("requested", "approved", "declined", "shipped", "arrived", "checked", "settled"),
    *("cancelled", "expired"),
)
CLAIM_STATES: Final = ("waiting", "open", "needs_info", "approved", "declined", "paid", "cancelled")
# Of a thing that reached a state, and of the few things that are no state.
TYPES: Final = (
    *("order.created", "order.updated"),
    *(f"return.{state}" for state in RETURN_STATES),
    *("refund.done", "refund.failed"),
    *("claim.made", *(f"claim.{state}" for state in CLAIM_STATES)),
    *("webhook.test",),
)
EVERYTHING: Final = "*"
MOST_ENDPOINTS: Final = 20  # of a shop
OLD_SECRET: Final = timedelta(hours=24)  # how long both sign after a change
# Who took nothing for so long is told nothing more, until somebody enables it.
GIVEN_UP_AFTER: Final = timedelta(days=3)
KEPT: Final = timedelta(days=30)  # how long an event can be sent again
# Between attempts, as the Standard Webhooks specification proposes: three days in all.
WAITS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)


class WebhookEndpoint(OfShop, Base):
    """An address of the shop's that is told; `status` is enabled or disabled."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (UniqueConstraint("shop_id", "id"), Index(None, "status"))

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("whe", clock.now())
    )
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(default=list)
    description: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[str] = mapped_column(String(12), default="enabled")
    problem: Mapped[str] = mapped_column(Text, default="")  # why it was disabled, in words
    secret_sealed: Mapped[str] = mapped_column(Text)
    old_sealed: Mapped[str] = mapped_column(Text, default="")
    old_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]  # the first failure since the last success
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    def renew_secret(self, now: datetime) -> str:
        """A new secret; the one before signs beside it for a day. Shown once."""
        secret = new_secret()
        if self.secret_sealed:
            self.old_sealed, self.old_until = self.secret_sealed, now + OLD_SECRET
        self.secret_sealed = seal(secret)
        return secret

    def secrets(self, now: datetime) -> list[str]:
        """The secrets that sign now, the newest first. Raises Unsealable."""
        old = [self.old_sealed] if self.old_until and now < self.old_until else []
        return [unseal(each) for each in (self.secret_sealed, *old)]

    def wants(self, type: str) -> bool:
        """Whether it is told of such events."""
        return EVERYTHING in self.events or type in self.events or type == "webhook.test"

    def disable(self, problem: str, by: str) -> None:
        """Tell it nothing more until somebody enables it again."""
        self.status, self.problem = "disabled", problem
        record(by, "webhook.disabled", f"webhook:{self.id}", why=problem)


class WebhookEvent(OfShop, Base):
    """Something that happened, once: `key` says what in words that no two share."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        UniqueConstraint("shop_id", "key"),
        Index(None, "shop_id", "at"),
        Index(None, "at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(80))
    type: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))  # ord_…, ret_…, clm_… or whe_…
    at: Mapped[datetime]


class WebhookDelivery(OfShop, Base):
    """An event on its way to an endpoint. `status`: wanted, done or failed."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("shop_id", "endpoint_id", "event_id"),
        Index(None, "event_id"),
        ForeignKeyConstraint(
            ["shop_id", "endpoint_id"],
            ["webhook_endpoint.shop_id", "webhook_endpoint.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["shop_id", "event_id"],
            ["webhook_event.shop_id", "webhook_event.id"],
            ondelete="CASCADE",
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(String(40))
    event_id: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(8), default="wanted")
    attempts: Mapped[int] = mapped_column(default=0)
    answer: Mapped[int | None]  # the last HTTP status; None where there was none
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None]


class WebhookPlace(OfShop, Base):
    """Up to where a shop's trail was read.

    Some rows before it are read again each time: a transaction that began earlier may end later.
    """

    __tablename__ = "webhook_place"
    __table_args__ = (UniqueConstraint("shop_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    audit_id: Mapped[int] = mapped_column(BigInteger, default=0)
    change_id: Mapped[int] = mapped_column(BigInteger, default=0)


def new_secret() -> str:
    """A secret as the Standard Webhooks form writes it: `whsec_` and 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def add_endpoint(
    url: str, events: Sequence[str], description: str, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, told of what happens from now on, and its secret, which is shown once."""
    made = WebhookEndpoint(url=url, events=list(events), description=description)
    made.secret_sealed, made.created_at = "", now
    secret = made.renew_secret(now)
    session.add(made)
    if session.scalar(select(WebhookPlace.id)) is None:
        newest = (func.max(AuditEntry.id), func.max(Change.id))
        audit_id, change_id = (session.scalar(select(each)) or 0 for each in newest)
        session.add(WebhookPlace(audit_id=audit_id, change_id=change_id))
    session.flush()
    return made, secret


def add_events(found: Iterable[tuple[str, str, str, datetime]], now: datetime) -> int:
    """Write events that are new, each (key, type, subject, when), and plan who is told."""
    rows: list[dict[str, Any]] = [
        {"id": new_id("evt", now), "key": key, "type": type, "subject": subject, "at": at}
        for key, type, subject, at in found
    ]
    new = set(insert_new(WebhookEvent, rows, ["shop_id", "key"]))
    fresh = [row for row in rows if row["id"] in new]
    enabled = session.scalars(
        select(WebhookEndpoint).where(WebhookEndpoint.status == "enabled")
    ).all()
    tell([(each, row["id"]) for each in enabled for row in fresh if _told(each, row)], now)
    return len(fresh)


def _told(endpoint: WebhookEndpoint, event: dict[str, Any]) -> bool:
    return endpoint.wants(event["type"]) and event["at"] >= endpoint.created_at


def tell(pairs: Iterable[tuple[WebhookEndpoint, str]], now: datetime) -> int:
    """Plan deliveries, each of an event to an endpoint; one that stands already is not doubled."""
    rows = [
        {"id": new_id("whd", now), "endpoint_id": endpoint.id, "event_id": event_id, "attempts": 0}
        | {"status": "wanted", "problem": "", "created_at": now}
        for endpoint, event_id in pairs
    ]
    new = insert_new(WebhookDelivery, rows, ["shop_id", "endpoint_id", "event_id"])
    plan_all([("deliver", id, shop_in_scope(), now) for id in new])
    return len(new)


def tell_again(delivery: WebhookDelivery, now: datetime) -> None:
    """Send an event once more, from the first wait on."""
    delivery.status, delivery.attempts, delivery.problem = "wanted", 0, ""
    plan_all([("deliver", delivery.id, delivery.shop_id, now)])


def forget_told(now: datetime) -> None:
    """Delete what is too old to be sent again. Call it in `every_shop()` and `writing()`."""
    session.execute(delete(WebhookEvent).where(WebhookEvent.at < now - KEPT))
