"""A receipt's facts, posted again, give the decision that the receipt tells of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.policy import DocumentError, Facts, Policy, decide, receipt
from returns.recalled import recall

NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)
ZONES = ("UTC", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu", "Europe/Berlin")


def curious(zone: str) -> Policy:
    """A policy that looks at everything that is derived."""
    conditions = [
        {"fact": "days_since_shipment", "at_least": 20},
        {"fact": "share_bps", "at_least": 5000},
        {"fact": "unit_discount_bps", "at_least": 3333},
        {"fact": "fault", "is": "shop"},
    ]
    rules = [{"id": "window", "kind": "window", "days": 30}]
    for place, condition in enumerate(conditions):
        rules.append({"id": f"look-{place}", "kind": "review", "when": condition})
    return Policy.from_json(
        {"version": 1, "time_zone": zone, "otherwise": "approve", "rules": rules}
    )


moments = st.integers(0, 3 * 365 * 86_400).map(lambda past: NOW - timedelta(seconds=past))


@given(
    zone=st.sampled_from(ZONES),
    at=moments,
    ago=st.integers(0, 60),
    quantities=st.tuples(st.integers(1, 50), st.integers(0, 50)),
    price=st.none() | st.tuples(st.integers(1, 99_999), st.integers(0, 99_999)),
    reason=st.sampled_from(("faulty", "changed_mind", "too_small")),
)
def test_a_receipt_can_be_decided_again(
    zone: str,
    at: datetime,
    ago: int,
    quantities: tuple[int, int],
    price: tuple[int, int] | None,
    reason: str,
) -> None:
    part, rest = quantities
    facts = Facts(
        ordered_at=at - timedelta(days=ago + 2),
        shipped_at=at - timedelta(days=ago + 1),
        delivered_at=at - timedelta(days=ago),
        request_quantity=part,
        order_quantity=part + rest,
        unit_price_minor=price and price[0],
        unit_discount_minor=price and min(price),
        reason=reason,
    )
    told = receipt(decide(curious(zone), facts, at))
    again, moment = recall(told["facts"] | {"reason": reason}, None, NOW, ZoneInfo(zone))
    assert receipt(decide(curious(zone), again, moment)) == told


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"ordered_on": "yesterday"}, "facts.ordered_on"),
        ({"ordered_on": "2026-05-01", "share_bps": 0}, "facts.share_bps"),
        ({"ordered_at": "2026-05-01T09:00:00Z", "ordered_on": "2026-05-02"}, "facts.ordered_on"),
        ({"ordered_on": "2026-05-01", "days_since_order": 5}, "facts.days_since_order"),
        ({"ordered_on": "2026-05-01", "nonsense": 1}, "facts.nonsense"),
        ({"ordered_on": "2026-05-01", "reason": "faulty", "fault": "customer"}, "facts.fault"),
        ({}, "facts.ordered_at"),
    ],
)
def test_facts_that_contradict_each_other_are_named(document: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as refused:
        recall(document, None, NOW, ZoneInfo("UTC"))
    assert [problem.field for problem in refused.value.problems] == [field]


def test_days_since_are_counted_back_from_the_moment() -> None:
    facts, at = recall({"days_since_order": 3}, None, NOW, ZoneInfo("UTC"))
    assert (facts.ordered_at.date(), at) == (date(2026, 5, 31), NOW)
