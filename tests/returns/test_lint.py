"""What is found in a policy before it is published, and the cases at its edges."""

import json
from typing import Any

import pytest

from returns.cases import Case, boundary_cases, broken
from returns.lint import EU, lint
from returns.policy import DocumentError, Outcome, Policy
from tests.returns.samples import APPROVE, policy

WINDOW: dict[str, Any] = {"id": "window", "kind": "window", "days": 30}
SOUND = policy(
    {"id": "sale", "kind": "final_sale"},
    {"id": "dear", "kind": "review", "when": {"fact": "unit_price_minor", "at_least": 50_000}},
    WINDOW | {"by_category": {"Underwear": 14}},
    {"id": "photo", "kind": "evidence", "when": {"fact": "reason", "is": "faulty"}},
    {"id": "fee", "kind": "restocking_fee", "share_bps": 1_000},
    {"id": "label", "kind": "label", "paid_by": "customer", "cost_minor": {"label": 499}},
    APPROVE,
)


def found(*rules: dict[str, Any], **head: Any) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.rule) for finding in lint(policy(*rules, **head))]


def where(fact: str, **asked: Any) -> dict[str, Any]:
    return {"when": {"fact": fact, **asked}}


def both(*of: dict[str, Any]) -> dict[str, Any]:
    return {"when": {"all": [one["when"] for one in of]}}


def test_a_sound_policy_has_no_findings() -> None:
    assert lint(SOUND) == []


@pytest.mark.parametrize(
    ("rules", "finding"),
    [
        # Nothing comes after an approval without conditions.
        ([APPROVE, {"id": "late", "kind": "decline"}], ("unreachable", "late")),
        ([APPROVE, WINDOW], ("unreachable", "window")),
        # All of Shoes is decided before dear Shoes are looked at; case does not matter.
        (
            [
                {"id": "shoes", "kind": "decline", **where("category", **{"is": "Shoes"})},
                {
                    "id": "dear",
                    "kind": "review",
                    **both(
                        where("category", **{"is": "shoes"}),
                        where("unit_price_minor", at_least=5_000),
                    ),
                },
                APPROVE,
            ],
            ("shadowed", "dear"),
        ),
        # A narrower range behind a wider one.
        (
            [
                {"id": "wide", "kind": "review", **where("quantity", at_least=3)},
                {"id": "narrow", "kind": "decline", **where("quantity", at_least=5)},
                APPROVE,
            ],
            ("shadowed", "narrow"),
        ),
        # Two halves together leave nothing.
        (
            [
                {"id": "few", "kind": "review", **where("quantity", at_most=3)},
                {"id": "many", "kind": "review", **where("quantity", at_least=4)},
                {"id": "five", "kind": "decline", **where("quantity", **{"in": [5]})},
                APPROVE,
            ],
            ("shadowed", "five"),
        ),
        (
            [
                {
                    "id": "never",
                    "kind": "decline",
                    **both(where("country", **{"is": "DE"}), where("country", **{"is": "FR"})),
                },
                APPROVE,
            ],
            ("contradiction", "never"),
        ),
        (
            [
                {
                    "id": "never",
                    "kind": "decline",
                    **both(where("quantity", at_least=3), where("quantity", at_most=2)),
                },
                APPROVE,
            ],
            ("contradiction", "never"),
        ),
        ([{"id": "w", "kind": "window", "days": 13}, APPROVE], ("eu_window", "w")),
        ([WINDOW | {"by_category": {"Hats": 7}}, APPROVE], ("eu_window", "window")),
        # A slow parcel eats up a window that is counted from the order.
        ([WINDOW | {"anchor": "order", "days": 20}, APPROVE], ("eu_window", "window")),
        (
            [{"id": "f", "kind": "restocking_fee", "amount_minor": 1, "waived_for": []}, APPROVE],
            ("fee_on_faulty", "f"),
        ),
        (
            [{"id": "l", "kind": "label", "paid_by": "customer", "free_for": ["faulty"]}, APPROVE],
            ("fee_on_faulty", "l"),
        ),
        (
            [
                {"id": "one", "kind": "destination", "to": "a"},
                {"id": "two", "kind": "destination", "to": "b", **where("gift", **{"is": True})},
                APPROVE,
            ],
            ("overruled", "two"),
        ),
        ([{"id": "de", "kind": "approve", **where("country", **{"is": "DE"})}], ("gap", None)),
    ],
)
def test_a_fault_is_found(rules: list[dict[str, Any]], finding: tuple[str, str | None]) -> None:
    assert finding in found(*rules)


