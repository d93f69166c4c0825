"""Working at the queue together: who has an item, until when it rests, who is looking at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    delete,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.db import Base, BigId, insert_into, new_id, session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.staff import Staff
from portal.sources.sentences import wrong
from portal.tenancy import OfShop, shop_in_scope

SEEN_FOR: Final = timedelta(seconds=45)  # pages say they are open three times as often
LONGEST_REST: Final = timedelta(days=90)
MOST_VIEWS: Final = 20  # a person's own; as many are shared
KINDS: Final = {"ret": "return", "clm": "claim", "wdr": "withdrawal", "shp": "shipment"}


class DeskMark(OfShop, Base):
    """What staff agreed among themselves about one item of the queue; the item knows nothing of it.

    `subject` is the id of a return, a claim, a withdrawal or a shipment.
    """

    __tablename__ = "desk_mark"
    __table_args__ = (
        UniqueConstraint("shop_id", "subject"),
        Index(None, "shop_id", "assignee_id"),
        Index(None, "shop_id", "rests_until"),
        Index(None, "shop_id", "done_at"),
        ForeignKeyConstraint(["shop_id", "assignee_id"], ["staff.shop_id", "staff.id"]),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject: Mapped[str] = mapped_column(String(40))
    assignee_id: Mapped[int | None] = mapped_column(BigInteger)
    rests_until: Mapped[datetime | None]  # then it is back by itself
    done_at: Mapped[datetime | None]  # a parcel's trouble up to here was seen to

    @staticmethod
    def of(subjects: Iterable[str]) -> dict[str, DeskMark]:
        """What is agreed about these items."""
        rows = session.scalars(select(DeskMark).where(DeskMark.subject.in_(list(subjects))))
        return {row.subject: row for row in rows}

    @staticmethod
    def changed(subjects: Sequence[str], values: dict[str, Any]) -> None:
        """Set columns of the marks of these items, made where there are none."""
        rows = [{"subject": subject, **values} for subject in subjects]
        _put(DeskMark, rows, ["subject"], list(values))


def assign(subjects: Sequence[str], staff_id: int | None, by: str) -> None:
    """Give items to a colleague, or to nobody. Raises Conflict for who does not work here."""
    who = ""
    if staff_id is not None:
        staff = session.get(Staff, staff_id)
        if staff is None or not staff.active:
            raise Conflict("Nobody like that works here any more. Nothing was changed.")
        who = staff.shown_name
    DeskMark.changed(subjects, {"assignee_id": staff_id})
    for subject in subjects:
        record(by, "desk.assigned", named(subject), after={"to": who})


def rest(subjects: Sequence[str], until: datetime | None, by: str, now: datetime) -> None:
    """Take items out of the queue until a moment, or back into it at once with None.

    Raises Invalid for a moment that is over, or more than ninety days ahead.
    """
    if until is not None and not now < until <= now + LONGEST_REST:
        raise wrong("until", "Choose a day from tomorrow on, at most 90 days ahead.")
    DeskMark.changed(subjects, {"rests_until": until})
    after = {"until": until.isoformat() if until else None}
    for subject in subjects:
        record(by, "desk.snoozed" if until else "desk.woken", named(subject), after=after)


def see_to(shipment_ids: Sequence[str], by: str, now: datetime) -> None:
    """A parcel's trouble was seen to: it leaves the queue until there is news of more."""
    DeskMark.changed(shipment_ids, {"done_at": now})
    for shipment_id in shipment_ids:
        record(by, "desk.seen_to", named(shipment_id))


def named(subject: str) -> str:
    """An item as the audit names it, such as `return:ret_01k…`."""
    return f"{KINDS.get(subject[:3], 'item')}:{subject}"


