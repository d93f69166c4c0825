"""The parcels of a posted order: matched to those we know, so that a corrected number stays one.

`shipment.py` knows the order; the other way the classes are found through the relationships.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import inspect, select
from sqlalchemy.orm import selectinload

from carriers.contract import Status
from portal.db import new_id, session
from portal.models.audit import record
from portal.models.change import assign
from portal.models.message import supersede
from portal.models.settling import ParcelFacts
from portal.sources.document import ShipmentDocument
from portal.sources.matching import tracking_key
from portal.sources.sentences import wrong

if TYPE_CHECKING:
    from portal.models.order import Order
    from portal.models.shipment import Shipment, ShipmentLine

NEW = "new_parcels"
UNSCANNED = frozenset({Status.UNKNOWN, Status.PRE_TRANSIT})


@contextmanager
def only_new_parcels(order: Order) -> Iterator[None]:
    """While an order is being made it has the parcels made here alone: none is looked for."""
    inspect(order).info[NEW] = []
    try:
        yield
    finally:
        del inspect(order).info[NEW]


def parcels_of(order: Order) -> list[Shipment]:
    """The order's parcels to the customer with what they hold, as they were first posted."""
    if NEW in inspect(order).info:
        return list(inspect(order).info[NEW])
    parcel = _parcel_class(order)
    statement = select(parcel).where(parcel.order_id == order.id, parcel.rma_id.is_(None))
    return list(
        session.scalars(
            statement.order_by(parcel.position, parcel.id).options(selectinload(parcel.lines))
        )
    )


def parcel_facts(order: Order) -> list[ParcelFacts]:
    """What the order's status follows from."""
    return [
        ParcelFacts(
            status=each.status,
            shipped_at=each.shipped_at,
            since=each.status_since,
            delivered_at=each.delivered_at,
            holds={held.line_id: held.quantity for held in each.lines},
        )
        for each in parcels_of(order)
    ]


def replace_parcels(
    order: Order, posted: Sequence[ShipmentDocument], now: datetime, who: str
) -> bool:
    """Make the order's parcels those posted. True if anything changed.

    A parcel is known by id, else by carrier and number, else by the number alone. Where exactly one
    parcel that was never scanned is left over, and one posted, its number was corrected; others
    that are not posted go. Raises Invalid for an id or a sku the order does not have.
    """
    known = parcels_of(order)
    rows = _matched(known, posted)
    gone = [each for each in known if each not in rows]
    places = [place for place, row in enumerate(rows) if row is None]
    if len(gone) == len(places) == 1 and _is_unscanned(gone[0]):
        rows[places[0]] = gone.pop()
    for parcel in gone:
        _remove(parcel, who)
    changed = bool(gone)
    present = [row for row in rows if row is not None]
    for place, (row, each) in enumerate(zip(rows, posted, strict=True)):
        parcel = row or _new_parcel(order, now)
        moved = bool(assign(parcel, {"position": place}))
        path = f"shipments.{place}."
        changed = _put(parcel, each, order, present, now, path) or moved or changed
        if row is None:
            present.append(parcel)
    return changed


def fit_parcels(order: Order) -> None:
    """No parcel holds more of a line than was ordered, after lines have changed."""
    ordered = {line.id: line.quantity for line in order.lines}
    for parcel in parcels_of(order):
        for held in parcel.lines:
            held.quantity = min(held.quantity, ordered.get(held.line_id, held.quantity))


def add_parcel(
    order: Order, posted: ShipmentDocument, now: datetime
) -> tuple[Shipment, bool, bool]:
    """Add one parcel, or change the one that is known; gives (parcel, is new, has changed)."""
    known = parcels_of(order)
    [row] = _matched(known, [posted], "")
    parcel = row or _new_parcel(order, now, len(known))
    changed = _put(parcel, posted, order, known, now, "")
    return parcel, row is None, changed


