"""Which version of a policy applies, which is better for the customer, and what changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from returns.decision import Decision, decide
from returns.document import Policy
from returns.facts import Facts
from returns.verdict import NO_CHARGE


@dataclass(frozen=True)
class Published:
    """A policy and the aware moment from which it holds. Rolling back is publishing again."""

    policy: Policy
    since: datetime


def in_force(versions: Iterable[Published], at: datetime) -> Policy | None:
    """The policy that held at a moment: the one published last until then; None before any."""
    until = [version for version in versions if version.since <= at]
    return max(until, key=lambda v: (v.since, v.policy.version)).policy if until else None


def decide_fairly(at_order: Policy, now: Policy, facts: Facts, at: datetime) -> Decision:
    """Decide by the policy of the order's day, or today's where that is better for the customer.

    Better is: a better outcome, then more money for the resolution asked, then shipping paid
    back, more resolutions, a later last day, and more time for an instant exchange. The order's own
    policy wins a tie.
    """
    promised = decide(at_order, facts, at)
    if at_order == now:
        return promised
    current = decide(now, facts, at)
    return current if _favour(current) > _favour(promised) else promised


def _favour(decision: Decision) -> tuple[int, int, bool, int, date, int]:
    effects, seen = decision.effects, decision.seen
    resolution, flat = seen.resolution or "refund", decision.effects.flat_amounts
    value_minor = max(0, (seen.unit_price_minor or 0) - (seen.unit_discount_minor or 0))
    money_minor = seen.quantity * (
        effects.bonuses.get(resolution, NO_CHARGE).of(value_minor, flat=flat)
        - effects.fees.get(resolution, NO_CHARGE).of(value_minor, flat=flat)
    ) - effects.label_minor(seen.method)
    last_day = effects.last_day or date.max
    return (
        *(decision.outcome.rank, money_minor, effects.refund_shipping),
        *(len(effects.resolutions), last_day, effects.instant_days),
    )


@dataclass(frozen=True)
class Difference:
    """One difference between two policies. `rule` is None for the policy's own settings."""

    what: str
    rule: str | None
    before: Any
    after: Any


def diff(old: Policy, new: Policy) -> list[Difference]:
    """What changed, in the new policy's order: added, removed, moved and changed settings."""
    before = {rule.id: rule.to_json() for rule in old.rules}
    after = {rule.id: rule.to_json() for rule in new.rules}
    settings = {name: value for name, value in old.to_json().items() if name != "rules"}
    found = [
        Difference(f"changed {name}", None, value, new.to_json()[name])
        for name, value in settings.items()
        if new.to_json()[name] != value and name != "version"
    ]
    found += [Difference("removed", id, before[id], None) for id in before if id not in after]
    for id, rule in after.items():
        found += _changed(id, before.get(id), rule)
    return found + _moved([i for i in before if i in after], [i for i in after if i in before])


def _changed(id: str, old: dict[str, Any] | None, new: dict[str, Any]) -> list[Difference]:
    if old is None:
        return [Difference("added", id, None, new)]
    return [
        Difference(f"changed {name}", id, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _moved(old: list[str], new: list[str]) -> list[Difference]:
    """Rules in both that changed places, counted among those that both have."""
    return [
        Difference("moved", id, old.index(id) + 1, place)
        for place, id in enumerate(new, start=1)
        if old.index(id) + 1 != place
    ]
