"""How rules decide together: order, windows, what is on offer, receipts."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from returns.policy import Outcome, decide, receipt, would_change
from tests.returns.samples import APPROVE, DELIVERED, SOON, facts, later, policy

WINDOW: dict[str, Any] = {"id": "window", "kind": "window", "days": 30}
LAST_NOON = datetime(2026, 5, 3, 10, tzinfo=UTC)
NEXT_NOON = later(LAST_NOON, days=1)


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        (LAST_NOON, Outcome.APPROVE),
        # In Berlin the third of May ends at 22:00 UTC.
        (datetime(2026, 5, 3, 21, 59, 59, tzinfo=UTC), Outcome.APPROVE),
        (datetime(2026, 5, 3, 22, 0, tzinfo=UTC), Outcome.DECLINE),
        (NEXT_NOON, Outcome.DECLINE),
    ],
)
def test_the_window_includes_its_last_day(at: datetime, outcome: Outcome) -> None:
    assert decide(policy(WINDOW, APPROVE), facts(), at).outcome is outcome


def test_a_closed_window_says_the_day_and_what_it_was_counted_from() -> None:
    decision = decide(policy(WINDOW, APPROVE), facts(), NEXT_NOON)
    assert (decision.rule, decision.because) == ("window", "window_closed")
    assert receipt(decision)["values"] == {
        "last_day": "2026-05-03",
        "counted_from": "delivery",
        "counted_on": "2026-04-03",
        "days": 30,
        "assumed_days": 0,
        "extended": False,
    }
    (change, *_) = would_change(decision)
    assert (change["fact"], change["to"], change["outcome"]) == (
        "requested_on",
        "2026-05-03",
        "approve",
    )
    assert change["window"]["counted_on"] == "2026-04-03"


def test_the_first_rule_in_order_that_gives_an_outcome_decides() -> None:
    faulty = {"fact": "reason", "is": "faulty"}
    lenient = {"id": "faulty", "kind": "approve", "when": faulty, "because": "our_fault"}
    before = decide(policy(lenient, WINDOW, APPROVE), facts(reason="faulty"), NEXT_NOON)
    after = decide(policy(WINDOW, lenient, APPROVE), facts(reason="faulty"), NEXT_NOON)
    assert (before.outcome, before.because) == (Outcome.APPROVE, "our_fault")
    assert (after.outcome, after.because) == (Outcome.DECLINE, "window_closed")


@pytest.mark.parametrize("otherwise", list(Outcome))
def test_where_no_rule_decides_the_policy_says_what_happens(otherwise: Outcome) -> None:
    decision = decide(policy(otherwise=otherwise.value), facts(), SOON)
    assert (decision.outcome, decision.rule) == (otherwise, None)
    assert decision.because == "no_rule_decides"


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_windows_the_customers_favour_wins_and_it_is_said(order: int) -> None:
    shoes = {"fact": "category", "is": "Shoes"}
    other = {"id": "shoes", "kind": "window", "days": 60, "when": shoes}
    decision = decide(policy(*[WINDOW, other][::order], APPROVE), facts(), NEXT_NOON)
    assert decision.outcome is Outcome.APPROVE
    assert decision.effects.last_day == date(2026, 6, 2)
    assert decision.effects.window["over"] == [{"rule": "window", "last_day": date(2026, 5, 3)}]
    late = decide(policy(*[WINDOW, other][::order], APPROVE), facts(), later(NEXT_NOON, days=31))
    assert (late.outcome, late.rule) == (Outcome.DECLINE, "shoes")


def test_a_categorys_own_days_stand_in_for_the_general_ones() -> None:
    rule = WINDOW | {"by_category": {"underwear": 14}}
    for category, last in (("Underwear", date(2026, 4, 17)), ("Shoes", date(2026, 5, 3))):
        decision = decide(policy(rule, APPROVE), facts(category=category), SOON)
        assert decision.effects.last_day == last


def test_where_two_rules_set_the_same_the_earlier_counts_and_it_is_said() -> None:
    one = {"id": "one", "kind": "restocking_fee", "share_bps": 500}
    two = {"id": "two", "kind": "restocking_fee", "share_bps": 900}
    decision = decide(policy(one, two, APPROVE), facts(), SOON)
    assert decision.effects.fees["refund"].share_bps == 500
    assert [v["verdict"] for v in decision.verdicts] == ["sets", "overruled", "approve"]


@pytest.mark.parametrize(
    ("asked", "outcome", "because"),
    [
        ({"resolution": "store_credit"}, Outcome.APPROVE, "within_the_rules"),
        ({"resolution": "refund"}, Outcome.DECLINE, "resolution_not_offered"),
        ({}, Outcome.APPROVE, "within_the_rules"),
        ({"method": "qr"}, Outcome.APPROVE, "within_the_rules"),
        ({"method": "pickup"}, Outcome.DECLINE, "method_not_offered"),
    ],
)
def test_what_is_not_on_offer_is_declined_as_asked(
    asked: dict[str, Any], outcome: Outcome, because: str
) -> None:
    offers = policy(
        APPROVE,
        {"id": "credit", "kind": "resolutions", "allow": ["store_credit", "exchange"]},
        {"id": "ways", "kind": "methods", "allow": ["label", "qr"]},
    )
    decision = decide(offers, facts(**asked), SOON)
    assert (decision.outcome, decision.because) == (outcome, because)
    if outcome is Outcome.DECLINE:
        (change, *_) = would_change(decision)
        assert change["fact"] in asked
        assert change["outcome"] == "approve"


def test_a_missing_photo_goes_to_the_staff_and_adding_it_would_approve() -> None:
    photo = {"id": "photo", "kind": "evidence", "when": {"fact": "reason", "is": "faulty"}}
    shown = policy(photo, APPROVE)
    without = decide(shown, facts(reason="faulty"), SOON)
    assert (without.outcome, without.because) == (Outcome.REVIEW, "photo_missing")
    assert without.effects.needs == ("photo",)
    assert would_change(without)[0] == {
        "fact": "photo",
        "from": False,
        "to": True,
        "outcome": "approve",
        "rule": "ok",
        "because": "within_the_rules",
    }
    assert decide(shown, facts(reason="faulty", photo=True), SOON).outcome is Outcome.APPROVE


def test_an_approval_knows_until_when_it_would_have_been_one() -> None:
    decision = decide(policy(WINDOW, APPROVE), facts(), SOON)
    assert ("requested_on", "2026-05-04", "decline") in {
        (change["fact"], change["to"], change["outcome"]) for change in would_change(decision)
    }


def test_a_receipt_names_policy_facts_rules_and_reason() -> None:
    rules = policy(WINDOW, APPROVE, version=7)
    told = receipt(decide(rules, facts(), SOON))
    assert (told["policy_version"], told["policy_hash"]) == (7, rules.hash)
    assert (told["outcome"], told["rule"], told["because"]) == ("approve", "ok", "within_the_rules")
    assert told["facts"]["delivered_on"] == "2026-04-03"
    assert "sku" not in told["facts"]
    assert [(v["rule"], v["verdict"]) for v in told["verdicts"]] == [
        ("window", "sets"),
        ("ok", "approve"),
    ]


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 4, 10)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        decide(policy(), facts(), naive)
    with pytest.raises(ValueError, match="no time zone"):
        facts(ordered_at=naive)


def test_fixed_amounts_of_another_currency_stay_out() -> None:
    rules = policy(
        APPROVE,
        {"id": "label", "kind": "label", "paid_by": "customer", "cost_minor": {"label": 499}},
    )
    assert decide(rules, facts(), SOON).effects.label_minor() == 499
    assert decide(rules, facts(currency="JPY"), SOON).effects.label_minor() == 0


def test_a_request_for_what_has_not_arrived_may_come_back_later() -> None:
    waits = policy({"id": "wait", "kind": "delivered"}, WINDOW, APPROVE)
    decision = decide(waits, facts(delivered_at=None), SOON)
    assert (decision.outcome, decision.because) == (Outcome.DECLINE, "not_delivered_yet")
    assert "delivered_on" in {change["fact"] for change in would_change(decision)}
    assert decide(waits, facts(delivered_at=DELIVERED), SOON).outcome is Outcome.APPROVE
