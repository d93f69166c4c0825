"""Each kind of rule by itself, and the promises that all of them keep."""

from dataclasses import FrozenInstanceError, fields
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.facts import SOURCES, Facts, FactsAt, look, needed
from returns.policy import Outcome, decide
from returns.rules import KINDS, READERS, settings_schema
from returns.verdict import Charge, Rule
from tests.returns.samples import (
    APPROVE,
    KIND_SETTINGS,
    SOON,
    any_facts,
    facts,
    moments,
    policy,
)


def rule(kind: str, **settings: Any) -> Rule:
    return READERS[kind].validate_python(settings)


def effects(*rules: dict[str, Any], **known: Any) -> Any:
    return decide(policy(*rules, APPROVE), facts(**known), SOON).effects


def outcome(kind: str, settings: dict[str, Any], **known: Any) -> tuple[Outcome, str]:
    """What the rule alone makes of a request that would otherwise be approved."""
    decision = decide(policy({"id": "it", "kind": kind, **settings}, APPROVE), facts(**known), SOON)
    return decision.outcome, decision.because


APPROVED = (Outcome.APPROVE, "within_the_rules")


@pytest.mark.parametrize(
    ("kind", "settings", "known", "expected"),
    [
        ("approve", {"because": "vip"}, {}, (Outcome.APPROVE, "vip")),
        ("review", {}, {}, (Outcome.REVIEW, "needs_a_look")),
        ("decline", {"because": "hygiene"}, {}, (Outcome.DECLINE, "hygiene")),
        ("final_sale", {}, {}, APPROVED),
        ("final_sale", {}, {"final_sale": True}, (Outcome.DECLINE, "final_sale")),
        ("final_sale", {}, {"final_sale": True, "reason": "faulty"}, APPROVED),
        (
            "final_sale",
            {"unless_reasons": [], "outcome": "review"},
            {"final_sale": True, "reason": "faulty"},
            (Outcome.REVIEW, "final_sale"),
        ),
        ("delivered", {}, {}, APPROVED),
        ("delivered", {}, {"delivered_at": None}, (Outcome.DECLINE, "not_delivered_yet")),
        # Shipped eight days before.
        ("delivered", {"or_days_after_shipment": 8}, {"delivered_at": None}, APPROVED),
        (
            "delivered",
            {"or_days_after_shipment": 9, "outcome": "review"},
            {"delivered_at": None},
            (Outcome.REVIEW, "not_delivered_yet"),
        ),
        ("window", {"days": 7}, {}, APPROVED),
        ("window", {"days": 6}, {}, (Outcome.DECLINE, "window_closed")),
        ("window", {"days": 6, "outcome": "review"}, {}, (Outcome.REVIEW, "window_closed")),
        (
            "window",
            {
                "days": 6,
                "holidays": [
                    {
                        "ordered_from": "2026-04-01",
                        "ordered_to": "2026-04-01",
                        "until": "2026-04-10",
                    }
                ],
            },
            {},
            APPROVED,
        ),
        ("evidence", {}, {}, (Outcome.REVIEW, "photo_missing")),
        ("evidence", {"text": True}, {"photo": True}, (Outcome.REVIEW, "text_missing")),
        ("evidence", {"text": True}, {"photo": True, "text": True}, APPROVED),
        ("risk_review", {}, {}, APPROVED),
        ("risk_review", {}, {"risk_points": 49}, APPROVED),
        ("risk_review", {}, {"risk_points": 50}, (Outcome.REVIEW, "needs_a_look")),
    ],
)
def test_a_rule_that_decides(
    kind: str, settings: dict[str, Any], known: dict[str, Any], expected: tuple[Outcome, str]
) -> None:
    assert outcome(kind, settings, **known) == expected


def test_a_fee_is_waived_for_what_was_not_as_sold() -> None:
    fee = {"id": "fee", "kind": "restocking_fee", "amount_minor": 100, "share_bps": 1_000}
    assert effects(fee).fees == {"refund": Charge(100, 1_000)}
    assert effects(fee, reason="faulty").fees == {"refund": Charge()}


