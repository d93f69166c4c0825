"""A shipment: one parcel, what its carrier said about it, and what follows from that."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    delete,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from carriers import schedule
from carriers.contract import FINAL, CarrierError, NotFound, Status, Tracking
from carriers.names import canonical
from carriers.silence import LEAST
from carriers.timeline import State, begins, read
from portal import clock
from portal.db import Base, new_id, session
from portal.models.arrival import foresee, forget_lane, note, noted
from portal.models.asking import Asking, is_over
from portal.models.due import plan_all
from portal.models.event import of_number
from portal.models.heard import (
    carrier_and_service,
    eta_of,
    hear,
    signed_by,
    top_of,
)
from portal.models.message import supersede
from portal.models.order import Order
from portal.models.overlay import next_change, overlays_of
from portal.models.scan import StoredScan, Told
from portal.models.shipment_line import ShipmentLine
from portal.models.trouble import (
    GUESSED,
    Trouble,
    at_first_sight,
    concern_of,
    is_theirs,
    may_pass,
    of_refusal,
    trouble,
)
from portal.tenancy import OfShop

__all__ = ["Shipment", "ShipmentLine", "StoredScan", "key_of"]

IN_TROUBLE = text("problem != ''")
OF_CONCERN = text("concern != ''")
SHOWN = (
    *("status", "detail", "status_since", "delivered_at", "last_scan_at", "eta_date"),
    *("first_eta_date", "carrier_code", "service", "window", "first_window"),
)
PATIENCE = 5  # answers in a row that cannot be used before staff hear of it
ASK_AGAIN = timedelta(days=1)  # after a refusal: it may be theirs to mend


class Shipment(OfShop, Base):
    """One parcel of an order. Its state is always derived from its scans, never set by hand."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("shop_id", "id"),
        Index(None, "shop_id", "order_id"),
        Index(None, "provider_id"),
        Index(None, "shop_id", "number_key"),
        Index(None, "shop_id", "rma_id"),
        Index(
            "ix_shipment_in_trouble",
            "shop_id",
            "problem_since",
            sqlite_where=IN_TROUBLE,
            postgresql_where=IN_TROUBLE,
        ),
        Index(None, "shop_id", "status"),
        Index(
            "ix_shipment_concern",
            *("shop_id", "concern_since", "id"),
            sqlite_where=OF_CONCERN,
            postgresql_where=OF_CONCERN,
        ),
        ForeignKeyConstraint(
            ["shop_id", "order_id"], ["orders.shop_id", "orders.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["shop_id", "rma_id"], ["rma.shop_id", "rma.id"]),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("shp", clock.now())
    )
    order_id: Mapped[str] = mapped_column(String(40))
    rma_id: Mapped[str | None] = mapped_column(String(40))  # of a parcel on its way back
    position: Mapped[int] = mapped_column(default=0)
    carrier: Mapped[str] = mapped_column(String(80), default="")  # as the shop names it
    carrier_code: Mapped[str] = mapped_column(String(80), default="")  # as the provider does, or ""
    service: Mapped[str] = mapped_column(String(120), default="")
    tracking_number: Mapped[str] = mapped_column(String(80), default="")
    number_key: Mapped[str] = mapped_column(String(80), default="")  # upper case, no blanks
    shipped_at: Mapped[datetime | None]

    provider: Mapped[str] = mapped_column(String(20), default="easypost")
    provider_id: Mapped[str | None] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(24), default="unknown")
    detail: Mapped[str] = mapped_column(String(60), default="")
    overlays: Mapped[list[str]] = mapped_column(default=list)
    status_since: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    last_scan_at: Mapped[datetime | None]
    signed_by: Mapped[str] = mapped_column(String(120), default="")
    eta_date: Mapped[date | None]  # the carrier's date, local to the destination
    first_eta_date: Mapped[date | None]  # the carrier's first one
    window: Mapped[dict[str, Any]] = mapped_column(default=dict)  # shown: models/arrival.py
    first_window: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the first one, and `on`
    forecast: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of the shop's own lanes
    handed_on: Mapped[date | None]  # local days: to the carrier, and at its last depot
    near_on: Mapped[date | None]
    origin: Mapped[str] = mapped_column(String(130), default="")  # where it was handed over
    heard: Mapped[dict[str, Any]] = mapped_column(default=dict)  # beside scans: models/heard.py
    watched: Mapped[str] = mapped_column(String(170), default="")  # carrier and number asked about
    failures: Mapped[int] = mapped_column(default=0)  # questions in a row that went wrong

    problem: Mapped[str] = mapped_column(String(60), default="")  # code of what staff must look at
    problem_text: Mapped[str] = mapped_column(Text, default="")
    problem_fix: Mapped[str] = mapped_column(Text, default="")
    problem_since: Mapped[datetime | None]
    concern: Mapped[str] = mapped_column(String(20), default="")  # why staff look at it
    concern_since: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]  # last answer from the carrier, by poll or hook
    polled_at: Mapped[datetime | None]
    polls: Mapped[int] = mapped_column(default=0)
    hooked_at: Mapped[datetime | None]
    doubted_at: Mapped[datetime | None]  # a hook about it may have been lost: models/lost_hooks.py
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    order: Mapped[Order] = relationship()
    lines: Mapped[list[ShipmentLine]] = relationship(cascade="all, delete-orphan")

    @staticmethod
    def locked(shipment_id: str) -> Shipment | None:
        """The parcel and its order, for this transaction alone; None where there is no such one.

        The order is locked first, as everybody does, so that nobody waits in a circle.
        """
        order = session.scalar(
            select(Order)
            .join(Shipment, Shipment.order_id == Order.id)
            .where(Shipment.id == shipment_id)
            .with_for_update(of=Order)
            .execution_options(populate_existing=True)
        )
        if order is None:
            return None
        return session.scalar(
            select(Shipment)
            .where(Shipment.id == shipment_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def watch(self, now: datetime) -> None:
        """Follow the parcel from now on: ask soon, and say at once what looks wrong.

        Call it after the carrier or the number was set or corrected; with another number than
        before, what was told of the old one is forgotten.
        """
        found = canonical(self.carrier)
        self.number_key = key_of(self.tracking_number)
        watched = f"{found.code if found else self.carrier}:{self.number_key}"
        if watched == self.watched:
            return
        if self.watched:
            self._forget()
        self.watched = watched
        self.carrier_code = found.code if found else ""
        self._troubled(at_first_sight(self.carrier, self.number_key), now)
        foresee(self, (), now)
        session.flush()
        if self.first_window:
            note(self)
        if not self.number_key:
            return
        work = [
            ("poll", self.id, self.shop_id, now),
            ("quiet", self.id, self.shop_id, now + LEAST),
        ]
        for event in of_number(self.number_key, self.shop_id, now):
            event.state = "received"
            work.append(("apply", str(event.id), self.shop_id, now))
        plan_all(work)

    def _forget(self) -> None:
        """Start again: what was told belongs to another parcel, and so does what waits unsent."""
        supersede(self.id)
        session.execute(delete(StoredScan).where(StoredScan.shipment_id == self.id))
        self.provider_id = self.status_since = self.delivered_at = self.last_scan_at = None
        self.eta_date = self.first_eta_date = self.checked_at = self.polled_at = None
        self.hooked_at = self.doubted_at = None
        self.status, self.detail, self.signed_by = Status.UNKNOWN.value, "", ""
        self.overlays, self.heard, self.failures, self.polls = [], {}, 0, 0
        forget_lane(self)
        self._changed(clock.now())

    @property
    def asked_as(self) -> str | None:
        """The carrier's name for a question; None lets the provider find it by the number."""
        return self.carrier_code or self.carrier or None

    def record(self, tracking: Tracking, via: str, now: datetime) -> bool:
        """Take in one answer, by `poll` or `hook`, in any order and as often as it comes.

        True when something that a page shows is different. It plans the next look that time alone
        will need, and for a hook the next question.
        Call it inside `writing()` on a parcel that `locked` gave, through `observe`, which also
        plans the messages that the change causes.
        """
        self.heard = hear(self.heard, tracking, self.order.timezone)
        told = Told.of(self.id)
        told.add(tracking.scans)
        changed = self._reread(told, via, now)
        self._answered(tracking, via, now)
        looks = {"quiet": next_change(self, now) if changed else None}
        if via == "hook":
            looks["poll"] = Asking.at_present(now).after_hook(now).next_poll(self, now)
        plan_all([(queue, self.id, self.shop_id, at) for queue, at in looks.items() if at])
        return changed

    def reread(self, now: datetime) -> bool:
        """Derive the state anew because time has passed; True when a page shows something else."""
        return self._reread(Told.of(self.id), "", now)

    def _reread(self, told: Told, via: str, now: datetime) -> bool:
        before, lane = self._shown(), noted(self)
        state = read(
            told.scans,
            now=now,
            top=top_of(self.heard, self.number_key),
            not_before=begins(self.shipped_at or self.order.placed_at),
        )
        fresh = told.store(state, via, now)
        self._derive(state, now)
        if noted(self) != lane:
            note(self)
        if not fresh and self._shown() == before:
            return False
        self._changed(now)
        self.order.settle_status()
        return True

    def _derive(self, state: State, now: datetime) -> None:
        """Set everything that follows from what was told, and nothing else."""
        status, since = state.status, state.since
        heard_at = max(self.created_at, state.last_scan_at or self.created_at)
        if status not in FINAL and now - heard_at >= schedule.GIVES_UP:
            status, since = Status.EXPIRED, heard_at + schedule.GIVES_UP
        self.status, self.detail, self.status_since = status.value, state.detail[:60], since
        self.delivered_at, self.last_scan_at = state.delivered_at, state.last_scan_at
        self.signed_by = signed_by(self.heard, status)
        self.eta_date, self.first_eta_date = eta_of(self.heard, status)
        carrier, service = carrier_and_service(self.heard)
        self.carrier_code = carrier or self.carrier_code
        self.service = self.service or service
        foresee(self, state.seen, now)
        self.overlays = overlays_of(self, now)
        self._weigh(now)

    def _weigh(self, now: datetime) -> None:
        """Say why staff look at it, if they should."""
        concern = concern_of(self.problem or "", self.status or "", self.overlays or ())
        if concern != self.concern:
            self.concern, self.concern_since = concern, now if concern else None

    def _answered(self, tracking: Tracking, via: str, now: datetime) -> None:
        """An answer came: nothing is wrong with asking any more."""
        self.provider_id = self.provider_id or tracking.provider_id
        self.checked_at, self.failures = now, 0
        if via == "hook":
            self.hooked_at = now
        else:
            self.polled_at, self.polls = now, self.polls + 1
        if tracking.status is Status.UNKNOWN and tracking.detail == "error":
            text = "The provider cannot follow this parcel."
            self._troubled(trouble("refused", text), now)
        elif tracking.scans or self.problem not in GUESSED:
            self._troubled(None, now)

    def refused(self, error: CarrierError, now: datetime, asking: Asking) -> datetime | None:
        """Note that asking failed, for staff where they can mend it; when to ask again."""
        self.failures += 1
        self.polled_at = now
        wait = timedelta(seconds=error.retry_after) if error.retry_after else None
        if is_theirs(error):
            return asking.next_poll(self, now, wait)
        if isinstance(error, NotFound) and self.provider_id:
            self.provider_id = None  # the provider forgot its tracker: open another
            return asking.next_poll(self, now)
        if may_pass(error) and self.failures < PATIENCE:
            return asking.next_poll(self, now)
        self._troubled(of_refusal(error, self.carrier, self.number_key), now)
        return None if is_over(self, now) else now + ASK_AGAIN

    def stuck(self, now: datetime) -> None:
        """Following this parcel failed too often in a way of our own; staff must look at it."""
        text = "Following this parcel failed several times in a row, so we stopped asking."
        self._troubled(trouble("stuck", text), now)

    def _troubled(self, found: Trouble | None, now: datetime) -> None:
        code = found.code if found else ""
        if code != self.problem:
            self.problem_since = now if found else None
        self.problem = code
        self.problem_text = found.text if found else ""
        self.problem_fix = found.fix if found else ""
        self._weigh(now)

    def _shown(self) -> tuple[object, ...]:
        """What a page shows of the parcel itself."""
        return (tuple(self.overlays), *(getattr(self, name) for name in SHOWN))

    def _changed(self, now: datetime) -> None:
        self.version += 1
        self.order.version += 1
        self.order.updated_at = now


def key_of(number: str) -> str:
    """A tracking number as it is compared: capitals and digits alone."""
    return "".join(c for c in number.upper() if c.isalnum())[:80]
