"""The facts that a return is decided over, from an order's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Label,
    Row,
    Select,
    String,
    bindparam,
    func,
    inspect,
    select,
)
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

from carriers.contract import Status
from portal.db import db, session
from portal.gathered import gathered, moment_of, rows_of
from portal.models.line import OrderLine, Unit
from portal.models.order import Order
from portal.models.policy import BEGINNING, Published, published
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.shipment import Shipment, ShipmentLine
from returns.facts import Facts, bps_of
from returns.money import UnitMoney
from returns.reasons import reason_and_detail
from returns.risk import History, risk_of

OF_ORDER: Final = "beside_order"
OF_CUSTOMER: Final = "beside_customer"
UNDER_WAY = ("requested", "approved", "shipped", "arrived", "checked")
COUNTED = (*UNDER_WAY, "settled")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to do with some units of one article. Codes are checked by `of`."""

    sku: str
    quantity: int
    reason: str | None = None
    detail: str | None = None
    resolution: str | None = None
    exchange_sku: str = ""
    fallback: str = ""
    statement: str = ""
    method: str | None = None
    photo: bool = False

    @staticmethod
    def of(sku: str, quantity: int, reason: str = "", detail: str = "", **more: Any) -> Asked:
        """Sort out the reason; a detail may stand in its place. Raises ValueError."""
        code, finer = reason_and_detail(reason, detail or None) if reason else (None, None)
        return Asked(sku, quantity, code, finer, **more)


@dataclass(frozen=True, slots=True)
class Leg:
    """One parcel on its way to the customer: how many of which line, and how far it came."""

    shipped_at: datetime | None
    delivered_at: datetime | None
    holds: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """Everything about an order that decisions rest on, read once."""

    order: Order
    legs: Sequence[Leg]
    held: frozenset[int]
    customer: Mapping[str, Any]
    money: Mapping[int, UnitMoney]
    returns_made: int  # of this order, whatever became of them
    versions: Sequence[Published]  # of the shop's policy

    @staticmethod
    def of(order: Order) -> Situation:
        """Read it: parcels, earlier returns, and the customer's history.

        `order` is what `order_for_return` gave, with its lines, units and the claims on them, or
        what `order_to_change` gave, without: then they are read here. One statement in all.
        """
        row = _read(order)
        units = [unit for line in order.lines for unit in line.units]
        return Situation(
            order=order,
            legs=_legs(rows_of(row.legs)),
            held=frozenset(unit.id for unit in units if unit.claim is not None),
            customer=_customer(row) if order.customer_id is not None else {},
            money=unit_money(order),
            returns_made=row.made,
            versions=[_published(*each) for each in rows_of(row.versions)],
        )

    @property
    def order_quantity(self) -> int:
        """How many pieces were ordered."""
        return sum(line.quantity for line in self.order.lines)

    @property
    def order_total_minor(self) -> int:
        """What the whole order cost."""
        return sum(each.captured_minor for each in self.money.values())

    def free_units(self, line: OrderLine) -> list[Unit]:
        """The line's units that nobody holds."""
        return [unit for unit in line.units if unit.id not in self.held]

    def journey(self, line: OrderLine, quantity: int) -> tuple[datetime | None, datetime | None]:
        """When so many free units of a line were shipped, and delivered: the last of them counts.

        What is held already is taken to have arrived first. Where a parcel does not say what it
        holds, everything is there when all parcels are.
        """
        legs = self.legs
        if legs and all(leg.holds for leg in legs):
            pieces = [leg for leg in sorted(legs, key=_soonest) for _ in range(_holds(leg, line))]
            held = sum(unit.id in self.held for unit in line.units)
            legs = pieces[held : held + quantity]
            if len(legs) < quantity:
                return None, None
        return _last(leg.shipped_at for leg in legs), _last(leg.delivered_at for leg in legs)

    def facts(
        self, asked: Asked, line: OrderLine, units: Sequence[Unit], whole: int, channel: str
    ) -> Facts:
        """The facts of these units; `whole` is how many pieces the request is about in all."""
        shipped_at, delivered_at = self.journey(line, len(units))
        where, first = self.order.address, self.money[units[0].id]
        return Facts(
            ordered_at=self.order.placed_at,
            shipped_at=shipped_at or delivered_at,
            delivered_at=delivered_at,
            currency=self.order.currency,
            country=where.get("country") or None,
            region=where.get("region") or None,
            order_total_minor=self.order_total_minor,
            order_quantity=self.order_quantity,
            order_tags=tuple(self.order.tags),
            customer_tags=tuple(self.order.customer_tags),
            gift=self.order.gift,
            sku=line.sku,
            product=line.product or None,
            category=line.category or None,
            tags=tuple(line.tags),
            unit_price_minor=first.price_minor,
            unit_discount_minor=first.discount_minor,
            final_sale=line.final_sale,
            quantity=len(units),
            request_quantity=whole,
            reason=asked.reason,
            detail=asked.detail,
            resolution=asked.resolution,
            method=asked.method,
            channel=channel,
            photo=asked.photo,
            text=bool(asked.statement.strip()),
            **self.customer,
        )


def unit_money(order: Order) -> dict[int, UnitMoney]:
    """Each unit's stored share of the order's money."""
    included = all(line.tax_included for line in order.lines)
    return {
        unit.id: UnitMoney(
            line=place,
            price_minor=unit.price_minor,
            discount_minor=unit.discount_minor,
            tax_minor=unit.tax_minor,
            tax_included=line.tax_included,
            shipping_minor=unit.shipping_minor,
            shipping_tax_minor=unit.shipping_tax_minor,
            shipping_tax_included=included,
            cover_minor=unit.cover_minor,
        )
        for place, line in enumerate(order.lines)
        for unit in line.units
    }


