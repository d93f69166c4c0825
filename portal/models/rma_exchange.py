"""Settling an exchange: what is given against what it costs, and the order that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, select

from portal.db import session
from portal.models.catalog import Variant
from portal.models.change import Conflict
from portal.models.exchange import OPEN, Exchange, exchanges_of
from portal.models.ledger import book
from portal.models.order import Order, OrderLine
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.rma_money import Part
from portal.models.settlement import Settlement
from portal.payments.stripe_amounts import finest
from portal.sources.document import OrderDocument
from portal.sources.sentences import read_as, wrong
from returns.money import Cost, Difference, exchange_difference, exchange_price


def start_exchange(line: ReturnLine, now: datetime) -> Exchange:
    """Keep the other variant for an approved line. Raises Invalid for a sku that is not sold."""
    variant = sold_variant(line.exchange_sku, line.rma.currency)
    product = session.scalar(select(OrderLine.product).where(OrderLine.id == line.line_id))
    return Exchange.want(line, variant, product or "", now)


def sold_variant(sku: str, currency: str, field: str = "exchange_sku") -> Variant:
    """The variant of this sku. Raises Invalid where the shop does not sell it in this currency."""
    variant = Variant.of(sku) if sku else None
    if variant is None:
        raise wrong(field, "Name the sku of something that the shop sells.")
    if variant.currency != currency:
        raise wrong(field, f"This is sold in {variant.currency}, the order is in {currency}.")
    return variant


def release_exchanges(rma: Return) -> None:
    """Let go of everything that is kept for a return. Only what is still kept."""
    for exchange in exchanges_of(rma.id):
        if exchange.status in OPEN:
            exchange.release()


def reserved_for(rma: Return, part: Part, now: datetime) -> tuple[Exchange, Difference]:
    """The reservation for these units, and what they give against what it costs.

    Raises Conflict where the other variant is not to be had.
    """
    line, units = part.wish.line, part.wish.units
    exchange = _chosen(rma, part, now)
    if exchange.status == "waiting":
        exchange.reserve(line, now)
    if exchange.status != "reserved" and not exchange.is_ahead:
        raise Conflict(
            f"{exchange.sku} is not to be had in {exchange.quantity}. Choose another article, "
            "store_credit or refund."
        )
    if len(units) < exchange.quantity and not exchange.is_ahead:
        exchange.shrink(len(units))
    cost_minor = cost_of(exchange, units).total_minor
    difference = exchange_difference(part.amounts, cost_minor, finest(rma.currency))
    exchange.difference = asdict(difference)
    return exchange, difference


def place_order(rma: Return, exchange: Exchange, row: Settlement, by: str, now: datetime) -> Order:
    """Make the order `<number>-X1` of a settled exchange, and book what moved into it."""
    due_minor = exchange.difference["due_minor"]
    if exchange.order_id is not None:
        made = _paid_by_return(rma, exchange.order_id, row, now)
    else:
        line = line_of(rma, exchange)
        units = [unit for unit in line.units if unit.settlement_id == row.group_id]
        own = row.amount_minor
        posted = _document(rma.order, exchange, units, own + due_minor, own, now)
        made, _ = Order.upsert(posted, now, by)
    session.flush()
    if due_minor:
        book(
            made.id,
            "captured",
            due_minor,
            made.currency,
            f"{row.id}:due",
            now,
            reference=exchange.due_reference,
            subject=rma.id,
        )
        made.captured_minor += due_minor
    if exchange.order_id is None:
        exchange.ordered(made.id)
    return made


def send_ahead(rma: Return, exchange: Exchange, by: str, now: datetime) -> Order:
    """Make the order of an exchange before anything came back. It is paid by what comes back."""
    units = line_of(rma, exchange).units
    paid_minor = cost_of(exchange, units).total_minor
    made, _ = Order.upsert(_document(rma.order, exchange, units, paid_minor, 0, now), now, by)
    session.flush()
    exchange.ordered(made.id)
    exchange.is_ahead = True
    return made


def line_of(rma: Return, exchange: Exchange) -> ReturnLine:
    """The return line that this exchange is for."""
    return next(each for each in rma.lines if each.id == exchange.rma_line_id)


def ahead_of(rma: Return, line_id: str = "") -> Exchange | None:
    """What was sent before anything came back, of one line or of any; None for nothing."""
    mine = (each for each in exchanges_of(rma.id) if each.is_ahead)
    return next((each for each in mine if line_id in ("", each.rma_line_id)), None)


def _paid_by_return(rma: Return, order_id: str, row: Settlement, now: datetime) -> Order:
    """What came back pays for the order that was sent ahead."""
    made = session.get_one(Order, order_id)
    paid, cause = rma.order.payment_reference, f"{row.id}:own"
    more = {"reference": paid, "subject": rma.id}
    if book(made.id, "captured", row.amount_minor, made.currency, cause, now, **more):
        made.captured_minor += row.amount_minor
    return made


def _chosen(rma: Return, part: Part, now: datetime) -> Exchange:
    """The open exchange of the line, or the one that staff name now."""
    line, sku = part.wish.line, part.wish.exchange_sku
    ahead = ahead_of(rma, line.id)
    if ahead is not None:
        if sku not in ("", ahead.sku):
            raise Conflict(f"{ahead.sku} was sent already. Nothing was changed.")
        return ahead
    mine = [each for each in exchanges_of(rma.id) if each.rma_line_id == line.id]
    found = next((each for each in mine if each.status in OPEN), None)
    if found is not None and sku in ("", found.sku):
        return found
    if found is not None:
        found.release()
    line.exchange_sku = sku or line.exchange_sku
    line.fallback = "wait"  # staff decide here and now: nothing falls back by itself
    return start_exchange(line, now)


def cost_of(exchange: Exchange, units: Sequence[ReturnUnit]) -> Cost:
    """The same product at the same price is an even swap: it costs what was paid."""
    shares = [unit.share for unit in units]
    if exchange.is_even:
        paid_minor = sum(share.paid_minor for share in shares)
        return Cost(paid_minor, sum(share.tax_minor for share in shares))
    price, included = exchange.unit_price_minor, exchange.tax_included
    return exchange_price(price, len(shares), shares, tax_included=included)


def _document(
    order: Order,
    exchange: Exchange,
    units: Sequence[ReturnUnit],
    paid_minor: int,
    captured_minor: int,
    now: datetime,
) -> OrderDocument:
    list_minor = exchange.unit_price_minor * exchange.quantity
    included = units[0].share.tax_included if exchange.is_even else exchange.tax_included
    cost = cost_of(exchange, units)
    # A bonus is a discount: what it pays for bears no tax.
    tax_minor = cost.tax_minor * paid_minor // cost.total_minor if cost.total_minor else 0
    paid_minor -= 0 if included else tax_minor
    line = {
        "sku": exchange.sku,
        "title": exchange.title,
        "product": _product(exchange),
        "quantity": exchange.quantity,
        "unit_price_minor": exchange.unit_price_minor,
        "discount_minor": min(list_minor, max(0, list_minor - paid_minor)),
        "tax_minor": tax_minor,
        "tax_included": included,
    }
    return read_as(
        OrderDocument,
        {
            "number": _free_number(order),
            "email": order.email,
            "phone": order.phone,
            "placed_at": now,
            "currency": order.currency,
            "shipping_address": order.address,
            "lines": [line],
            "payment": {
                "provider": order.payment_provider,
                "reference": order.payment_reference,
                "captured_minor": captured_minor,
            },
        },
    )


def _product(exchange: Exchange) -> str:
    variant = Variant.of(exchange.sku)
    return variant.product if variant else ""


def _free_number(order: Order) -> str:
    """`<number>-X1`, or the next that no order has."""
    made = select(func.count()).select_from(Exchange).join(Return, Return.id == Exchange.rma_id)
    count = session.scalar(made.where(Return.order_id == order.id, Exchange.order_id.is_not(None)))
    n = (count or 0) + 1
    while Order.numbered(f"{order.number}-X{n}") is not None:
        n += 1
    return f"{order.number}-X{n}"
