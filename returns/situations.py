"""The finitely many situations that a policy's own comparisons can tell apart.

A comparison splits a fact's values into a few kinds; one value of each kind stands for all. Going
through the combinations answers "can this ever hold?" with certainty, as long as they are few.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, combinations, product
from math import prod
from typing import Any, Final

from returns.conditions import Compare, Condition, compares, test
from returns.document import Policy
from returns.facts import DAYS_SINCE, TYPES, Facts
from returns.reasons import FAULTS, REASONS
from returns.window import days_after

MOST: Final = 20_000
MOST_TAGS: Final = 6
OTHER: Final = "~other"  # a text no shop writes

# A usual request: delivered five days ago, changed mind, nothing special about it.
NOON: Final = datetime(2026, 3, 16, 12, tzinfo=UTC)
USUAL: Final = Facts(
    ordered_at=NOON - timedelta(days=10),
    shipped_at=NOON - timedelta(days=9),
    delivered_at=NOON - timedelta(days=5),
    country=OTHER,
    region=OTHER,
    order_total_minor=5_000,
    order_quantity=2,
    sku=OTHER,
    product=OTHER,
    category=OTHER,
    unit_price_minor=5_000,
    unit_discount_minor=0,
    reason="changed_mind",
    channel=OTHER,
    photo=True,
    text=True,
    customer_orders=1,
    customer_returns=0,
    customer_return_rate_bps=0,
    risk_points=0,
)
# These are always known; anything else may not be, which is a kind of its own.
NEVER_UNKNOWN: Final = frozenset(
    {"quantity", "request_quantity", "requested_on", "ordered_on", "days_since_order"}
)


def values_of(asked: Iterable[Compare]) -> dict[str, list[Any]] | None:
    """For each fact asked about, one value of each kind. None when tags make too many."""
    by_fact: dict[str, list[Compare]] = {}
    for compare in asked:
        by_fact.setdefault(compare.fact, []).append(compare)
    found = {fact: _kinds(fact, of) for fact, of in by_fact.items()}
    return None if any(kinds is None for kinds in found.values()) else found  # type: ignore[return-value]


def combos(conditions: Iterable[Condition]) -> Iterator[dict[str, Any]] | None:
    """Every combination that these conditions can tell apart; None when there are too many."""
    values = values_of(chain.from_iterable(compares(condition) for condition in conditions))
    if values is None or prod(len(kinds) for kinds in values.values()) > MOST:
        return None
    return (dict(zip(values, combo, strict=True)) for combo in product(*values.values()))


def meeting(condition: Condition) -> dict[str, Any] | None:
    """The first combination in which the condition holds; None when none was found."""
    holds = test(condition, "", None)
    return next((one for one in combos([condition]) or () if holds(one) is None), None)


def mentioned(policy: Policy, fact: str) -> list[str]:
    """Every text the policy names for a fact, with one for all others first."""
    asked = [c for entry in policy.rules for c in compares(entry.when) if c.fact == fact]
    found = (values_of(asked) or {}).get(fact, [OTHER])
    if fact == "category":
        found += [name for entry in policy.rules for name in getattr(entry.rule, "by_category", ())]
    return list(dict.fromkeys(value for value in found if value is not None))


def request(policy: Policy, wanted: Mapping[str, Any]) -> tuple[Facts, datetime]:
    """A usual request bent so that these facts hold: derived ones through what they come from."""
    at = NOON
    if isinstance(wanted.get("requested_on"), date):
        at = _noon(wanted["requested_on"])
    facts = replace(USUAL, currency=policy.currency)
    shift = at - NOON
    facts = replace(
        facts,
        ordered_at=NOON - timedelta(days=10) + shift,
        shipped_at=NOON - timedelta(days=9) + shift,
        delivered_at=NOON - timedelta(days=5) + shift,
    )
    for fact, value in wanted.items():
        facts = _bent(facts, at, fact, value)
    return facts, at


def _bent(facts: Facts, at: datetime, fact: str, value: Any) -> Facts:
    changes: dict[str, Any] = {fact: value}
    match fact:
        case "requested_on":
            changes = {}
        case "ordered_on" | "shipped_on" | "delivered_on":
            changes = {f"{fact.removesuffix('_on')}_at": None if value is None else _noon(value)}
        case "days_since_order" | "days_since_shipment" | "days_since_delivery":
            moment = None if value is None else _noon(days_after(at.date(), -value))
            changes = {f"{DAYS_SINCE[fact].removesuffix('_on')}_at": moment}
        case "unit_discount_bps":
            changes = {"unit_price_minor": 10_000, "unit_discount_minor": value}
        case "share_bps":
            # A request always knows its own quantity; what may be unknown is the order's.
            known = {"order_quantity": 10_000, "request_quantity": value}
            changes = {"order_quantity": None} if value is None else known
        case "fault":
            whose = {fault: reason for reason, fault in FAULTS.items() if reason in REASONS}
            changes = {"reason": whose.get(value, "other")}
    return replace(facts, **changes)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def _kinds(fact: str, asked: list[Compare]) -> list[Any] | None:
    unknown = [] if fact in NEVER_UNKNOWN else [None]
    asked = [compare for compare in asked if compare.operator != "known"]
    match TYPES[fact]:
        case "flag":
            return [False, True]
        case "text":
            return [*_texts(asked), *unknown]
        case "tags":
            return _tag_sets({tag for compare in asked for tag in compare.wanted})
        case "date":
            days = {c.wanted for c in asked} or {NOON.date()}
            near = {days_after(day, step) for day in days for step in (-1, 0, 1)}
            return [*sorted(near), *unknown]
    numbers = {n for c in asked for n in (c.wanted if c.operator == "in" else [c.wanted])} or {1}
    return [*sorted({n + step for n in numbers for step in (-1, 0, 1)}), *unknown]


def _texts(asked: list[Compare]) -> list[str]:
    found: dict[str, None] = {OTHER: None}
    for compare in asked:
        match compare.operator:
            case "in":
                found |= dict.fromkeys(compare.wanted)
            case "starts_with":
                found |= {compare.wanted: None, compare.wanted + OTHER: None}
            case _:
                found[compare.wanted] = None
    return list(found)


def _tag_sets(tags: set[str]) -> list[Any] | None:
    if len(tags) > MOST_TAGS:
        return None
    ordered = sorted(tags)
    return [subset for n in range(len(ordered) + 1) for subset in combinations(ordered, n)]
