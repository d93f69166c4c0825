"""Conditions: what each comparison means, and that unknown facts answer neither yes nor no."""

from typing import Any

import pytest
from hypothesis import given

from returns.conditions import DEEPEST, Compare, compares, read, test, write
from returns.errors import FieldProblem
from returns.facts import Facts, look, needed
from returns.policy import Outcome, decide
from tests.returns.samples import SOON, any_facts, conditions, facts, policy

test.__test__ = False  # type: ignore[attr-defined]  # a name of ours, not a test


def answer(document: Any, known: Facts) -> str:
    """met, not_met or unknown."""
    problems: list[FieldProblem] = []
    condition = read(document, ("when",), problems)
    assert problems == []
    names = {compare.fact for compare in compares(condition)}
    berlin = policy().zone
    missed = test(condition, "rule", "EUR")(vars(look(known, SOON, berlin, needed(names))))
    return "met" if missed is None else missed[1].word


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"fact": "country", "is": "DE"}, "met"),
        ({"fact": "country", "is": "de"}, "met"),
        ({"fact": "country", "in": ["FR", "US"]}, "not_met"),
        ({"fact": "sku", "starts_with": "sh-"}, "met"),
        ({"fact": "region", "is": "BE"}, "unknown"),
        ({"fact": "region", "known": False}, "met"),
        ({"fact": "country", "known": True}, "met"),
        ({"fact": "unit_price_minor", "at_least": 5_000}, "met"),
        ({"fact": "unit_price_minor", "at_least": 5_001}, "not_met"),
        ({"fact": "unit_price_minor", "at_most": 5_000}, "met"),
        ({"fact": "unit_price_minor", "at_most": 4_999}, "not_met"),
        ({"fact": "quantity", "in": [1, 2]}, "met"),
        ({"fact": "final_sale", "is": False}, "met"),
        ({"fact": "tags", "has_any": ["SALE", "new"]}, "met"),
        ({"fact": "tags", "has_all": ["sale", "new"]}, "not_met"),
        ({"fact": "days_since_delivery", "at_most": 7}, "met"),
        ({"fact": "days_since_delivery", "at_most": 6}, "not_met"),
        ({"fact": "ordered_on", "at_least": "2026-04-01"}, "met"),
        ({"fact": "share_bps", "is": 5_000}, "met"),
        ({"fact": "unit_discount_bps", "at_least": 1_000}, "met"),
        ({"fact": "fault", "is": "customer"}, "met"),
        ({"all": []}, "met"),
        ({"any": []}, "not_met"),
        ({"not": {"fact": "country", "is": "DE"}}, "not_met"),
        ({"not": {"fact": "region", "is": "BE"}}, "unknown"),
        ({"all": [{"fact": "region", "is": "BE"}, {"fact": "country", "is": "FR"}]}, "not_met"),
        ({"all": [{"fact": "region", "is": "BE"}, {"fact": "country", "is": "DE"}]}, "unknown"),
        ({"any": [{"fact": "region", "is": "BE"}, {"fact": "country", "is": "DE"}]}, "met"),
        ({"any": [{"fact": "region", "is": "BE"}, {"fact": "country", "is": "FR"}]}, "unknown"),
    ],
)
def test_a_condition_is_met_or_not_or_unknown(document: Any, expected: str) -> None:
    known = facts(tags=("Sale",), unit_discount_minor=500)
    assert answer(document, known) == expected


def test_amounts_of_another_currency_are_unknown() -> None:
    dear = {"fact": "unit_price_minor", "at_least": 1}
    assert answer(dear, facts(currency="JPY")) == "unknown"
    assert answer({"not": dear}, facts(currency="JPY")) == "unknown"


def test_a_rule_whose_condition_is_unknown_stays_silent() -> None:
    rule = {"id": "bavaria", "kind": "decline", "when": {"fact": "region", "is": "BY"}}
    decision = decide(policy(rule, otherwise="approve"), facts(), SOON)
    assert decision.outcome is Outcome.APPROVE
    assert decision.verdicts == [
        {"rule": "bavaria", "verdict": "unknown", "values": {"fact": "region", "is": "BY"}}
    ]


@given(conditions)
def test_a_condition_written_and_read_is_the_same(document: dict[str, Any]) -> None:
    condition = read(document, (), [])
    assert read(write(condition), (), []) == condition


@given(conditions, any_facts)
def test_not_not_is_nothing(document: dict[str, Any], known: Facts) -> None:
    assert answer({"not": {"not": document}}, known) == answer(document, known)


@given(conditions, conditions, any_facts)
def test_de_morgan_holds_with_unknowns_too(
    one: dict[str, Any], other: dict[str, Any], known: Facts
) -> None:
    neither = {"all": [{"not": one}, {"not": other}]}
    assert answer({"not": {"any": [one, other]}}, known) == answer(neither, known)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"fact": "colour", "is": "red"}, "no fact 'colour'"),
        ({"fact": "country", "at_least": "DE"}, "only with is, in, starts_with, known"),
        ({"fact": "country", "is": 3}, "give text in quotes"),
        ({"fact": "quantity", "is": True}, "give a whole number"),
        ({"fact": "quantity", "is": 1.5}, "give a whole number"),
        ({"fact": "final_sale", "is": "yes"}, "true or false"),
        ({"fact": "ordered_on", "at_least": "soon"}, "Invalid isoformat"),
        ({"fact": "country", "in": []}, "at least one"),
        ({"fact": "reason", "is": "fualty"}, "no such code"),
        ({"fact": "country"}, "A condition is"),
        ({"fact": "country", "is": "DE", "in": ["DE"]}, "A condition is"),
        ({"all": [], "any": []}, "A condition is"),
        ({}, "A condition is"),
        ([], "A condition is"),
        (None, "A condition is"),
    ],
)
def test_what_is_no_condition_is_named_in_a_sentence(document: Any, words: str) -> None:
    problems: list[FieldProblem] = []
    read(document, ("when",), problems)
    assert len(problems) == 1
    assert words in problems[0].message


def test_conditions_nested_too_deep_are_refused_not_followed() -> None:
    document: dict[str, Any] = {"fact": "gift", "is": True}
    for _ in range(10 * DEEPEST):
        document = {"not": document}
    problems: list[FieldProblem] = []
    read(document, (), problems)
    assert f"more than {DEEPEST} deep" in problems[0].message


def test_every_comparison_is_found_in_order() -> None:
    one, two = {"fact": "country", "is": "DE"}, {"fact": "gift", "is": True}
    document = {"all": [one, {"not": {"any": [two]}}]}
    assert list(compares(read(document, (), []))) == [
        Compare("country", "is", "DE"),
        Compare("gift", "is", True),
    ]
