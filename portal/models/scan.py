"""Scans as they are kept: each once, whatever the ways it came in, and never thrown away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from carriers.contract import Scan, Status
from carriers.timeline import FUTURE, OLDER, RESTATED, UNKNOWN, Seen, State, merge
from portal import clock
from portal.db import Base, BigId, insert_new, session
from portal.tenancy import OfShop

FLAGS = (OLDER, RESTATED, FUTURE, UNKNOWN)  # the first that holds is kept
LONGEST = {
    "detail": 60,
    "code": 60,
    "message": 2000,
    "city": 200,
    "region": 120,
    "country": 80,
    "postcode": 40,
    "source": 80,
}


class StoredScan(OfShop, Base):
    """One thing a carrier said about one parcel."""

    __tablename__ = "scan"
    __table_args__ = (
        UniqueConstraint("shipment_id", "key"),
        Index(None, "shipment_id", "at"),
        ForeignKeyConstraint(
            ["shop_id", "shipment_id"], ["shipment.shop_id", "shipment.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shipment_id: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    offset_minutes: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(24))
    detail: Mapped[str] = mapped_column(String(60), default="")
    code: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    city: Mapped[str | None] = mapped_column(String(200))
    region: Mapped[str | None] = mapped_column(String(120))
    country: Mapped[str | None] = mapped_column(String(80))
    postcode: Mapped[str | None] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(80), default="")  # the carrier, as the provider says
    flag: Mapped[str] = mapped_column(
        String(20), default=""
    )  # future unknown older_parcel restated
    via: Mapped[str] = mapped_column(String(10), default="poll")  # poll or hook
    raw: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)


COLUMNS = ("at", "offset_minutes", "status", *LONGEST)


@dataclass
class Told:
    """All scans of one parcel: those kept, and those that an answer adds."""

    shipment_id: str
    kept: dict[str, tuple[Scan, str]]  # by key: the scan and its flag
    scans: tuple[Scan, ...]

    @classmethod
    def of(cls, shipment_id: str) -> Told:
        """What is kept of a parcel, read anew, without the carrier's raw words."""
        columns = [getattr(StoredScan, name) for name in COLUMNS]
        rows = session.execute(
            select(StoredScan.key, StoredScan.flag, *columns).where(
                StoredScan.shipment_id == shipment_id
            )
        )
        kept = {
            key: (_scan(dict(zip(COLUMNS, said, strict=True))), flag) for key, flag, *said in rows
        }
        return cls(shipment_id, kept, tuple(scan for scan, _ in kept.values()))

    def add(self, scans: Iterable[Scan]) -> None:
        """Add what an answer said; of two tellings of one scan the fuller stays."""
        self.scans = merge(self.scans, (_cut(scan) for scan in scans))

    def store(self, state: State, via: str, now: datetime) -> int:
        """Write what is new, fuller or now seen otherwise; how many rows that were."""
        fresh, other = [], 0
        for seen in state.seen:
            key = seen.scan.key()
            row = _row(seen)
            if key not in self.kept:
                given = {"key": key, "via": via, "seen_at": now, "raw": dict(seen.scan.raw)}
                fresh.append({"shipment_id": self.shipment_id, **row, **given})
            elif self.kept[key] != (replace(seen.scan, raw={}), row["flag"]):
                other += 1
                session.execute(
                    update(StoredScan)
                    .where(StoredScan.shipment_id == self.shipment_id, StoredScan.key == key)
                    .values(**row)
                    .execution_options(synchronize_session=False)
                )
        insert_new(StoredScan, fresh, ["shipment_id", "key"])
        return len(fresh) + other


def _scan(said: dict[str, Any]) -> Scan:
    return Scan(**{**said, "status": Status(said["status"])})


def _row(seen: Seen) -> dict[str, Any]:
    row = {name: getattr(seen.scan, name) for name in COLUMNS}
    flag = next((flag for flag in FLAGS if flag in seen.flags), "")
    return {**row, "status": seen.scan.status.value, "flag": flag}


def _cut(scan: Scan) -> Scan:
    """The scan as long as its columns are, so that it has one key in and out of the database."""
    cut = {
        name: said[:most]
        for name, most in LONGEST.items()
        if (said := getattr(scan, name)) and len(said) > most
    }
    return replace(scan, **cut) if cut else scan
