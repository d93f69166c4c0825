"""What holds for every policy over every request."""

import json
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from returns.cases import Case, boundary_cases, broken
from returns.facts import Facts, plain
from returns.lint import lint
from returns.money import LineMoney, pay, quote, spread_units
from returns.policy import Outcome, Policy, decide, receipt, would_change
from returns.receipt import effects_of
from returns.verdict import RESOLUTIONS
from tests.returns.samples import any_facts, any_policy, documents, moments, rules

# Kinds that can only take an approval away.
STRICT = ("decline", "review", "final_sale", "delivered", "window", "evidence", "risk_review")


@given(any_policy, any_facts, moments)
def test_any_policy_decides_any_request(policy: Policy, facts: Facts, at: datetime) -> None:
    decision = decide(policy, facts, at)
    assert isinstance(decision.outcome, Outcome)
    assert decision.because
    assert [v["rule"] for v in decision.verdicts] == [rule.id for rule in policy.rules]


@given(documents(), any_facts, moments)
def test_the_same_input_gives_the_same_receipt(
    document: dict[str, Any], facts: Facts, at: datetime
) -> None:
    """Through JSON and back too, as on another machine."""
    told = receipt(decide(Policy.from_json(document), facts, at))
    stored = json.loads(json.dumps(Policy.from_json(document).to_json()))
    again = Facts.from_json(json.loads(json.dumps(facts.to_json())))
    assert receipt(decide(Policy.from_json(stored), again, at)) == told
    assert json.loads(json.dumps(told)) == told


@given(any_policy, any_facts, moments)
def test_deciding_changes_neither_policy_nor_facts(
    policy: Policy, facts: Facts, at: datetime
) -> None:
    before = (policy.to_json(), facts.to_json())
    receipt(decide(policy, facts, at))
    assert (policy.to_json(), facts.to_json()) == before


@given(documents(), rules(STRICT), st.integers(0, 8), any_facts, moments)
def test_a_stricter_policy_never_approves_more(
    document: dict[str, Any], stricter: dict[str, Any], place: int, facts: Facts, at: datetime
) -> None:
    looser = decide(Policy.from_json(document), facts, at)
    listed = [*document["rules"]]
    listed.insert(place, {"id": "stricter", **stricter})
    strict = decide(Policy.from_json(document | {"rules": listed}), facts, at)
    if strict.outcome is Outcome.APPROVE:
        assert looser.outcome is Outcome.APPROVE


@given(any_policy, any_facts, moments)
def test_the_decision_rests_on_the_facts_it_names(
    policy: Policy, facts: Facts, at: datetime
) -> None:
    """Whatever the receipt does not list may change without changing anything."""
    decision = decide(policy, facts, at)
    unused = {"sku", "region", "gift", "customer_tags"} - set(decision.facts)
    other = Facts(
        **{
            **vars(facts),
            **{n: {"gift": not facts.gift, "customer_tags": ("x",)}.get(n, "zz") for n in unused},
        }
    )
    assert receipt(decide(policy, other, at)) == receipt(decision)


@given(any_policy, any_facts, moments)
def test_what_would_change_the_outcome_does(policy: Policy, facts: Facts, at: datetime) -> None:
    decision = decide(policy, facts, at)
    for change in would_change(decision):
        assert change["outcome"] != decision.outcome.value
        assert change["from"] != change["to"]
        if change["fact"] in vars(facts) and change["fact"] not in ("shipped_at", "delivered_at"):
            to = tuple(change["to"]) if isinstance(change["to"], list) else change["to"]
            other = Facts(**(vars(facts) | {change["fact"]: to}))
            assert decide(policy, other, at).outcome.value == change["outcome"]


@given(any_policy, any_facts, moments)
def test_nothing_is_declined_for_risk(policy: Policy, facts: Facts, at: datetime) -> None:
    calm = Facts(**(vars(facts) | {"risk_points": 0}))
    risky = Facts(**(vars(facts) | {"risk_points": 100}))
    if decide(policy, risky, at).outcome is Outcome.DECLINE:
        assert decide(policy, calm, at).outcome is not Outcome.APPROVE


@settings(max_examples=50)
@given(any_policy)
def test_lint_and_cases_cope_with_any_policy(policy: Policy) -> None:
    assert all(finding.message.endswith(".") for finding in lint(policy))
    cases = boundary_cases(policy)
    assert broken(policy, cases) == []
    assert [Case.from_json(json.loads(json.dumps(case.to_json()))) for case in cases] == cases


@given(any_policy, any_facts, moments)
def test_a_stored_receipt_pays_what_was_decided(policy: Policy, facts: Facts, at: datetime) -> None:
    decision = decide(policy, facts, at)
    stored = json.loads(json.dumps(receipt(decision)))
    again = effects_of(stored)
    units = spread_units([LineMoney(2, 5_000, 300, 800)], shipping_minor=490)
    for resolution in RESOLUTIONS:
        assert pay([(units, again, resolution)], again.label_minor(facts.method)) == quote(
            [(units, decision.effects)], resolution, facts.method
        )
    assert plain(again) == stored["effects"]
