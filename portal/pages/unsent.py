"""What of an order is in no parcel yet. Pure."""

from collections import Counter
from dataclasses import replace

from portal.pages.facts import ItemFacts, OrderFacts


def unsent(order: OrderFacts) -> tuple[ItemFacts, ...]:
    """The items that still wait at the shop, each with how many of it.

    Known only where every parcel says what it holds; empty where one does not, where there is no
    parcel at all, and for an order that was cancelled. Cancelled parcels hold nothing.
    """
    parcels = [parcel for parcel in order.parcels if parcel.status != "cancelled"]
    if order.status == "cancelled" or not parcels or not all(one.items for one in parcels):
        return ()
    held: Counter[ItemFacts] = Counter()
    for parcel in parcels:
        for item in parcel.items:
            held[_kind(item)] += item.quantity
    rest = []
    for item in order.items:
        sent = min(held[_kind(item)], item.quantity)
        held[_kind(item)] -= sent
        if sent < item.quantity:
            rest.append(replace(item, quantity=item.quantity - sent))
    return tuple(rest)


def _kind(item: ItemFacts) -> ItemFacts:
    return replace(item, quantity=1)