def _matched(
    known: Sequence[Shipment], posted: Sequence[ShipmentDocument], path: str = "shipments.{}."
) -> list[Shipment | None]:
    by_id = {each.id: each for each in known}
    found: list[Shipment | None] = [None] * len(posted)
    for place, each in enumerate(posted):
        if each.id is None:
            continue
        if each.id not in by_id:
            raise wrong(f"{path.format(place)}id", "This order has no parcel with this id.")
        found[place] = by_id.pop(each.id)
    free = list(by_id.values())
    for is_same in (_same_parcel, _same_number):
        for place, each in enumerate(posted):
            twin = next((row for row in free if found[place] is None and is_same(row, each)), None)
            if twin is not None:
                found[place] = twin
                free.remove(twin)
    return found


def _same_number(row: Shipment, posted: ShipmentDocument) -> bool:
    return tracking_key(row.tracking_number) == tracking_key(posted.tracking_number)


def _same_parcel(row: Shipment, posted: ShipmentDocument) -> bool:
    same_carrier = row.carrier.casefold() == posted.carrier.casefold()
    return same_carrier and _same_number(row, posted)


def _is_unscanned(parcel: Shipment) -> bool:
    return parcel.last_scan_at is None and parcel.status in UNSCANNED


def _remove(parcel: Shipment, who: str) -> None:
    told = {name: getattr(parcel, name) for name in ("carrier", "tracking_number", "status")}
    record(who, "shipment.removed", f"shipment:{parcel.id}", before=told)
    supersede(parcel.id)
    session.delete(parcel)
    session.flush()


def _new_parcel(order: Order, now: datetime, position: int = 0) -> Shipment:
    parcel = _parcel_class(order)(
        id=new_id("shp", now),
        order=order,
        position=position,
        carrier="",
        tracking_number="",
        created_at=now,
        lines=[],
    )
    session.add(parcel)
    if NEW in inspect(order).info:
        inspect(order).info[NEW].append(parcel)
    return parcel


def _put(
    parcel: Shipment,
    posted: ShipmentDocument,
    order: Order,
    others: Sequence[Shipment],
    now: datetime,
    path: str,
) -> bool:
    """Change what was sent. Another carrier or number is followed at once."""
    sent = posted.sent()
    sent.pop("id", None)
    sent.pop("lines", None)
    changed = bool(assign(parcel, sent))
    if "lines" in posted.model_fields_set:
        changed = _hold(parcel, _allot(order, parcel, others, posted, path)) or changed
    if {"carrier", "tracking_number"} & sent.keys():
        parcel.watch(now)
    return changed


def _allot(
    order: Order,
    parcel: Shipment,
    others: Sequence[Shipment],
    posted: ShipmentDocument,
    path: str,
) -> dict[int, int]:
    """How many of which line, for posted skus: what no other parcel holds first."""
    elsewhere: dict[int, int] = {}
    for other in others:
        for held in other.lines if other.id != parcel.id else ():
            elsewhere[held.line_id] = elsewhere.get(held.line_id, 0) + held.quantity
    wanted: dict[int, int] = {}
    for place, each in enumerate(posted.lines):
        lines = [line for line in order.lines if line.sku == each.sku]
        left = each.quantity
        for taken in (elsewhere, {}):
            for line in lines:
                free = line.quantity - taken.get(line.id, 0) - wanted.get(line.id, 0)
                part = max(0, min(left, free))
                left -= part
                wanted[line.id] = wanted.get(line.id, 0) + part
        if left:
            has = sum(line.quantity for line in lines)
            field = "sku" if not lines else "quantity"
            raise wrong(
                f"{path}lines.{place}.{field}",
                f"The order holds {has} of {each.sku}. Send its lines with the order, or fewer.",
            )
    return {line: quantity for line, quantity in wanted.items() if quantity}


def _hold(parcel: Shipment, wanted: dict[int, int]) -> bool:
    held = {each.line_id: each for each in parcel.lines}
    if {line: each.quantity for line, each in held.items()} == wanted:
        return False
    for line, each in held.items():
        if line in wanted:
            each.quantity = wanted[line]
        else:
            parcel.lines.remove(each)
    line_class: type[ShipmentLine] = inspect(type(parcel)).relationships["lines"].mapper.class_
    for line, quantity in wanted.items():
        if line not in held:
            parcel.lines.append(line_class(line_id=line, quantity=quantity))
    return True


def _parcel_class(order: Order) -> type[Shipment]:
    found: type[Shipment] = inspect(type(order)).relationships["shipments"].mapper.class_
    return found
