"""Orders at the desk: the list, and one page with everything about one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, abort, flash, g, make_response, redirect, render_template, request
from sqlalchemy import func, select

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.models import Claim, Order, Return, Shipment, Shop, Withdrawal
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.claim import claims_of
from portal.models.due import plan
from portal.models.ledger import sums_of
from portal.models.lookup import orders_like, plain
from portal.models.protection import protection_of
from portal.models.unit_claim import held_units
from portal.pages.dates import Calendar
from portal.staff.desk import bp
from portal.staff.listing import MOST
from portal.staff.order_story import SOURCES, story_of
from portal.staff.return_shown import when
from portal.staff.rights import me, needs

STATUSES: Final = (
    *("placed", "partially_shipped", "shipped", "partially_delivered"),
    *("delivered", "returned", "cancelled"),
)
MOST_PAGES: Final = 100
SUMS: Final = (
    ("captured_minor", "Paid"),
    ("refunded_minor", "Paid back"),
    ("pending_minor", "On its way back"),
    ("credited_minor", "As store credit"),
    ("payout_minor", "Paid for claims"),
    ("refundable_minor", "Can still be paid back"),
)


@bp.get("/orders")
@needs("read")
def orders() -> Response:
    """The shop's orders, newest first, fifty a page; a search looks in all of them."""
    now = clock.now()
    found, status = plain(request.args.get("q", "")), request.args.get("status", "")
    status = status if status in STATUSES else ""
    page = min(max(1, request.args.get("page", 1, type=int)), MOST_PAGES)
    wanted = select(
        Order.id, Order.number, Order.placed_at, Order.status, Order.email, Order.currency,
        Order.captured_minor, Order.address["name"].as_string().label("who"),
    )  # fmt: skip
    if found:
        wanted = wanted.where(Order.id.in_(orders_like(found)))
    if status:
        wanted = wanted.where(Order.status == status)
    ordered = wanted.order_by(Order.placed_at.desc(), Order.id.desc())
    rows = session.execute(ordered.limit(MOST + 1).offset((page - 1) * MOST)).all()
    text = render_template(
        "staff/orders.html",
        here="orders",
        rows=rows[:MOST],
        found=found,
        status=status,
        statuses=STATUSES,
        page=page,
        turn=lambda to: "?" + urlencode({"q": found, "status": status, "page": to}),
        more=len(rows) > MOST and page < MOST_PAGES,
        money=lambda row: money(row.captured_minor, row.currency, "en"),
        day=lambda at: Calendar.at(now, "en", g.shop.timezone).local(at).strftime("%-d %b %Y"),
    )
    return make_response(text)


@bp.get("/orders/<order_id>")
@needs("read")
def order_page(order_id: str) -> Response:
    """Everything about one order, and what can be done about it now."""
    return _page(_found(order_id))


@bp.post("/shipments/<shipment_id>/question")
@needs("decide")
def shipment_question(shipment_id: str) -> Response:
    """Ask the carrier about a parcel again, now."""

    def act(parcel: Shipment, now: datetime) -> str:
        if not parcel.tracking_number:
            raise Conflict("The parcel has no number yet, so nobody can be asked.")
        plan("poll", parcel.id, parcel.shop_id, now)
        record(me().who, "shipment.asked", f"shipment:{parcel.id}")
        return "The carrier is asked again. News show here in a minute."

    answer = _on_parcel(shipment_id, act)
    nudge("poll")
    return answer


@bp.post("/shipments/<shipment_id>/correction")
@needs("decide")
def shipment_correction(shipment_id: str) -> Response:
    """Correct a parcel's carrier or number, and follow it anew."""
    carrier = plain(request.form.get("carrier", ""))[:80]
    number = plain(request.form.get("tracking_number", ""))[:80]

    def act(parcel: Shipment, now: datetime) -> str:
        if not number:
            raise Conflict("Write the number as it stands on the label. Nothing was changed.")
        before = {"carrier": parcel.carrier, "tracking_number": parcel.tracking_number}
        after = {"carrier": carrier, "tracking_number": number}
        if before == after:
            raise Conflict("This is what the parcel has already. Nothing was changed.")
        parcel.carrier, parcel.tracking_number = carrier, number
        parcel.watch(now)
        parcel.order.version += 1
        parcel.order.updated_at = now
        record(me().who, "shipment.corrected", f"shipment:{parcel.id}", before, after)
        return "Corrected. The carrier is asked anew."

    answer = _on_parcel(shipment_id, act)
    nudge("poll")
    return answer


