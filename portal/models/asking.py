"""When a parcel is asked about: its own facts, the shop's hooks and habits, and the one knob."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from carriers import schedule
from carriers.contract import FINAL, Status
from carriers.pace import Pace
from carriers.schedule import Hooks
from portal.db import session
from portal.keys import settings
from portal.models.habit import Habit, pace_of
from portal.models.heard import zone_of
from portal.models.pulse import Pulse, heard, hooks_in
from portal.models.shop import Shop
from portal.tenancy import shop_in_scope

if TYPE_CHECKING:  # a shipment plans its questions: it imports us
    from portal.models.shipment import Shipment


@dataclass(frozen=True)
class Asking:
    """How the parcels of a shop are asked about at present."""

    hooks: Hooks
    pace: Pace

    @classmethod
    def at_present(cls, now: datetime) -> Asking:
        """Of the shop in scope; one statement."""
        row = session.execute(
            select(Habit.digest, Pulse.came_at, Pulse.heard_at, Pulse.missed_at, Pulse.lost)
            .select_from(Shop)
            .outerjoin(Habit, Habit.shop_id == Shop.id)
            .outerjoin(Pulse, Pulse.shop_id == Shop.id)
            .where(Shop.id == shop_in_scope())
        ).one()
        pace = pace_of(row.digest, settings().poll_effort)
        return cls(hooks_in(row, now), pace)

    def after_hook(self, now: datetime) -> Asking:
        """The same, now that a hook came. Call it inside `writing()`."""
        heard(now, self.hooks.heard_at, was_missing=self.hooks.are_missing(now))
        return Asking(Hooks(now, self.hooks.missed_at), self.pace)

    def next_poll(
        self, shipment: Shipment, now: datetime, retry_after: timedelta | None = None
    ) -> datetime | None:
        """When to look next whether to ask about a parcel; None for never again."""
        facts = facts_of(shipment)
        return schedule.next_poll(
            facts, now, hooks=self.hooks, pace=self.pace, retry_after=retry_after
        )

    def due_at(self, shipment: Shipment, now: datetime) -> datetime | None:
        """When the next question is due, asked at a time that was planned for one."""
        if shipment.failures and not is_over(shipment, now):
            return now
        return self.next_poll(shipment, now)


def facts_of(shipment: Any) -> schedule.Parcel:
    """What the schedule reads of a parcel; a hook that may have been lost undoes its answer."""
    answers = [at for at in (shipment.polled_at, shipment.hooked_at) if at is not None]
    asked_at = max(answers, default=None)
    doubted = shipment.doubted_at
    return schedule.Parcel(
        Status(shipment.status),
        created_at=shipment.created_at,
        last_scan_at=shipment.last_scan_at,
        asked_at=None if doubted and asked_at and doubted > asked_at else asked_at,
        failures=shipment.failures,
        zone=zone_of(shipment.order.timezone),
        seed=shipment.id,
    )


def is_over(shipment: Shipment, now: datetime) -> bool:
    """Whether nobody asks about it any more."""
    return Status(shipment.status) in FINAL or schedule.is_expired(
        now=now, created_at=shipment.created_at, last_scan_at=shipment.last_scan_at
    )
