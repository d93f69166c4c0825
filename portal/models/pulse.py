"""Whether a shop's hooks arrive: one row a shop, and the look at it when none came for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from carriers.schedule import FORGOTTEN, QUIET, Hooks
from portal.db import Base, insert_into, session
from portal.models.due import plan
from portal.tenancy import OfShop, shop_in_scope

OFTEN_ENOUGH: Final = timedelta(minutes=1)  # between two notes that a hook came


class Pulse(OfShop, Base):
    """What is known of the hooks of one shop."""

    __tablename__ = "pulse"
    __table_args__ = (UniqueConstraint("shop_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    came_at: Mapped[datetime]  # the last one
    heard_at: Mapped[datetime]  # sure that they arrive: one did, or nothing else had been sent
    missed_at: Mapped[datetime | None]  # several in a row had not
    looked_until: Mapped[datetime | None]  # of what was sent before, it is known whether it came
    lost: Mapped[int] = mapped_column(default=0)  # since the last one that came

    @staticmethod
    def locked() -> Pulse | None:
        """The row of the shop in scope, for this transaction alone."""
        return session.scalar(
            select(Pulse).with_for_update().execution_options(populate_existing=True)
        )


def hooks_in(row: Any, now: datetime) -> Hooks:
    """As the schedule reads a pulse, or a row with its columns, None for what is not there.

    Where hooks are sent and none came for days, somebody has switched them off: there are none.
    """
    if row.came_at is None or (row.lost and now - row.came_at >= FORGOTTEN):
        return Hooks()
    return Hooks(row.heard_at, row.missed_at)


def heard(now: datetime, last: datetime | None, *, was_missing: bool) -> None:
    """A hook came, the one before it at `last`. Call it inside `writing()`, inside the shop.

    It is written down once a minute, as every hook would else wait for the same row.
    """
    if last is not None and not was_missing and now - last < OFTEN_ENOUGH:
        return
    shop_id = shop_in_scope()
    insert = insert_into(Pulse)
    row = {"came_at": now, "heard_at": now, "lost": 0}
    news = {name: insert.excluded[name] for name in row}
    session.execute(
        insert.on_conflict_do_update(index_elements=["shop_id"], set_=news),
        [{"shop_id": shop_id, **row}],
    )
    plan("pulse", f"shop:{shop_id}", shop_id, now + QUIET)
