"""The policy document: what it holds, one hash for one meaning, and clear refusals."""

import json
from typing import Any

import pytest
from hypothesis import given

from returns.policy import DocumentError, Facts, Policy
from tests.returns.samples import documents, facts, policy


def refusal(document: Any) -> dict[str, str]:
    with pytest.raises(DocumentError) as refused:
        Policy.from_json(document)
    return {problem.field: problem.message for problem in refused.value.problems}


def rule(**settings: Any) -> dict[str, Any]:
    return {"version": 1, "rules": [{"id": "mine", "kind": "window", **settings}]}


@given(documents())
def test_a_policy_written_and_read_is_equal(document: dict[str, Any]) -> None:
    one = Policy.from_json(document)
    stored = json.loads(json.dumps(one.to_json()))
    assert Policy.from_json(stored) == one
    assert Policy.from_json(stored).to_json() == one.to_json()


def test_the_hash_is_of_the_meaning_not_of_the_spelling() -> None:
    short = Policy.from_json({"version": 1, "rules": [{"id": "w", "kind": "window"}]})
    spelled = {"rules": [{"days": 30, "kind": "window", "id": "w"}], "version": 1, "name": ""}
    longer = Policy.from_json(
        {**rule(days=31), "rules": [{"id": "w", "kind": "window", "days": 31}]}
    )
    assert Policy.from_json(spelled).hash == short.hash
    assert longer.hash != short.hash
    assert len(short.hash) == 64


def test_the_hash_is_the_sha_256_of_canonical_json() -> None:
    # Computed by hand with sha256sum: it must be the same on any machine, for ever.
    empty = Policy.from_json({"version": 1, "rules": []})
    assert empty.hash == "e31be780d18b0b8c9b9a17dcda9acf073920ae53e738c11998de5e1ba99f70bd"


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"days": "30"}, "rules.0.days", "Rule 'mine': days is '30'."),
        ({"days": -1}, "rules.0.days", "greater than or equal to 0"),
        ({"days": True}, "rules.0.days", "valid integer"),
        ({"dayz": 3}, "rules.0.dayz", "Rule 'mine' has no setting 'dayz'."),
        ({"anchor": "moon"}, "rules.0.anchor", "'delivery', 'shipment' or 'order'"),
        ({"kind": "windows"}, "rules.0.kind", "The kinds are approve, bonus,"),
        ({"id": "Mine!"}, "rules.0.id", "Use a-z"),
        ({"id": None}, "rules.0.id", "Use a-z"),
        ({"note": 3}, "rules.0.note", "1000 characters"),
        ({"when": {"fact": "x", "is": 1}}, "rules.0.when", "Rule 'mine', when: There is no fact"),
        ({"holidays": [{"until": "x"}]}, "rules.0.holidays.0.ordered_from", "lacks"),
        ({"kind": "restocking_fee", "waived_for": ["x"]}, "rules.0.waived_for.0", "no such reason"),
        (
            {"kind": "decline", "when": {"not": {"fact": "risk_points", "at_most": 9}}},
            "rules.0.when",
            "Points never decline by themselves",
        ),
        (
            {"when": {"fact": "risk_points", "at_least": 9}},
            "rules.0.when",
            "make it a review",
        ),
    ],
)
def test_a_wrong_rule_is_named_with_its_field(
    settings: dict[str, Any], field: str, words: str
) -> None:
    said = refusal(rule(**settings))
    assert field in said
    assert words in said[field]


def test_risk_points_may_lead_to_a_review() -> None:
    points = {"fact": "risk_points", "at_least": 9}
    Policy.from_json(rule(kind="review", when=points))
    Policy.from_json(rule(outcome="review", when=points))


@pytest.mark.parametrize(
    ("head", "field"),
    [
        ({"version": 0}, "version"),
        ({"version": "1"}, "version"),
        ({"version": True}, "version"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"time_zone": 3}, "time_zone"),
        ({"currency": "euro"}, "currency"),
        ({"currency": 3}, "currency"),
        ({"otherwise": "maybe"}, "otherwise"),
        ({"otherwise": []}, "otherwise"),
        ({"format": 2}, "format"),
        ({"name": "x" * 201}, "name"),
        ({"rules": {}}, "rules"),
        ({"rules": ["x"]}, "rules.0"),
        ({"rules": [{"id": "a", "kind": "approve"}] * 2}, "rules.1.id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_head_is_named_with_its_field(head: dict[str, Any], field: str) -> None:
    assert field in refusal({"version": 1, "rules": [], **head})


def test_everything_wrong_is_said_at_once() -> None:
    said = refusal({"rules": [{"id": "a", "kind": "x"}, {"id": "b", "kind": "window", "days": []}]})
    assert set(said) == {"version", "rules.0.kind", "rules.1.days"}


@pytest.mark.parametrize("document", [None, [], "policy", 3])
def test_what_is_no_object_is_refused(document: Any) -> None:
    assert refusal(document)


def test_a_policy_is_equal_by_meaning_and_usable_as_a_key() -> None:
    assert {policy(): 1}[policy()] == 1
    assert policy() != policy(version=2)
    assert policy() != "policy"


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({}, "facts.ordered_at"),
        ({"ordered_at": "2026-04-01T09:00:00"}, "facts.ordered_at"),
        ({"ordered_at": "2026-04-01T09:00:00Z", "quantity": "2"}, "facts.quantity"),
        ({"ordered_at": "2026-04-01T09:00:00Z", "status": "approved"}, "facts.status"),
        ({"ordered_at": "2026-04-01T09:00:00Z", "tags": "sale"}, "facts.tags"),
    ],
)
def test_wrong_facts_are_named_with_their_field(posted: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as refused:
        Facts.from_json(posted)
    assert field in {problem.field for problem in refused.value.problems}


def test_facts_written_and_read_are_equal() -> None:
    known = facts(tags=("a", "b"), photo=True)
    assert Facts.from_json(json.loads(json.dumps(known.to_json()))) == known
