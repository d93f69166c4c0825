"""Whether the parts of a new order fit each other: what can be told without any database."""

from __future__ import annotations

from collections import Counter

from portal.sources.document import OrderDocument
from portal.sources.sentences import wrong
from returns.money import LineMoney, spread_units


def check_new(document: OrderDocument) -> None:
    """Raise Invalid for what `Order.upsert` would refuse of an order that is not there yet."""
    if document.lines and document.currency is None:
        raise wrong("currency", "A new order with lines needs its currency.")
    _check_money(document)
    ordered: Counter[str] = Counter()
    for line in document.lines:
        ordered[line.sku] += line.quantity
    for place, parcel in enumerate(document.shipments):
        if parcel.id is not None:
            raise wrong(f"shipments.{place}.id", "This order has no parcel with this id.")
        held: Counter[str] = Counter()
        for line_place, held_line in enumerate(parcel.lines):
            held[held_line.sku] += held_line.quantity
            if held[held_line.sku] > ordered[held_line.sku]:
                has = ordered[held_line.sku]
                field = "quantity" if has else "sku"
                raise wrong(
                    f"shipments.{place}.lines.{line_place}.{field}",
                    f"The order holds {has} of {held_line.sku}. Send its lines with the order, "
                    "or fewer.",
                )


def _check_money(document: OrderDocument) -> None:
    if not document.lines:
        return
    try:
        spread_units(
            [
                LineMoney(
                    quantity=line.quantity,
                    unit_price_minor=line.unit_price_minor,
                    discount_minor=line.discount_minor,
                    tax_minor=line.tax_minor,
                    tax_included=line.tax_included,
                )
                for line in document.lines
            ],
            discount_minor=document.discount_minor,
            shipping_minor=document.shipping_minor,
            shipping_tax_minor=document.shipping_tax_minor,
        )
    except ValueError as error:
        raise wrong("discount_minor", str(error)) from error
