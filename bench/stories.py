"""Orders that the product itself wrote, read back as rows: the moulds of a large database.

Each story runs through the product's own models on a small database, at its own times: the order
is stored, its parcels are added, answers of the carrier come in. Only what goes out is left out:
what mails said is kept empty, or a million orders would be tens of gigabytes of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite
import time_machine
from sqlalchemy import delete, inspect, or_, select, update

from bench import house
from bench.journeys import Parcel, parcels, posted_order
from carriers.easypost import normalise
from portal.db import Base, inside, session, writing
from portal.models import (
    AuditEntry,
    Customer,
    Due,
    LedgerEntry,
    Link,
    Message,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    StoredScan,
    Unit,
)
from portal.models.asking import Asking
from portal.models.due import plan
from portal.models.lane import LaneParcel
from portal.models.observe import observe
from portal.sources.document import OrderDocument, ShipmentDocument

# Whoever is referred to comes first.
COPIED: Final[tuple[type[Base], ...]] = (
    *(Customer, Order, OrderLine, Unit, Shipment, ShipmentLine, LaneParcel, StoredScan),
    *(Link, Message, AuditEntry, LedgerEntry, Due),
)
NUMBER: Final = "700000000007"  # of every story's order: told apart from all else in a row
EMAIL: Final = "story@mail.example"
LOOKS: Final = 3  # answers a parcel has had, however long it has been under way

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """One order as the product wrote it: rows by table, in the driver's own words for SQLite."""

    tables: dict[str, Rows]
    carriers: tuple[str, ...]  # of its parcels, in order

    def ids(self, table: str) -> list[Any]:
        """The ids of a table's rows, in order."""
        return [row["id"] for row in self.tables[table]]


class Teller:
    """Tells stories on a database of its own."""

    def __init__(self, path: Path, shop_id: int) -> None:
        self._raw = sqlite.connect(path)
        self._raw.row_factory = sqlite.Row
        self._shop_id = shop_id

    def tell(self, seed: int, placed_at: datetime, now: datetime) -> Story:
        """What the product writes of an order placed then, by `now`."""
        draw = random.Random(seed)
        posted = posted_order(draw, NUMBER, EMAIL, placed_at)
        leaving = [one for one in parcels(draw, posted, seed) if one.shipped_at <= now]
        with inside(self._shop_id), writing(synchronous="NORMAL"):
            with time_machine.travel(placed_at, tick=False):
                order, _ = Order.upsert(OrderDocument.model_validate(posted), placed_at)
                order_id = order.id
            for one in leaving:
                self._follow(order_id, one, now)
            _settle(now)
        return Story(self._take(), tuple(one.carrier for one in leaving))

    def _follow(self, order_id: str, one: Parcel, now: datetime) -> None:
        document = ShipmentDocument.model_validate(
            {
                "carrier": one.carrier,
                "tracking_number": one.number,
                "shipped_at": one.shipped_at.isoformat(),
            }
        )
        with time_machine.travel(one.shipped_at, tick=False):
            order = session.get_one(Order, order_id)
            shipment, _ = order.add_shipment(document, one.shipped_at, "operator")
            session.flush()
            shipment_id = shipment.id
        for at in _looks(one, now):
            with time_machine.travel(at, tick=False):
                held = Shipment.locked(shipment_id)
                assert held is not None
                observe(held, normalise(one.tracker(at)), "hook", at)
                session.flush()

    def _take(self) -> dict[str, Rows]:
        """The rows of the story, which leave the small database empty for the next one."""
        taken = {}
        names = [model.__tablename__ for model in COPIED]
        for name in names:
            rows = self._raw.execute(f"SELECT * FROM {name} ORDER BY rowid")  # noqa: S608
            taken[name] = [dict(row) for row in rows]
        for name in reversed(names):
            self._raw.execute(f"DELETE FROM {name}")  # noqa: S608
        self._raw.commit()
        return taken

    def close(self) -> None:
        """Let go of the database."""
        self._raw.close()


def _looks(one: Parcel, now: datetime) -> list[datetime]:
    """When the carrier's answers came: a few, and one just now of what is not there yet."""
    heard = one.heard(now)
    told = [datetime.fromisoformat(each["datetime"]) for each in heard]
    places = sorted({len(told) * (n + 1) // LOOKS - 1 for n in range(LOOKS)} - {-1})
    looks = [min(told[place] + timedelta(minutes=4), now) for place in places]
    is_there = bool(heard) and heard[-1]["status"] == "delivered"
    return looks if is_there else [*looks, now]


def _settle(now: datetime) -> None:
    """What workers have done since: mails are out, what is over is not asked about any more.

    What is due for a whole shop is no order's.
    """
    session.flush()
    done = or_(Due.queue.in_(("poll", "send")), Due.at <= now, Due.subject.startswith("shop:"))
    session.execute(delete(Due).where(done))
    sent = update(Message).where(Message.state == "wanted")
    session.execute(
        sent.values(state="sent", sent_at=Message.created_at, reference="kept-elsewhere")
    )
    for shipment in session.scalars(select(Shipment).execution_options(populate_existing=True)):
        at = Asking.at_present(now).next_poll(shipment, now)
        if at is not None:
            plan("poll", shipment.id, shipment.shop_id, at)


@contextmanager
def telling() -> Iterator[Teller]:
    """A teller in an app context of its own, which must not lie within another one."""
    with TemporaryDirectory() as home, house.opened(house.environ_in(Path(home))) as shop_id:
        teller = Teller(Path(home) / house.FILE, shop_id)
        try:
            yield teller
        finally:
            teller.close()


def integer_key(model: type[Base]) -> bool:
    """Whether the database counts this table's ids up."""
    key = inspect(model).primary_key
    return len(key) == 1 and key[0].type.python_type is int