class DeskPresence(OfShop, Base):
    """Somebody has an item open, and is perhaps deciding. It counts for 45 seconds."""

    __tablename__ = "desk_presence"
    __table_args__ = (
        UniqueConstraint("shop_id", "subject", "staff_id"),
        Index(None, "shop_id", "seen_at"),
        ForeignKeyConstraint(
            ["shop_id", "staff_id"], ["staff.shop_id", "staff.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject: Mapped[str] = mapped_column(String(40))
    staff_id: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime]

    @staticmethod
    def note(subject: str, staff_id: int, now: datetime) -> None:
        """Say that somebody looks at an item now; what others said long ago is forgotten."""
        session.execute(delete(DeskPresence).where(DeskPresence.seen_at < now - SEEN_FOR))
        row = {"subject": subject, "staff_id": staff_id, "seen_at": now}
        _put(DeskPresence, [row], ["subject", "staff_id"], ["seen_at"])

    @staticmethod
    def leave(subject: str, staff_id: int) -> None:
        """Say that somebody looks at it no more."""
        mine = (DeskPresence.subject == subject, DeskPresence.staff_id == staff_id)
        session.execute(delete(DeskPresence).where(*mine))

    @staticmethod
    def others(subjects: Iterable[str], but: int, now: datetime) -> dict[str, list[str]]:
        """Who else has these items open, by item: names as colleagues read them."""
        rows = session.execute(
            select(DeskPresence.subject, Staff.name, Staff.email)
            .join(Staff, Staff.id == DeskPresence.staff_id)
            .where(
                DeskPresence.subject.in_(list(subjects)),
                DeskPresence.staff_id != but,
                DeskPresence.seen_at > now - SEEN_FOR,
            )
            .order_by(DeskPresence.id)
        )
        found: dict[str, list[str]] = {}
        for subject, name, email in rows:
            found.setdefault(subject, []).append(name or email)
        return found


class SavedView(OfShop, Base):
    """Filters of the queue under a name, of one person or of everybody at the shop."""

    __tablename__ = "saved_view"
    __table_args__ = (
        Index(None, "shop_id", "staff_id"),
        ForeignKeyConstraint(
            ["shop_id", "staff_id"], ["staff.shop_id", "staff.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("sav", clock.now())
    )
    staff_id: Mapped[int] = mapped_column(BigInteger)  # who made it
    name: Mapped[str] = mapped_column(String(60))
    filters: Mapped[dict[str, Any]]  # as in the queue's address
    shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @staticmethod
    def seen_by(staff_id: int) -> list[SavedView]:
        """A person's own and the shared ones, oldest first."""
        seen = or_(SavedView.staff_id == staff_id, SavedView.shared)
        wanted = select(SavedView).where(seen).order_by(SavedView.created_at, SavedView.id)
        return list(session.scalars(wanted.limit(2 * MOST_VIEWS)))

    @staticmethod
    def save(
        staff_id: int, name: str, filters: dict[str, Any], *, shared: bool, now: datetime
    ) -> SavedView:
        """Keep filters under a name. Raises Conflict past the limit, Invalid without a name."""
        name = " ".join(name.split())
        if not 0 < len(name) <= 60:
            raise wrong("name", "Give the view a name of at most 60 characters.")
        have = SavedView.seen_by(staff_id)
        if sum(view.shared == shared for view in have) >= MOST_VIEWS:
            raise Conflict(f"There are {MOST_VIEWS} views already. Remove one first.")
        made = SavedView(
            staff_id=staff_id, name=name, filters=filters, shared=shared, created_at=now
        )
        session.add(made)
        return made


class DeskHabit(OfShop, Base):
    """How one person likes to work."""

    __tablename__ = "desk_habit"
    __table_args__ = (
        UniqueConstraint("shop_id", "staff_id"),
        ForeignKeyConstraint(
            ["shop_id", "staff_id"], ["staff.shop_id", "staff.id"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(BigInteger)
    keys: Mapped[bool] = mapped_column(default=True)  # single keys act

    @staticmethod
    def has_keys(staff_id: int) -> bool:
        """Whether single keys act for this person."""
        said = session.scalar(select(DeskHabit.keys).where(DeskHabit.staff_id == staff_id))
        return said is not False

    @staticmethod
    def set_keys(staff_id: int, *, on: bool) -> None:
        """Turn single keys on or off for this person."""
        _put(DeskHabit, [{"staff_id": staff_id, "keys": on}], ["staff_id"], ["keys"])


def _put(
    model: type[Base], rows: Sequence[dict[str, Any]], unique: Sequence[str], changed: Sequence[str]
) -> None:
    """Insert rows of the shop in scope; of those that are there already, change these columns."""
    mine = shop_in_scope()
    insert = insert_into(model)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["shop_id", *unique],
            set_={name: insert.excluded[name] for name in changed},
        ),
        [{"shop_id": mine, **row} for row in rows],
    )
