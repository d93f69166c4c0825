"""That an order's pages show something else now: what open pages are told from.

Rows are written by the database itself, in the transaction that raises an order's version
(`portal.migrations.order_change`), so that nobody can forget to. They live for an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, session
from portal.tenancy import OfShop

KEPT = timedelta(hours=1)


class Change(OfShop, Base):
    """An order reached a version. Without a foreign key to it: the row is gone within hours."""

    __tablename__ = "change"
    __table_args__ = ({"sqlite_autoincrement": True},)  # no id is used again, even if all are gone

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=clock.now)


class Changed(NamedTuple):
    """What a change says: an order of a shop, and the version its pages show now."""

    id: int
    shop_id: int
    order_id: str
    version: int

    @classmethod
    def told(cls, words: str) -> Changed:
        """A change as PostgreSQL notifies of it."""
        id, shop_id, order_id, version = words.split(" ")
        return cls(int(id), int(shop_id), order_id, int(version))


def newest_change() -> int:
    """The id of the newest change of any shop; 0 where there is none."""
    return session.scalar(select(func.max(Change.id))) or 0


def changes_after(last: int) -> list[Changed]:
    """What changed after the change `last`, in order.

    Like all here it looks at every shop: pass `portal.db.every_shop` first.
    """
    columns = (Change.id, Change.shop_id, Change.order_id, Change.version)
    rows = session.execute(select(*columns).where(Change.id > last).order_by(Change.id))
    return [Changed(*row) for row in rows]


def forget_changes(now: datetime) -> None:
    """Delete what every open page has been told long ago. Call it in `writing()`."""
    session.execute(delete(Change).where(Change.at < now - KEPT))
