"""A shop's parcels from hand-over to delivery, and what was learned from those that arrived."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    case,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from carriers.lanes import Journey, Lanes
from portal import clock
from portal.db import Base, db, insert_into, session
from portal.tenancy import OfShop, shop_in_scope

MOST: Final = 20_000  # of a shop's newest finished parcels are learned from
AT_ONCE: Final = 1_000  # read at a time
FACTS: Final = (
    *("origin", "country", "region", "area", "carrier", "service"),
    *("handed_on", "near_on", "promised", "delivered_on", "delivered_at"),
)
JOURNEY: Final = FACTS[:-1]
SHOWN: Final = ("shown_first", "shown_last", "shown_basis", "shown_parcels", "shown_on")


class LaneParcel(OfShop, Base):
    """One parcel on its lane: when it was handed over, what was first shown, when it came.

    Dates are local: `handed_on` to where that was, all others to the destination.
    """

    __tablename__ = "lane_parcel"
    __table_args__ = (
        Index(None, "shop_id", "delivered_at", "shipment_id"),
        Index(None, "shop_id", "shown_last"),
        ForeignKeyConstraint(
            ["shop_id", "shipment_id"], ["shipment.shop_id", "shipment.id"], ondelete="CASCADE"
        ),
    )

    shipment_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    origin: Mapped[str] = mapped_column(String(130), default="")
    country: Mapped[str] = mapped_column(String(2), default="")  # of the destination
    region: Mapped[str] = mapped_column(String(120), default="")
    area: Mapped[str] = mapped_column(String(3), default="")  # the postcode's beginning
    carrier: Mapped[str] = mapped_column(String(80), default="")
    service: Mapped[str] = mapped_column(String(120), default="")
    handed_on: Mapped[date | None] = mapped_column(Date)
    near_on: Mapped[date | None] = mapped_column(Date)  # at the depot of its destination
    promised: Mapped[date | None] = mapped_column(Date)  # the carrier's first date
    delivered_on: Mapped[date | None] = mapped_column(Date)
    delivered_at: Mapped[datetime | None]
    shown_first: Mapped[date | None] = mapped_column(Date)
    shown_last: Mapped[date | None] = mapped_column(Date)
    shown_basis: Mapped[str] = mapped_column(String(12), default="")
    shown_parcels: Mapped[int] = mapped_column(default=0)
    shown_on: Mapped[date | None] = mapped_column(Date)


class LaneBook(OfShop, Base):
    """What a shop's finished parcels taught, one row a shop, replaced as a whole."""

    __tablename__ = "lane_book"
    __table_args__ = (UniqueConstraint("shop_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)  # carriers.lanes.Lanes as JSON
    parcels: Mapped[int] = mapped_column(default=0)
    built_at: Mapped[datetime] = mapped_column(default=clock.now)


def note_parcels(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> None:
    """Write these parcels' lanes; of those that are known only `fields` change.

    Rows carry `shipment_id`, all of `FACTS`, and `SHOWN` where something was shown.
    """
    if not rows:
        return
    empty = dict.fromkeys(SHOWN) | {"shown_basis": "", "shown_parcels": 0}
    stamped = [{"shop_id": shop_in_scope(), **empty, **row} for row in rows]
    session.execute(_noting(db.engine.dialect.name, tuple(fields)), stamped)


@lru_cache(maxsize=8)
def _noting(_dialect: str, fields: tuple[str, ...]) -> Any:
    """The statement that notes a parcel: building it costs more than sending it."""
    insert = insert_into(LaneParcel)
    changed = {name: insert.excluded[name] for name in fields}
    return insert.on_conflict_do_update(index_elements=["shipment_id"], set_=changed)


def learn() -> tuple[Lanes, int]:
    """What the newest finished parcels of the shop in scope teach, and how many they are."""
    finished = (LaneParcel.delivered_at.is_not(None), LaneParcel.handed_on.is_not(None))
    done = select(LaneParcel.delivered_at).where(*finished).order_by(LaneParcel.delivered_at.desc())
    since = session.scalar(done.offset(MOST - 1).limit(1))
    newest: ColumnElement[bool] = true() if since is None else LaneParcel.delivered_at >= since
    rows = session.execute(
        select(*(getattr(LaneParcel, name) for name in JOURNEY))
        .where(*finished, newest)
        .order_by(LaneParcel.delivered_at, LaneParcel.shipment_id)
        .execution_options(yield_per=AT_ONCE)
    )
    lanes, parcels = Lanes(), 0
    for row in rows:
        lanes.learn(Journey(**row._mapping))
        parcels += 1
    return lanes, parcels


def keep(lanes: Lanes, parcels: int, now: datetime) -> None:
    """Replace what the shop in scope has learned. Call it inside `writing()`."""
    text = json.dumps(lanes.to_json(), sort_keys=True, separators=(",", ":"))
    row = {
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "text": text,
        "parcels": parcels,
        "built_at": now,
    }
    insert = insert_into(LaneBook).on_conflict_do_update(index_elements=["shop_id"], set_=row)
    session.execute(insert, [{"shop_id": shop_in_scope(), **row}])


def lanes_in_force() -> Lanes | None:
    """What the shop in scope has learned; None before its first parcels were."""
    digest = session.scalar(select(LaneBook.digest))
    return _lanes(digest) if digest else None


@lru_cache(maxsize=16)
def _lanes(digest: str) -> Lanes:
    """Kept by its content: the same learning is read once a process."""
    return Lanes.from_json(json.loads(session.scalars(select(LaneBook.text)).one()))


def held_between(first: date, last: date) -> dict[str, int]:
    """Of the windows first shown that ended in these days: how many came when.

    A parcel that has not come is late.
    """
    late = or_(LaneParcel.delivered_on.is_(None), LaneParcel.delivered_on > LaneParcel.shown_last)
    early = and_(
        LaneParcel.delivered_on.is_not(None), LaneParcel.delivered_on < LaneParcel.shown_first
    )
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((early, 1), else_=0)), 0),
            func.coalesce(func.sum(case((late, 1), else_=0)), 0),
        ).where(
            LaneParcel.shown_last >= first,
            LaneParcel.shown_last <= last,
            # Of a parcel that came to us after its delivery nothing was shown in time.
            or_(
                LaneParcel.delivered_on.is_(None),
                LaneParcel.delivered_on >= LaneParcel.shown_on,
            ),
        )
    ).one()
    shown, early_ones, late_ones = (int(count) for count in row)
    return {"shown": shown, "early": early_ones, "late": late_ones}
