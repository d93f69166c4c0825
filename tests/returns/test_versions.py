"""Which version applies, what a new one changes, and what it would have moved."""

from datetime import UTC, datetime

import pytest

from returns.money import LineMoney, spread_units
from returns.policy import Outcome
from returns.replay import PastRequest, replay
from returns.versions import Published, decide_fairly, diff, in_force
from tests.returns.samples import APPROVE, SOON, facts, later, policy

WINDOW = {"id": "window", "kind": "window", "days": 30}
FEE = {"id": "fee", "kind": "restocking_fee", "share_bps": 1_000}
LATE = datetime(2026, 5, 4, 10, tzinfo=UTC)  # the day after thirty days


def test_the_policy_published_last_holds() -> None:
    first = Published(policy(version=1), SOON)
    second = Published(policy(version=2), later(SOON, days=1))
    assert in_force([second, first], later(SOON, seconds=-1)) is None
    assert in_force([second, first], SOON) == first.policy
    assert in_force([second, first], later(SOON, hours=23)) == first.policy
    assert in_force([second, first], later(SOON, days=1)) == second.policy


def test_rolling_back_is_publishing_again() -> None:
    old, new = policy(version=1), policy(version=2)
    versions = [Published(old, SOON), Published(new, later(SOON, days=1))]
    again = Published(old, later(SOON, days=2))
    assert in_force([*versions, again], later(SOON, days=3)) == old


@pytest.mark.parametrize(
    ("at_order", "now", "applies"),
    [
        # The promise stands against a stricter version, and a kinder one is given at once.
        ([WINDOW, APPROVE], [{**WINDOW, "days": 14}, APPROVE], 1),
        ([WINDOW, APPROVE], [{**WINDOW, "days": 60}, APPROVE], 2),
        ([FEE, APPROVE], [APPROVE], 2),
        ([APPROVE], [FEE, APPROVE], 1),
        ([APPROVE], [APPROVE], 1),
        ([APPROVE], [WINDOW, APPROVE], 1),
    ],
)
def test_the_orders_version_applies_unless_todays_is_better(
    at_order: list[dict[str, object]], now: list[dict[str, object]], applies: int
) -> None:
    decision = decide_fairly(policy(*at_order, version=1), policy(*now, version=2), facts(), SOON)
    assert decision.policy.version == applies


def test_a_difference_names_rule_setting_and_both_values() -> None:
    old = policy(WINDOW, FEE, APPROVE)
    new = policy(
        FEE, {**WINDOW, "days": 60}, {"id": "b", "kind": "bonus"}, version=2, name="Autumn"
    )
    told = [(d.what, d.rule, d.before, d.after) for d in diff(old, new) if d.what != "added"]
    assert ("changed name", None, "", "Autumn") in told
    assert ("changed days", "window", 30, 60) in told
    assert [rule for what, rule, _, _ in told if what == "removed"] == ["ok"]
    assert ("moved", "fee", 2, 1) in told
    assert [d.rule for d in diff(old, new) if d.what == "added"] == ["b"]
    assert diff(old, old) == []


def requests() -> list[PastRequest]:
    units = spread_units([LineMoney(1, 5_000)])
    return [
        PastRequest("r1", "ann", facts(), SOON, units),
        PastRequest("r2", "ben", facts(), LATE, units),
        PastRequest("r3", "ben", facts(resolution="store_credit"), SOON, units),
        PastRequest("r4", "cid", facts(currency="JPY"), SOON, units),
    ]


def test_a_replay_says_what_changes_for_whom_and_what_it_moves() -> None:
    live = policy(WINDOW, APPROVE)
    draft = policy(
        {**WINDOW, "days": 31},
        FEE,
        {"id": "label", "kind": "label", "paid_by": "customer", "cost_minor": {"label": 400}},
        APPROVE,
        version=2,
    )
    report = replay(live, draft, requests())
    assert (report.requests, report.changed) == (4, 4)
    assert report.customers == {"ann", "ben", "cid"}
    assert report.outcomes == {
        (Outcome.APPROVE, Outcome.APPROVE): 3,
        (Outcome.DECLINE, Outcome.APPROVE): 1,
    }
    nothing = dict.fromkeys(("refund", "store_credit", "exchange", "fee", "label", "bonus"), 0)
    assert report.moved() == {
        # Two refunds of 41.00 where there was one of 50.00; credit pays the label, not the fee.
        "EUR": {**nothing, "refund": 3_200, "store_credit": -400, "fee": 1_000, "label": 1_200},
        # A label's price in euros is not taken off yen; the share is.
        "JPY": {**nothing, "refund": -500, "fee": 500},
    }
    assert report.to_json()["outcomes"] == {"approve to approve": 3, "decline to approve": 1}


def test_a_replay_of_the_same_policy_moves_nothing() -> None:
    report = replay(policy(WINDOW, APPROVE), policy(WINDOW, APPROVE, version=2), requests())
    assert (report.changed, report.changes) == (0, [])
    assert not any(sum(map(abs, moved.values())) for moved in report.moved().values())


def test_a_replay_keeps_as_many_single_cases_as_asked() -> None:
    report = replay(policy(APPROVE), policy(), requests(), most_changes=2)
    assert (report.changed, len(report.changes)) == (4, 2)
