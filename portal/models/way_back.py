"""What a label for the way back is bought with: from whom, to where, how heavy, what customs read.

A shop's settings say it: `return_address` (an address as orders have them), further ones by name
under `return_addresses` for policies that name a destination, `return_carriers` (empty: any), and
`labels_a_day`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from carriers.easypost_labels import Address, Item
from portal.models.order import Order
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine
from portal.models.shop import Shop
from returns.lint import EU
from returns.money import exponent

UNWEIGHED_G: Final = 500  # a piece whose weight the shop never told
LABELS_A_DAY: Final = 200
NEEDED: Final = ("name", "line1", "city", "country")
NO_RETURN_ADDRESS: Final = (
    "The shop has no return address, so no label can be bought. Set one (name, line1, city, "
    "postcode, country) with: porchlight return-address. Then try the label again."
)
NO_ADDRESS: Final = (
    "The order has no full address of the customer, so no label can be bought. Complete it, or "
    "send a label by hand."
)


class Unsendable(Exception):
    """No label can be bought as things stand. `str()` says for staff why, and what to do."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """One parcel back to the shop."""

    customer: Address
    shop: Address
    weight_g: int
    items: tuple[Item, ...]  # for customs; empty where nothing is declared
    carriers: tuple[str, ...]
    currency: str


def labels_a_day(shop: Shop) -> int:
    """How many labels a shop buys a day at the most."""
    told = shop.settings.get("labels_a_day")
    return told if isinstance(told, int) and told >= 0 else LABELS_A_DAY


def way_back(rma: Return, shop: Shop) -> WayBack:
    """What the label of a return is bought with. Raises Unsendable."""
    here = read_address(_destination(shop, rma.destination))
    if here is None:
        raise Unsendable(NO_RETURN_ADDRESS)
    there = read_address(rma.order.address)
    if there is None:
        raise Unsendable(NO_ADDRESS)
    lines = [line for line in rma.approved_lines if not line.keeps]
    weights = _weights(rma.order, lines)
    told = shop.settings.get("return_carriers")
    return WayBack(
        customer=there,
        shop=here,
        weight_g=sum(weights.values()),
        items=_items(lines, weights, here) if _is_declared(there.country, here.country) else (),
        carriers=tuple(map(str, told)) if isinstance(told, list) else (),
        currency=shop.currency,
    )


def read_address(told: object) -> Address | None:
    """An address as orders have them; None where a part that no carrier can miss is not there."""
    if not isinstance(told, Mapping) or not all(told.get(name) for name in NEEDED):
        return None
    known = {name: str(told.get(name) or "") for name in Address.__dataclass_fields__}
    return Address(**known)


def _destination(shop: Shop, name: str) -> Any:
    named = shop.settings.get("return_addresses")
    if name and isinstance(named, Mapping) and name in named:
        return named[name]
    return shop.settings.get("return_address")


def _weights(order: Order, lines: Sequence[ReturnLine]) -> dict[str, int]:
    """Grams of each line; the line of the order may be gone by now."""
    known = {line.id: line.weight_g for line in order.lines}
    return {line.id: len(line.units) * (known.get(line.line_id) or UNWEIGHED_G) for line in lines}


def _is_declared(there: str, here: str) -> bool:
    return there != here and not {there, here} <= EU


def _items(
    lines: Sequence[ReturnLine], weights: Mapping[str, int], here: Address
) -> tuple[Item, ...]:
    return tuple(
        Item(
            description=line.title or line.sku,
            quantity=len(line.units),
            value=_major(sum(unit.share.paid_minor for unit in line.units), line.rma.currency),
            currency=line.rma.currency,
            weight_g=weights[line.id],
            origin=here.country,
        )
        for line in lines
    )


def _major(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-exponent(currency))


def minor(amount: Decimal, currency: str) -> int:
    """A provider's decimal amount in minor units, rounded up: a cost is never told too low."""
    return int(amount.scaleb(exponent(currency)).to_integral_value("ROUND_CEILING"))