@pytest.mark.parametrize(
    "rules",
    [
        # Outside the EU a short window is the shop's own affair.
        [
            WINDOW | where("country", **{"in": sorted(EU)}),
            {
                "id": "us",
                "kind": "window",
                "days": 7,
                "when": {"not": {"fact": "country", "in": sorted(EU)}},
            },
            APPROVE,
        ],
        # Overlapping is not shadowing.
        [
            {"id": "a", "kind": "review", **where("quantity", at_least=3)},
            {"id": "b", "kind": "decline", **where("quantity", at_most=3)},
            APPROVE,
        ],
        # The first does not know every country, so the second still has a say.
        [
            {"id": "a", "kind": "review", **where("country", known=True)},
            {"id": "b", "kind": "decline", **where("gift", **{"is": True})},
            APPROVE,
        ],
    ],
)
def test_what_is_no_fault_is_not_called_one(rules: list[dict[str, Any]]) -> None:
    assert found(*rules) == []


def test_an_amount_without_a_currency_is_noticed() -> None:
    fee = {"id": "fee", "kind": "restocking_fee", "amount_minor": 100}
    assert ("no_currency", "fee") in found(fee, APPROVE, currency=None)


def test_errors_come_first_and_read_as_sentences() -> None:
    findings = lint(policy({"id": "w", "kind": "window", "days": 3}))
    assert [finding.level for finding in findings] == ["error", "warning"]
    assert findings[0].message == (
        "Rule 'w' closes within 14 days of delivery for AT, any other category. EU law gives 14."
    )


@pytest.mark.parametrize(
    ("home", "when", "level"),
    [
        ("US", {"all": []}, "warning"),
        ("DE", {"all": []}, "error"),
        (None, {"all": []}, "error"),
        ("US", {"fact": "country", "in": ["US", "FR"]}, "error"),
    ],
)
def test_a_short_window_binds_where_the_eu_is_sold_to(
    home: str | None, when: dict[str, Any], level: str
) -> None:
    short = policy({"id": "w", "kind": "window", "days": 3, "when": when}, APPROVE)
    assert [(f.code, f.level) for f in lint(short, home)] == [("eu_window", level)]


def test_both_sides_of_every_edge_become_cases() -> None:
    cases = {case.name: case for case in boundary_cases(SOUND)}
    assert {name: case.outcome.value for name, case in cases.items()} == {
        "dear: unit_price_minor 50000": "review",
        "dear: unit_price_minor 49999": "approve",
        "window: last day": "approve",
        "window: day after": "decline",
        "window, Underwear: last day": "approve",
        "window, Underwear: day after": "decline",
    }


def test_a_case_can_be_of_an_order_whose_quantity_nobody_knows() -> None:
    unsure = where("share_bps", known=False)["when"]
    old = where("customer_orders", at_least=3)["when"]
    cases = boundary_cases(policy(APPROVE | {"when": {"all": [old, unsure]}}))
    assert {case.outcome for case in cases} == {Outcome.APPROVE, Outcome.REVIEW}
    assert [Case.from_json(json.loads(json.dumps(case.to_json()))) for case in cases] == cases


def test_saved_cases_catch_what_a_later_version_breaks() -> None:
    saved = json.loads(json.dumps([case.to_json() for case in boundary_cases(SOUND)]))
    expected = [Case.from_json(case) for case in saved]
    assert broken(SOUND, expected) == []
    document = SOUND.to_json()
    document["rules"][2]["days"] = 29
    ((case, now),) = broken(Policy.from_json(document), expected)
    assert case.name == "window: last day"
    assert (case.outcome, now.outcome) == (Outcome.APPROVE, Outcome.DECLINE)


@pytest.mark.parametrize("document", [{}, {"name": "x", "at": "soon"}, {"outcome": "maybe"}])
def test_a_case_that_cannot_be_read_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="A saved case needs"):
        Case.from_json(document)