def _on_parcel(shipment_id: str, act: Callable[[Shipment, datetime], str]) -> Response:
    try:
        with writing():
            parcel = Shipment.locked(shipment_id) or abort(404)
            order_id = parcel.order_id
            told = act(parcel, clock.now())
    except Conflict as error:
        return _page(_found(order_id), str(error), 409)
    flash(told)
    return make_response(redirect(f"/staff/orders/{order_id}", 303))


def _page(order: Order, problem: str = "", status: int = 200) -> Response:
    now = clock.now()
    shop = session.get_one(Shop, order.shop_id)
    calendar = Calendar.at(now, "en", shop.timezone)
    returns, claims = _returns(order.id), claims_of(order.id)
    withdrawals = session.scalars(select(Withdrawal).where(Withdrawal.order_id == order.id)).all()
    things: tuple[Any, ...] = (*returns, *claims, *withdrawals)
    subjects = [row.id for row in things]
    chosen = request.args.get("show", "")
    story = [
        each for each in story_of(order, subjects) if chosen not in SOURCES or each.source == chosen
    ]
    sums = sums_of([order.id])[order.id]
    text = render_template(
        "staff/order.html",
        here="orders",
        order=order,
        problem=problem,
        lines=_lines(order),
        parcels=session.scalars(_parcels(order.id)).all(),
        returns=returns,
        claims=claims,
        withdrawals=withdrawals,
        cover=protection_of(order.id),
        sums=[
            (title, money(getattr(sums, name), order.currency, "en"))
            for name, title in SUMS
            if getattr(sums, name) or name in ("captured_minor", "refundable_minor")
        ],
        others=_others(order),
        story=story,
        sources=SOURCES,
        chosen=chosen if chosen in SOURCES else "",
        can=me().may,
        money=lambda minor: money(minor, order.currency, "en"),
        when=lambda at: when(at, calendar),
    )
    return make_response(text, status)


def _lines(order: Order) -> list[dict[str, Any]]:
    """The order's lines with how many of each are in a return or a claim."""
    held = held_units([unit.id for line in order.lines for unit in line.units])
    return [
        {"line": line, "held": sum(unit.id in held for unit in line.units)} for line in order.lines
    ]


def _returns(order_id: str) -> list[Return]:
    wanted = select(Return).where(Return.order_id == order_id)
    return list(session.scalars(wanted.order_by(Return.requested_at, Return.id)))


def _parcels(order_id: str) -> Any:
    wanted = select(Shipment).where(Shipment.order_id == order_id)
    return wanted.order_by(Shipment.rma_id.is_not(None), Shipment.position, Shipment.id)


def _others(order: Order) -> list[Any]:
    """The customer's other orders, newest first, with how many returns and claims each has."""
    if order.customer_id is None:
        return []
    back = select(func.count(Return.id)).where(Return.order_id == Order.id)
    asked = select(func.count(Claim.id)).where(Claim.order_id == Order.id)
    wanted = select(
        Order.id, Order.number, Order.status, Order.placed_at,
        back.correlate(Order).scalar_subquery().label("returns"),
        asked.correlate(Order).scalar_subquery().label("claims"),
    ).where(Order.customer_id == order.customer_id, Order.id != order.id)  # fmt: skip
    return list(session.execute(wanted.order_by(Order.placed_at.desc()).limit(8)).all())


def _found(order_id: str) -> Order:
    return session.scalar(select(Order).where(Order.id == order_id)) or abort(404)
