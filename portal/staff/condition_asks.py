"""What rules can look at, in the desk's words, and the ways each of it can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.pages.policy_words import DETAILS, METHODS, REASONS, RESOLUTIONS
from portal.staff.widgets import Day, Flag, Number, Some, Widget, Words
from returns.conditions import CODES
from returns.facts import TYPES
from returns.money import exponent

# What a rule may look at: its group, what it is called, and what to type.
FACTS: Final[dict[str, tuple[str, str, str]]] = {
    "category": ("The article", "Category", "Several with commas between them."),
    "product": ("The article", "Product", "Several with commas between them."),
    "sku": ("The article", "Article number (SKU)", "Several with commas between them."),
    "tags": ("The article", "Tags of the article", "Several with commas between them."),
    "unit_price_minor": ("The article", "Price of one piece", "Before any discount."),
    "unit_discount_minor": ("The article", "Discount on one piece", ""),
    "unit_discount_bps": ("The article", "Discount as a share of the price", ""),
    "final_sale": ("The article", "Sold as final", ""),
    "reason": ("The request", "Reason", ""),
    "detail": ("The request", "Reason in detail", ""),
    "fault": ("The request", "Whose fault it is", "As far as the reason tells."),
    "resolution": ("The request", "What the customer wants", ""),
    "method": ("The request", "Way back", ""),
    "quantity": ("The request", "Pieces of this article", ""),
    "request_quantity": ("The request", "Pieces sent back in all", ""),
    "share_bps": ("The request", "Share of the order that is sent back", ""),
    "photo": ("The request", "A photo was added", ""),
    "text": ("The request", "Something was written", ""),
    "channel": ("The request", "Asked over", "page, api, staff or withdrawal."),
    "country": ("The order", "Country", "By name, or EU. Several with commas between them."),
    "region": ("The order", "Region", "As in the address. Several with commas between them."),
    "currency": ("The order", "Currency", "A code such as EUR."),
    "order_total_minor": ("The order", "Value of the whole order", ""),
    "order_quantity": ("The order", "Pieces ordered", ""),
    "order_tags": ("The order", "Tags of the order", "Several with commas between them."),
    "gift": ("The order", "Sent as a gift", ""),
    "days_since_order": ("Time", "Days since the order", ""),
    "days_since_shipment": ("Time", "Days since dispatch", ""),
    "days_since_delivery": ("Time", "Days since delivery", ""),
    "requested_on": ("Time", "Day of the request", ""),
    "ordered_on": ("Time", "Day of the order", ""),
    "shipped_on": ("Time", "Day of dispatch", ""),
    "delivered_on": ("Time", "Day of delivery", ""),
    "customer_tags": ("The customer", "Tags of the customer", "Several with commas between them."),
    "customer_orders": ("The customer", "Earlier orders", ""),
    "customer_returns": ("The customer", "Earlier returns", ""),
    "customer_return_rate_bps": ("The customer", "Share of pieces sent back before", ""),
    "risk_points": ("The customer", "Risk points", "They never decline, they lead to a look."),
}
FAULTS: Final = {"shop": "The shop's", "carrier": "The carrier's", "customer": "The customer's"}
WORDS: Final[dict[str, Mapping[str, str]]] = {
    "reason": REASONS,
    "detail": DETAILS,
    "fault": FAULTS,
    "resolution": RESOLUTIONS,
    "method": METHODS,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A comparison as a row says it."""

    fact: str
    ask: str
    wanted: Any


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking. `wants` says what is wrong with a value; None: it takes none."""

    words: str
    document: Callable[[str, Any], dict[str, Any]]
    wants: Callable[[Any], str] | None


def _nothing_missing(value: Any) -> str:
    return "" if value not in (None, "", []) else "say what it is compared with."


def _exactly_one(value: Any) -> str:
    return "" if isinstance(value, list) and len(value) == 1 else "give one beginning."


def _among(fact: str, wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, list):
        return {"fact": fact, "is": wanted}
    return {"fact": fact, "is": wanted[0]} if len(wanted) == 1 else {"fact": fact, "in": wanted}


def _by(operator: str, step: int = 0) -> Callable[[str, Any], dict[str, Any]]:
    return lambda fact, wanted: {"fact": fact, operator: wanted + step if step else wanted}


def _fixed(operator: str, *, wanted: bool) -> Callable[[str, Any], dict[str, Any]]:
    return lambda fact, _: {"fact": fact, operator: wanted}


ASKS: Final[dict[str, Way]] = {
    "is": Way("is", _among, _nothing_missing),
    "is_not": Way("is not", lambda f, v: {"not": _among(f, v)}, _nothing_missing),
    "begins": Way("begins with", lambda f, v: {"fact": f, "starts_with": v[0]}, _exactly_one),
    "from": Way("is at least", _by("at_least"), _nothing_missing),
    "above": Way("is more than", _by("at_least", 1), _nothing_missing),
    "to": Way("is at most", _by("at_most"), _nothing_missing),
    "below": Way("is less than", _by("at_most", -1), _nothing_missing),
    "since": Way("is on or after", _by("at_least"), _nothing_missing),
    "until": Way("is on or before", _by("at_most"), _nothing_missing),
    "has_any": Way("has at least one of", _by("has_any"), _nothing_missing),
    "has_all": Way("has all of", _by("has_all"), _nothing_missing),
    "has_none": Way(
        "has none of", lambda f, v: {"not": {"fact": f, "has_any": v}}, _nothing_missing
    ),
    "yes": Way("yes", _fixed("is", wanted=True), None),
    "no": Way("no", _fixed("is", wanted=False), None),
    "known": Way("is known", _fixed("known", wanted=True), None),
    "unknown": Way("is not known", _fixed("known", wanted=False), None),
}
OF_TYPE: Final[dict[str, tuple[str, ...]]] = {
    "text": ("is", "is_not", "begins", "known", "unknown"),
    "code": ("is", "is_not", "known", "unknown"),
    "number": ("from", "above", "to", "below", "is", "is_not", "known", "unknown"),
    "money": ("above", "from", "to", "below", "is", "is_not", "known", "unknown"),
    "flag": ("yes", "no"),
    "tags": ("has_any", "has_all", "has_none"),
    "date": ("since", "until", "is", "is_not", "known", "unknown"),
}


def asks_of(fact: str) -> tuple[str, ...]:
    """The ways a fact can be asked, the likeliest first."""
    return OF_TYPE["code" if fact in CODES else TYPES[fact]] if fact in TYPES else ()


def label_of(fact: str) -> str:
    """What the desk calls a fact."""
    return FACTS[fact][1] if fact in FACTS else fact


def told_as(document: Any) -> Ask | None:
    """The row for a comparison in JSON, with the value as its widget takes it; None: there is none.

    >>> told_as({"not": {"fact": "category", "is": "Shoes"}})
    Ask(fact='category', ask='is_not', wanted=['Shoes'])
    """
    negated = set(document) == {"not"}
    compare = document["not"] if negated else document
    if "fact" not in compare:
        return None
    fact = compare["fact"]
    ((operator, wanted),) = ((name, value) for name, value in compare.items() if name != "fact")
    ask = _ask(fact, operator, wanted, negated=negated)
    if ask is None or ask not in asks_of(fact):
        return None
    if ask == "above":
        return Ask(fact, ask, wanted - 1)
    return Ask(fact, ask, _as_list(fact, operator, wanted))


def _ask(fact: str, operator: str, wanted: Any, *, negated: bool) -> str | None:
    kind = TYPES[fact]
    if operator in ("is", "in"):
        if kind == "flag":
            return None if negated else ("yes" if wanted else "no")
        if operator == "in" and kind != "text":
            return None
        return "is_not" if negated else "is"
    if negated:
        return "has_none" if operator == "has_any" else None
    if operator == "known":
        return "known" if wanted else "unknown"
    # 300.01 and more was most likely said as "more than 300".
    if kind == "money" and operator == "at_least" and wanted % 100 == 1:
        return "above"
    dates = {"at_least": "since", "at_most": "until"}
    plain = {"at_least": "from", "at_most": "to", "starts_with": "begins"}
    return (dates if kind == "date" else plain).get(operator, operator)


def _as_list(fact: str, operator: str, wanted: Any) -> Any:
    if operator == "known" or TYPES[fact] == "flag":
        return None
    if TYPES[fact] not in ("text", "tags"):
        return wanted
    return wanted if isinstance(wanted, list) else [wanted]


def value_widget(fact: str, currency: str) -> Widget:
    """The field for what a fact is compared with."""
    _, label, help = FACTS[fact]
    kind = TYPES[fact]
    if fact in CODES:
        words = {code: str(WORDS[fact].get(code, code)) for code in WORDS[fact]}
        return Some(label=label, help=help, words=words)
    if kind in ("text", "tags"):
        return Words(label=label, help=help, is_country=fact == "country")
    if kind == "date":
        return Day(label=label, help=help)
    if kind == "flag":
        return Flag(label=label)
    if fact.endswith("_bps"):
        return Number(label=label, help=help, unit="%", digits=2, least=0)
    digits, unit = (exponent(currency), currency) if kind == "money" else (0, "")
    return Number(label=label, help=help, unit=unit, digits=digits, least=0)
