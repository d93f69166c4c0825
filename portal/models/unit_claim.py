"""A unit has one claim on it: over returns, exchanges and protection claims alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    delete,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_new, session
from portal.models.change import Conflict
from portal.tenancy import OfShop


class UnitClaim(OfShop, Base):
    """Who holds a unit. The row goes when the holder lets go of it; a unit paid for stays held."""

    __tablename__ = "unit_claim"
    __table_args__ = (
        UniqueConstraint("shop_id", "unit_id"),
        Index(None, "shop_id", "holder"),
        # No cascade: a unit that is held cannot be taken out of its order.
        ForeignKeyConstraint(["shop_id", "unit_id"], ["unit.shop_id", "unit.id"]),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str] = mapped_column(String(40))  # ret_… or clm_…
    claimed_at: Mapped[datetime] = mapped_column(default=clock.now)


def claim_units(unit_ids: Iterable[int], holder: str, now: datetime) -> None:
    """Take these units for a return or a claim; what it holds already stays its own.

    Raises Conflict, and takes none, if another one holds any of them: one statement and the unique
    key decide, whatever else happens at the same moment.
    """
    ids = list(unit_ids)
    rows = [{"unit_id": id, "holder": holder, "claimed_at": now} for id in ids]
    taken = insert_new(UnitClaim, rows, ["shop_id", "unit_id"])
    if len(taken) != len(rows) and held_by_others(ids, holder):
        raise Conflict(
            "Something of this is in another return or claim already. Nothing was changed."
        )


def held_by_others(unit_ids: Iterable[int], holder: str) -> bool:
    """Whether somebody else holds any of these units."""
    wanted = select(UnitClaim.id).where(
        UnitClaim.unit_id.in_(list(unit_ids)), UnitClaim.holder != holder
    )
    return session.scalar(wanted.limit(1)) is not None


def release_units(unit_ids: Iterable[int], holder: str) -> None:
    """Let go of those of these units that the holder holds."""
    session.execute(
        delete(UnitClaim).where(UnitClaim.unit_id.in_(list(unit_ids)), UnitClaim.holder == holder)
    )


def held_units(unit_ids: Iterable[int]) -> set[int]:
    """Those of these units that somebody holds."""
    ids = list(unit_ids)
    if not ids:
        return set()
    return set(session.scalars(select(UnitClaim.unit_id).where(UnitClaim.unit_id.in_(ids))))
