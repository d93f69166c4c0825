"""Parcels: add, read, and list those that staff must look at."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.api.endpoint import Call, endpoint
from portal.api.orders import locked
from portal.api.paging import PageQuery, cursor_of, place_of
from portal.api.refusal import not_found
from portal.api.replies import (
    ProblemPage,
    ProblemReply,
    ShipmentReply,
    problem_of,
    shipment_replies,
)
from portal.db import session
from portal.models import Order, Shipment
from portal.sources.document import ShipmentDocument

SHIPMENT_ID = re.compile(r"shp_[0-9a-z]{26}")


@endpoint(
    "POST",
    "/orders/{order_id}/shipments",
    scope="shipments",
    body=ShipmentDocument,
    replies={201: ShipmentReply, 200: ShipmentReply},
)
def post_shipment(call: Call, order_id: str) -> tuple[int, ShipmentReply]:
    """Add a parcel to an order, or change the one that is known.

    A parcel is known by its id, else by carrier and number. To correct a number, send the id with
    the right one: the parcel stays the same and is followed anew.
    """
    order = locked(order_id)
    parcel, created = order.add_shipment(call.body, call.now, call.caller.who)
    session.flush()
    return (201 if created else 200), shipment_replies([parcel])[0]


@endpoint("GET", "/shipments/{shipment_id}", scope="shipments", replies={200: ShipmentReply})
def read_shipment(call: Call, shipment_id: str) -> tuple[int, ShipmentReply]:
    """Read a parcel with its history."""
    parcel = None
    if SHIPMENT_ID.fullmatch(shipment_id):
        wanted = select(Shipment).where(Shipment.id == shipment_id)
        parcel = session.scalar(wanted.options(selectinload(Shipment.lines)))
    if parcel is None:
        raise not_found()
    return 200, shipment_replies([parcel])[0]


@endpoint("GET", "/problems", scope="shipments", query=PageQuery, replies={200: ProblemPage})
def list_problems(call: Call) -> tuple[int, ProblemPage]:
    """List the parcels that staff must look at, each with what to do."""
    wanted = select(Shipment, Order.number).join(Order, Order.id == Shipment.order_id)
    wanted = wanted.where(Shipment.problem != "").order_by(Shipment.id)
    if call.query.cursor:
        wanted = wanted.where(Shipment.id > place_of(call.query.cursor, 1)[0])
    rows = session.execute(wanted.limit(call.query.limit + 1)).all()
    page = rows[: call.query.limit]
    return 200, ProblemPage(
        problems=[
            ProblemReply(
                shipment_id=parcel.id,
                order_id=parcel.order_id,
                order_number=number,
                carrier=parcel.carrier,
                tracking_number=parcel.tracking_number,
                polls=parcel.polls,
                problem=problem,
            )
            for parcel, number in page
            if (problem := problem_of(parcel))
        ],
        next_cursor=cursor_of(page[-1][0].id) if len(rows) > len(page) else None,
    )