def test_who_pays_the_label_depends_on_the_reason() -> None:
    label = {"id": "l", "kind": "label", "paid_by": "customer", "cost_minor": {"label": 499}}
    assert effects(label).label_minor() == 499
    assert effects(label).label_minor("in_store") == 0
    assert effects(label, reason="wrong_item").label_minor() == 0
    assert effects(label | {"paid_by": "shop"}).label_minor() == 0


def test_a_kept_item_travels_nowhere() -> None:
    label = {"id": "l", "kind": "label", "paid_by": "customer", "cost_minor": {"label": 499}}
    kept = effects({"id": "k", "kind": "keep_item"}, label)
    donated = effects({"id": "k", "kind": "keep_item", "then": "donate"})
    assert (kept.keep, kept.donate, kept.label_minor()) == (True, False, 0)
    assert kept.money_moves_at("refund") == "label"
    assert (donated.keep, donated.donate) == (True, True)


@pytest.mark.parametrize(
    ("refund", "sent", "pays"),
    [
        ("always", 1, True),
        ("never", 2, False),
        ("whole_order", 1, False),
        ("whole_order", 2, True),
    ],
)
def test_original_shipping_is_paid_back_by_rule(refund: str, sent: int, pays: bool) -> None:
    shipping = {"id": "s", "kind": "original_shipping", "refund": refund}
    assert effects(shipping, request_quantity=sent).refund_shipping is pays


def test_the_other_effects_are_as_set() -> None:
    found = effects(
        {"id": "b", "kind": "bonus", "share_bps": 500, "resolutions": ["exchange"]},
        {"id": "d", "kind": "destination", "to": "outlet"},
        {"id": "m", "kind": "money_moves", "at": "first_scan", "resolutions": ["store_credit"]},
        {"id": "r", "kind": "resolutions", "allow": ["exchange"]},
        {"id": "w", "kind": "methods", "allow": ["qr", "label"]},
    )
    assert found.bonuses == {"exchange": Charge(0, 500)}
    assert found.destination == "outlet"
    assert found.money_moves_at("store_credit") == "first_scan"
    assert found.money_moves_at("refund") == "inspection"
    assert (found.resolutions, found.methods) == (("exchange",), ("qr", "label"))


def test_there_is_a_file_a_kind_and_a_strategy_for_each() -> None:
    assert set(KINDS) == set(KIND_SETTINGS)
    assert all(cls.__module__ == f"returns.rules.{kind}" for kind, cls in KINDS.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_frozen_described_and_has_a_form(kind: str) -> None:
    schema = settings_schema(kind)
    assert schema["description"].strip()
    assert set(schema["properties"]) == {f.name for f in fields(KINDS[kind])}  # type: ignore[arg-type]
    assert schema["additionalProperties"] is False
    for name in schema["properties"]:
        with pytest.raises(FrozenInstanceError):
            setattr(rule(kind), name, None)


class Watched:
    """Facts that note which of them are read."""

    def __init__(self, seen: FactsAt) -> None:
        self._seen, self.read = seen, set[str]()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._seen, name)


@given(st.data(), st.sampled_from(sorted(KINDS)), any_facts, moments)
def test_a_rule_reads_the_facts_it_says_and_gives_the_outcomes_it_says(
    data: st.DataObject, kind: str, known: Facts, at: datetime
) -> None:
    settings = data.draw(KIND_SETTINGS[kind])
    watched = Watched(look(known, at, policy().zone, needed(SOURCES)))
    verdict = rule(kind, **settings).check(watched)  # type: ignore[arg-type]
    assert watched.read <= set(KINDS[kind].uses)
    if verdict is not None and verdict.outcome is not None:
        assert verdict.outcome in KINDS[kind].outcomes
        assert verdict.because
