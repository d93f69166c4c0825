"""A plain policy and a plain request to bend in tests, and strategies for any of either."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from returns.conditions import CODES, OPERATORS
from returns.facts import TYPES
from returns.money import LineMoney
from returns.policy import Facts, Policy
from returns.reasons import REASONS
from returns.verdict import RESOLUTIONS

ORDERED: Final = datetime(2026, 4, 1, 9, tzinfo=UTC)
SHIPPED: Final = datetime(2026, 4, 2, 9, tzinfo=UTC)
DELIVERED: Final = datetime(2026, 4, 3, 9, tzinfo=UTC)
SOON: Final = datetime(2026, 4, 10, 9, tzinfo=UTC)

APPROVE: Final = {"id": "ok", "kind": "approve"}


def policy(*rules: dict[str, Any], **head: Any) -> Policy:
    """A policy of these rules, in Berlin's calendar and in euros unless said."""
    return Policy.from_json(
        {
            "version": 1,
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "rules": list(rules),
            **head,
        }
    )


def facts(**known: Any) -> Facts:
    """A delivered pair of shoes from Germany, sent back for a change of mind."""
    usual: dict[str, Any] = {
        "ordered_at": ORDERED,
        "shipped_at": SHIPPED,
        "delivered_at": DELIVERED,
        "currency": "EUR",
        "country": "DE",
        "category": "Shoes",
        "sku": "SH-1",
        "unit_price_minor": 5_000,
        "order_quantity": 2,
        "reason": "changed_mind",
    }
    return Facts(**(usual | known))


# --- strategies ---------------------------------------------------------------------------------