def _read(order: Order) -> Row[*tuple[Any, ...]]:
    """Counts, parcels and policies beside the order's lines, which are read if they are not yet."""
    beside = _beside(db.engine.dialect.name)
    these = {OF_ORDER: order.id, OF_CUSTOMER: order.customer_id or ""}  # "": no guests together
    if "lines" not in inspect(order).unloaded:
        return session.execute(select(*beside), these).one()
    wanted = select(OrderLine, *beside).where(OrderLine.order_id == order.id)
    rows = (
        session.execute(
            wanted.order_by(OrderLine.position)
            .options(joinedload(OrderLine.units).joinedload(Unit.claim))
            .execution_options(populate_existing=True),
            these,
        )
        .unique()
        .all()
    )
    set_committed_value(order, "lines", [row.OrderLine for row in rows])
    return rows[0] if rows else session.execute(select(*beside), these).one()


def _parcels(order_id: BindParameter[str]) -> Select[*tuple[Any, ...]]:
    """The parcels to the customer, a row for each line they hold something of."""
    return (
        select(
            Shipment.id,
            Shipment.position,
            Shipment.status,
            Shipment.shipped_at,
            Shipment.status_since,
            Shipment.delivered_at,
            ShipmentLine.line_id,
            ShipmentLine.quantity,
        )
        .outerjoin(Shipment.lines)
        .where(
            Shipment.order_id == order_id,
            Shipment.rma_id.is_(None),
            Shipment.status != Status.CANCELLED.value,
        )
    )


def _legs(rows: Iterable[list[Any]]) -> list[Leg]:
    """The parcels out of their rows, as they were first posted."""
    parcels: dict[tuple[int, str], tuple[Any, dict[int, int]]] = {}
    for id, position, *told, line_id, quantity in rows:
        _, holds = parcels.setdefault((position, id), (told, {}))
        if line_id is not None:
            holds[line_id] = quantity
    return [_leg(told, holds) for _, (told, holds) in sorted(parcels.items())]


def _leg(told: Sequence[Any], holds: Mapping[int, int]) -> Leg:
    status, *moments = told
    shipped_at, since, delivered_at = map(moment_of, moments)
    is_there = status == Status.DELIVERED.value
    moves = status not in (Status.UNKNOWN.value, Status.PRE_TRANSIT.value)
    return Leg(
        shipped_at=shipped_at or (since if moves else None),
        delivered_at=(delivered_at or since) if is_there else None,
        holds=holds,
    )


def _published(since: str, version: int, digest: str) -> Published:
    return Published(moment_of(since) or BEGINNING, version, digest)


def _holds(leg: Leg, line: OrderLine) -> int:
    return leg.holds.get(line.id, 0)


def _soonest(leg: Leg) -> tuple[bool, float, bool]:
    there = leg.delivered_at
    return there is None, there.timestamp() if there else 0.0, leg.shipped_at is None


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    """The last of these moments; None where there is none, or one is not known."""
    known = list(moments)
    return max(known) if known and None not in known else None  # type: ignore[type-var]


def _customer(row: Any) -> dict[str, Any]:
    """What the customer did before: orders, returns, points."""
    history = History(
        orders=row.orders,
        units_bought=row.bought,
        units_returned=row.returned,
        empty_parcels=row.empty,
        worn_items_sent_back=row.worn,
        open_returns=row.under_way,
    )
    return {
        "customer_orders": row.orders,
        "customer_returns": row.returns,
        "customer_return_rate_bps": bps_of(row.returned, row.bought),
        "risk_points": risk_of(history).points,
    }


@lru_cache(maxsize=2)
def _beside(_dialect: str) -> list[Label[Any]]:
    """Counts over the customer's other orders, the order's returns and parcels, the policies.

    Put together once for a database: it costs more than asking it.
    """
    order_id, customer = bindparam(OF_ORDER, type_=String), bindparam(OF_CUSTOMER, type_=String)
    theirs = (Order.customer_id == customer, Order.id != order_id)
    returns = (Return.customer_id == customer, Return.order_id != order_id)
    bought = select(func.coalesce(func.sum(OrderLine.quantity), 0)).join(OrderLine.order)
    units = select(func.count()).select_from(ReturnUnit).join(ReturnUnit.line).join(ReturnLine.rma)
    asked = select(func.count()).select_from(Return).where(*returns)
    worn = (ReturnUnit.acceptance == "rejected", ReturnUnit.condition.in_(("C", "D")))
    counts = {
        "made": select(func.count()).select_from(Return).where(Return.order_id == order_id),
        "orders": select(func.count()).select_from(Order).where(*theirs),
        "bought": bought.where(*theirs),
        "returns": asked.where(Return.status.in_(COUNTED)),
        "under_way": asked.where(Return.status.in_(UNDER_WAY)),
        "returned": units.where(*returns, ReturnUnit.acceptance == "accepted"),
        "empty": units.where(*returns, ReturnUnit.reception == "not_in_parcel"),
        "worn": units.where(*returns, *worn),
    }
    return [
        *(count.correlate(None).scalar_subquery().label(name) for name, count in counts.items()),
        gathered(_parcels(order_id)).label("legs"),
        gathered(published()).label("versions"),
    ]
