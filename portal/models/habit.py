"""What a shop's own scans taught: when news comes, and which silences are usual on its lanes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from carriers.contract import Status
from carriers.pace import Pace, Waits
from carriers.silence import Gaps, Lane, Usual, kept, read_kept, working_time
from carriers.workdays import EVERY_DAY, Workdays, weekend_of
from portal import clock
from portal.db import Base, insert_into, session
from portal.models.arrival_terms import carrier_key, place_of
from portal.models.heard import zone_of
from portal.models.scan import StoredScan
from portal.models.shop import Shop
from portal.tenancy import OfShop, shop_in_scope

MOST: Final = 20_000  # of a shop's newest parcels are learned from
AT_ONCE: Final = 500  # parcels read at a time
RECENT: Final = timedelta(days=180)  # older ones tell of another season


class Habit(OfShop, Base):
    """What was learned, one row a shop, replaced as a whole."""

    __tablename__ = "habit"
    __table_args__ = (UniqueConstraint("shop_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)  # {"waits": …, "usual": …} as JSON
    parcels: Mapped[int] = mapped_column(default=0)
    learned_at: Mapped[datetime] = mapped_column(default=clock.now)


@dataclass(frozen=True)
class Learned:
    """A shop's habits as they are used."""

    waits: Waits | None = None
    usual: dict[str, Usual] = field(default_factory=dict)


@dataclass
class Lesson:
    """What is being learned, a page of parcels at a time, within bounded memory."""

    home: str  # the shop's country
    waits: Waits = field(default_factory=Waits)
    gaps: Gaps = field(default_factory=Gaps)

    def take_in(self, parcels: Any, now: datetime) -> None:
        """Learn from these rows of id, carrier, dates and order, with all their scans."""
        scans: dict[str, list[tuple[datetime, Status]]] = {row.id: [] for row in parcels}
        told = (
            select(StoredScan.shipment_id, StoredScan.at, StoredScan.status)
            .where(StoredScan.shipment_id.in_(scans), StoredScan.flag == "")
            .order_by(StoredScan.at, StoredScan.id)
        )
        for shipment_id, at, status in session.execute(told):
            scans[shipment_id].append((at, Status(status)))
        for row in parcels:
            self._learn(row, scans[row.id], now)

    def _learn(self, row: Any, scans: list[tuple[datetime, Status]], now: datetime) -> None:
        begun = max(row.created_at, row.shipped_at or row.created_at)
        if not scans or scans[0][0] > begun:
            scans = [(begun, Status.UNKNOWN), *scans]
        zone, days = zone_of(row.timezone), workdays_of(row)
        self.waits.learn(scans, zone, now)
        lane = lane_of(row, row, self.home)
        for (at, status), (then, _) in pairwise(scans):
            self.gaps.learn(lane, status, working_time(at, then, zone, days))


def lane_of(parcel: Any, order: Any, home: str) -> Lane:
    """The lane of a parcel, as silences are learned; `home` is the shop's country."""
    country = place_of(order).country
    carrier = carrier_key(parcel.carrier_code or parcel.carrier)
    return Lane(carrier, country, bool(country) and country != home)


def workdays_of(order: Any) -> Workdays:
    """The days on which carriers move parcels where an order goes."""
    place = place_of(order)
    return Workdays(EVERY_DAY - weekend_of(place.country), (place,))


def lesson() -> Lesson:
    """An empty one for the shop in scope."""
    return Lesson(session.scalars(select(Shop.country).where(Shop.id == shop_in_scope())).one())


def keep(lesson: Lesson, now: datetime) -> None:
    """Replace what the shop in scope has learned. Call it inside `writing()`."""
    learned = {"waits": lesson.waits.kept(), "usual": kept(lesson.gaps.usual())}
    text = json.dumps(learned, sort_keys=True, separators=(",", ":"))
    row = {
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "text": text,
        "parcels": lesson.waits.parcels,
        "learned_at": now,
    }
    insert = insert_into(Habit)
    replaced = {name: insert.excluded[name] for name in row}
    session.execute(
        insert.on_conflict_do_update(index_elements=["shop_id"], set_=replaced),
        [{"shop_id": shop_in_scope(), **row}],
    )


def habits_in_force() -> Learned:
    """What the shop in scope has learned; nothing before its first parcels were."""
    return of_digest(session.scalar(select(Habit.digest)))


def of_digest(digest: str | None) -> Learned:
    """The habits with that digest, read once a process."""
    return _learned(digest) if digest else Learned()


@lru_cache(maxsize=16)
def pace_of(digest: str | None, effort: float) -> Pace:
    """How often to ask with these habits and that effort, worked out once a process."""
    return Pace(of_digest(digest).waits, effort)


@lru_cache(maxsize=16)
def _learned(digest: str) -> Learned:
    found = json.loads(session.scalars(select(Habit.text).where(Habit.digest == digest)).one())
    return Learned(Waits.of(found["waits"]), read_kept(found["usual"]))
