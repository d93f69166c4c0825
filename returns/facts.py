"""What a policy may look at: facts about customer, order, unit and request, and the moment.

Facts are given by whoever asks. What follows from them and the moment (dates of the shop's
calendar, days since, shares) is derived once a decision, and only as far as the policy looks.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, tzinfo
from typing import Any, ClassVar, Final, Literal

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError

from returns.errors import DocumentError, problems_of
from returns.reasons import fault_of
from returns.window import local_day

Derivation = Callable[[Mapping[str, Any], datetime, tzinfo], Any]
Derived = tuple[str, Derivation]
FactType = Literal["text", "number", "money", "flag", "tags", "date"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts of one order line in one request. None means "not known".

    Moments are aware. Amounts are minor units of `currency`, per unit where the name says so.
    Numbers about the customer leave this request and this order out. `quantity` is the line's
    in this request, `request_quantity` the whole request's, `order_quantity` the order's.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    ordered_at: AwareDatetime
    shipped_at: AwareDatetime | None = None
    delivered_at: AwareDatetime | None = None
    currency: str | None = None
    country: str | None = None
    region: str | None = None
    order_total_minor: int | None = None
    order_quantity: int | None = None
    order_tags: tuple[str, ...] = ()
    gift: bool = False
    sku: str | None = None
    product: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    unit_price_minor: int | None = None
    unit_discount_minor: int | None = None
    final_sale: bool = False
    quantity: int = 1
    request_quantity: int = 1
    reason: str | None = None
    detail: str | None = None
    resolution: str | None = None
    method: str | None = None
    channel: str | None = None
    photo: bool = False
    text: bool = False
    customer_orders: int | None = None
    customer_returns: int | None = None
    customer_return_rate_bps: int | None = None
    customer_tags: tuple[str, ...] = ()
    risk_points: int | None = None

    def __post_init__(self) -> None:
        for moment in (self.ordered_at, self.shipped_at, self.delivered_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(
                    f"{moment.isoformat()} has no time zone. Give moments with an offset."
                )

    def to_json(self) -> dict[str, Any]:
        """Every fact, for storing beside the decision it led to."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Facts":
        """Read posted or stored facts. Raises DocumentError with a sentence a field."""
        try:
            return _READ.validate_json(json.dumps(document), strict=True)
        except ValidationError as error:
            raise DocumentError(problems_of("The facts", error, ["facts"])) from error


class FactsAt(Facts):
    """Facts as a moment sees them. The derived ones are there when the policy looks at them."""

    requested_on: date
    ordered_on: date
    shipped_on: date | None
    delivered_on: date | None
    days_since_order: int
    days_since_shipment: int | None
    days_since_delivery: int | None
    unit_discount_bps: int | None
    share_bps: int | None
    fault: str | None


_READ: Final = TypeAdapter(Facts)

TYPES: Final[dict[str, FactType]] = {
    **dict.fromkeys(("currency", "country", "region", "sku", "product", "category"), "text"),
    **dict.fromkeys(("reason", "detail", "fault", "resolution", "method", "channel"), "text"),
    **dict.fromkeys(("unit_price_minor", "unit_discount_minor", "order_total_minor"), "money"),
    **dict.fromkeys(("quantity", "request_quantity", "order_quantity"), "number"),
    **dict.fromkeys(("customer_orders", "customer_returns", "risk_points"), "number"),
    **dict.fromkeys(("customer_return_rate_bps", "unit_discount_bps", "share_bps"), "number"),
    **dict.fromkeys(("days_since_order", "days_since_shipment"), "number"),
    "days_since_delivery": "number",
    **dict.fromkeys(("final_sale", "photo", "text", "gift"), "flag"),
    **dict.fromkeys(("tags", "order_tags", "customer_tags"), "tags"),
    **dict.fromkeys(("requested_on", "ordered_on", "shipped_on", "delivered_on"), "date"),
}

# What each derived fact is made of; a name may itself be derived.
SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "requested_on": (),
    "ordered_on": ("ordered_at",),
    "shipped_on": ("shipped_at",),
    "delivered_on": ("delivered_at",),
    "days_since_order": ("requested_on", "ordered_on"),
    "days_since_shipment": ("requested_on", "shipped_on"),
    "days_since_delivery": ("requested_on", "delivered_on"),
    "unit_discount_bps": ("unit_price_minor", "unit_discount_minor"),
    "share_bps": ("request_quantity", "order_quantity"),
    "fault": ("reason", "detail"),
}
DAYS_SINCE: Final = {
    "days_since_order": "ordered_on",
    "days_since_shipment": "shipped_on",
    "days_since_delivery": "delivered_on",
}


def look(facts: Facts, at: datetime, zone: tzinfo, derived: Iterable[Derived]) -> FactsAt:
    """The facts at a moment, with the `derived` ones (see `needed`) worked out."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone. Decide at a moment with an offset.")
    seen = object.__new__(FactsAt)
    values = seen.__dict__
    values.update(facts.__dict__)
    for name, derive in derived:
        values[name] = derive(values, at, zone)
    return seen


def needed(names: Iterable[str]) -> tuple[Derived, ...]:
    """How to derive those of `names` that are, and what they are made of, in the right order."""
    wanted = {name for name in names if name in SOURCES}
    wanted |= {source for name in wanted for source in SOURCES[name] if source in SOURCES}
    return tuple((name, _DERIVE[name]) for name in SOURCES if name in wanted)


def plain(value: Any) -> Any:
    """A value as JSON holds it: dates and moments in ISO form, records as objects."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


def bps_of(part: int | None, whole: int | None) -> int | None:
    """`part` of `whole` in basis points, rounded down; None where either is unknown or empty."""
    if part is None or not whole or whole < 0:
        return None
    return part * 10_000 // whole


def _day(name: str) -> Derivation:
    def derive(values: Mapping[str, Any], _: datetime, zone: tzinfo) -> date | None:
        moment = values[name]
        return None if moment is None else local_day(moment, zone)

    return derive


def _since(name: str) -> Derivation:
    def derive(values: Mapping[str, Any], _: datetime, __: tzinfo) -> int | None:
        day: date | None = values[name]
        return None if day is None else (values["requested_on"] - day).days

    return derive


_DERIVE: Final[dict[str, Derivation]] = {
    "requested_on": lambda _, at, zone: local_day(at, zone),
    "ordered_on": _day("ordered_at"),
    "shipped_on": _day("shipped_at"),
    "delivered_on": _day("delivered_at"),
    **{name: _since(day) for name, day in DAYS_SINCE.items()},
    "unit_discount_bps": lambda v, _, __: bps_of(v["unit_discount_minor"], v["unit_price_minor"]),
    "share_bps": lambda v, _, __: bps_of(v["request_quantity"], v["order_quantity"]),
    "fault": lambda v, _, __: fault_of(v["reason"], v["detail"]),
}
