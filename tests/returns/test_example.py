"""The worked example of docs/returns.md comes to what it says."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from returns.lint import lint
from returns.money import LineMoney, quote, spread_units
from returns.policy import Facts, Outcome, Policy, decide, would_change

PAGE = Path(__file__).resolve().parents[2] / "docs" / "returns.md"
ASKED = datetime(2026, 5, 20, 10, tzinfo=UTC)


@pytest.fixture
def policy() -> Policy:
    found = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return Policy.from_json(json.loads(found[1]))


def shoes(**more: object) -> Facts:
    known: dict[str, object] = {
        "ordered_at": datetime(2026, 4, 1, 9, tzinfo=UTC),
        "delivered_at": datetime(2026, 4, 3, 9, tzinfo=UTC),
        "currency": "EUR",
        "country": "DE",
        "category": "Shoes",
        "unit_price_minor": 8_000,
        "reason": "too_small",
        "method": "label",
    }
    return Facts(**(known | more))  # type: ignore[arg-type]


def test_it_is_decided_as_told(policy: Policy) -> None:
    decision = decide(policy, shoes(), ASKED)
    assert (decision.outcome, decision.rule) == (Outcome.APPROVE, "fine")
    assert decision.effects.last_day == date(2026, 6, 2)
    changes = {(each["fact"], each["to"]) for each in would_change(decision)}
    assert ("requested_on", "2026-06-03") in changes


@pytest.mark.parametrize(
    ("reason", "refund", "credit"), [("too_small", 7_101, 8_301), ("faulty", 8_000, 8_800)]
)
def test_it_pays_as_told(policy: Policy, reason: str, refund: int, credit: int) -> None:
    decision = decide(policy, shoes(reason=reason), ASKED)
    units = spread_units([LineMoney(2, 8_000, tax_included=True)], shipping_minor=490)[:1]
    for resolution, total in (("refund", refund), ("store_credit", credit)):
        [amounts] = quote([(units, decision.effects)], resolution, "label")
        assert amounts.total_minor == total


def test_it_is_fit_to_be_published(policy: Policy) -> None:
    assert [each for each in lint(policy) if each.level == "error"] == []