texts = st.sampled_from(["DE", "FR", "US", "Shoes", "shoes", "Underwear", "SH-1", "web", ""])
tag_sets = st.lists(st.sampled_from(["sale", "VIP", "fragile"]), max_size=3).map(tuple)
counts = st.integers(-1, 100)
amounts = st.integers(-1, 100_000)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
moments = st.datetimes(
    datetime(2025, 12, 1),  # noqa: DTZ001  # Hypothesis adds the zone itself
    datetime(2027, 1, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
reasons = st.sampled_from(sorted(REASONS))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The strategy's values, or not known."""
    return st.none() | strategy


any_facts = st.builds(
    Facts,
    ordered_at=moments,
    shipped_at=maybe(moments),
    delivered_at=maybe(moments),
    currency=maybe(st.sampled_from(["EUR", "JPY"])),
    country=maybe(texts),
    region=maybe(texts),
    order_total_minor=maybe(amounts),
    order_quantity=maybe(counts),
    order_tags=tag_sets,
    gift=st.booleans(),
    sku=maybe(texts),
    product=maybe(texts),
    category=maybe(texts),
    tags=tag_sets,
    unit_price_minor=maybe(amounts),
    unit_discount_minor=maybe(amounts),
    final_sale=st.booleans(),
    quantity=counts,
    request_quantity=counts,
    reason=maybe(reasons),
    detail=maybe(st.sampled_from(sorted(CODES["detail"]))),
    resolution=maybe(st.sampled_from([*RESOLUTIONS, "keep"])),
    method=maybe(st.sampled_from(["label", "qr", "in_store"])),
    channel=maybe(texts),
    photo=st.booleans(),
    text=st.booleans(),
    customer_orders=maybe(counts),
    customer_returns=maybe(counts),
    customer_return_rate_bps=maybe(amounts),
    customer_tags=tag_sets,
    risk_points=maybe(counts),
)


@st.composite
def compares(draw: st.DrawFn, names: tuple[str, ...] = tuple(sorted(TYPES))) -> dict[str, Any]:
    fact = draw(st.sampled_from(names))
    kind = TYPES[fact]
    operator = draw(st.sampled_from([o for o, kinds in OPERATORS.items() if kind in kinds]))
    if operator == "known":
        return {"fact": fact, "known": draw(st.booleans())}
    one = draw(_wanted(fact, kind))
    return {"fact": fact, operator: [one] if operator in ("in", "has_any", "has_all") else one}


def _wanted(fact: str, kind: str) -> st.SearchStrategy[Any]:
    if fact in CODES:
        return st.sampled_from(sorted(CODES[fact]))
    return {
        "text": texts,
        "number": counts,
        "money": amounts,
        "flag": st.booleans(),
        "tags": st.sampled_from(["sale", "vip", "fragile"]),
        "date": days.map(date.isoformat),
    }[kind]


conditions = st.recursive(
    compares(),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda of: {"all": of})
        | st.lists(inner, max_size=3).map(lambda of: {"any": of})
        | inner.map(lambda of: {"not": of})
    ),
    max_leaves=5,
)
SAFE: Final = tuple(sorted(set(TYPES) - {"risk_points"}))
_outcome = st.sampled_from(["decline", "review"])
_some = st.lists(st.sampled_from(RESOLUTIONS), min_size=1, max_size=3, unique=True)
_waived = st.lists(reasons, max_size=3, unique=True)
KIND_SETTINGS: Final[dict[str, st.SearchStrategy[dict[str, Any]]]] = {
    "approve": st.just({}),
    "review": st.just({}),
    "decline": st.just({}),
    "final_sale": st.fixed_dictionaries({"unless_reasons": _waived, "outcome": _outcome}),
    "delivered": st.fixed_dictionaries(
        {"or_days_after_shipment": maybe(st.integers(1, 60)), "outcome": _outcome}
    ),
    "window": st.fixed_dictionaries(
        {
            "days": st.integers(0, 60),
            "anchor": st.sampled_from(["delivery", "shipment", "order"]),
            "by_category": st.dictionaries(texts, st.integers(0, 60), max_size=2),
            "outcome": _outcome,
        }
    ),
    "resolutions": st.fixed_dictionaries({"allow": _some}),
    "methods": st.fixed_dictionaries(
        {"allow": st.lists(st.sampled_from(["label", "qr"]), min_size=1, unique=True)}
    ),
    "label": st.fixed_dictionaries(
        {
            "paid_by": st.sampled_from(["shop", "customer"]),
            "cost_minor": st.dictionaries(st.sampled_from(["label", "qr"]), st.integers(0, 9_000)),
            "free_for": _waived,
        }
    ),
    "restocking_fee": st.fixed_dictionaries(
        {
            "amount_minor": st.integers(0, 9_000),
            "share_bps": st.integers(0, 10_000),
            "resolutions": _some,
            "waived_for": _waived,
        }
    ),
    "bonus": st.fixed_dictionaries(
        {"amount_minor": st.integers(0, 2_000), "share_bps": st.integers(0, 2_000)}
    ),
    "keep_item": st.fixed_dictionaries({"then": st.sampled_from(["keep", "donate"])}),
    "instant_exchange": st.fixed_dictionaries(
        {"days": st.integers(3, 28), "at_most_minor": st.integers(0, 9_000)}
    ),
    "destination": st.just({"to": "depot"}),
    "original_shipping": st.fixed_dictionaries(
        {"refund": st.sampled_from(["always", "whole_order", "never"])}
    ),
    "money_moves": st.fixed_dictionaries(
        {"at": st.sampled_from(["label", "first_scan", "arrival", "inspection"])}
    ),
    "evidence": st.fixed_dictionaries({"photo": st.booleans(), "text": st.booleans()}),
    "risk_review": st.fixed_dictionaries({"from_points": st.integers(1, 100)}),
}


@st.composite
def rules(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(KIND_SETTINGS)) -> dict[str, Any]:
    kind = draw(st.sampled_from(kinds))
    rule = {"kind": kind, **draw(KIND_SETTINGS[kind])}
    if draw(st.booleans()):
        rule["when"] = draw(conditions.filter(lambda c: "risk_points" not in str(c)))
    return rule


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    listed = draw(st.lists(rules(), max_size=8))
    return {
        "version": draw(st.integers(1, 99)),
        "time_zone": draw(st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"])),
        "currency": draw(st.sampled_from([None, "EUR"])),
        "otherwise": draw(st.sampled_from(["approve", "review", "decline"])),
        "rules": [{"id": f"r{i}", **rule} for i, rule in enumerate(listed)],
    }


any_policy = documents().map(Policy.from_json)


@st.composite
def order_lines(draw: st.DrawFn) -> LineMoney:
    quantity, price = draw(st.integers(1, 4)), draw(st.integers(0, 50_000))
    discount = draw(st.integers(0, quantity * price))
    return LineMoney(quantity, price, discount, draw(st.integers(0, 9_000)), draw(st.booleans()))


def later(moment: datetime, **by: float) -> datetime:
    """A moment moved on."""
    return moment + timedelta(**by)
