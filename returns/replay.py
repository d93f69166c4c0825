"""A draft policy against past requests: what would have been decided, and what it would move.

Customers act on the rules they see, so a replay shows what the draft does to the requests that
were made, not the requests that it would bring.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from returns.decision import Decision, decide
from returns.document import Policy
from returns.facts import Facts
from returns.money import Amounts, UnitMoney, quote
from returns.verdict import Outcome

NOTHING = Amounts()


@dataclass(frozen=True)
class PastRequest:
    """One line of a request that was made: its frozen facts, its moment, its units' money."""

    id: str
    customer: str
    facts: Facts
    at: datetime
    units: Sequence[UnitMoney] = ()


@dataclass(frozen=True)
class Changed:
    """A request that the draft decides or pays otherwise. Amounts are zero unless approved."""

    request: PastRequest
    before: Decision
    after: Decision
    paid_before: Amounts
    paid_after: Amounts

    @property
    def outcomes(self) -> tuple[Outcome, Outcome]:
        """The outcome before and after."""
        return self.before.outcome, self.after.outcome


@dataclass
class Replayed:
    """The sums of a replay, in minor units by currency. After less before is what it moves."""

    requests: int = 0
    changed: int = 0
    outcomes: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    customers: set[str] = field(default_factory=set)
    before: dict[str, Counter[str]] = field(default_factory=dict)
    after: dict[str, Counter[str]] = field(default_factory=dict)
    changes: list[Changed] = field(default_factory=list)

    def moved(self) -> dict[str, dict[str, int]]:
        """By currency: the change of refund, store_credit, exchange, fee, label and bonus."""
        return {
            currency: {
                name: self.after[currency][name] - self.before[currency][name]
                for name in ("refund", "store_credit", "exchange", "fee", "label", "bonus")
            }
            for currency in sorted(self.before)
        }

    def to_json(self) -> dict[str, Any]:
        """The report without the single cases."""
        return {
            "requests": self.requests,
            "changed": self.changed,
            "customers": len(self.customers),
            "outcomes": {f"{old} to {new}": n for (old, new), n in sorted(self.outcomes.items())},
            "moved": self.moved(),
        }


def replay(
    live: Policy, draft: Policy, requests: Iterable[PastRequest], *, most_changes: int = 1_000
) -> Replayed:
    """Decide every request by both and add up. Keeps at most `most_changes` single cases."""
    report = Replayed()
    for request, change in _decided(live, draft, requests):
        report.requests += 1
        currency, resolution = request.facts.currency or "", request.facts.resolution or "refund"
        _add(report.before.setdefault(currency, Counter()), resolution, change.paid_before)
        _add(report.after.setdefault(currency, Counter()), resolution, change.paid_after)
        if change.before.outcome is change.after.outcome and (
            change.paid_before == change.paid_after
        ):
            continue
        report.changed += 1
        report.customers.add(request.customer)
        report.outcomes[change.outcomes] += 1
        if len(report.changes) < most_changes:
            report.changes.append(change)
    return report


def _decided(
    live: Policy, draft: Policy, requests: Iterable[PastRequest]
) -> Iterator[tuple[PastRequest, Changed]]:
    for request in requests:
        before = decide(live, request.facts, request.at)
        after = decide(draft, request.facts, request.at)
        paid = (_paid(decision, request) for decision in (before, after))
        yield request, Changed(request, before, after, *paid)


def _paid(decision: Decision, request: PastRequest) -> Amounts:
    if decision.outcome is not Outcome.APPROVE:
        return NOTHING
    facts = request.facts
    (amounts,) = quote(
        [(request.units, decision.effects)], facts.resolution or "refund", facts.method
    )
    return amounts


def _add(sums: Counter[str], resolution: str, paid: Amounts) -> None:
    sums[resolution] += paid.total_minor
    sums["fee"] += paid.fee_minor
    sums["label"] += paid.label_minor
    sums["bonus"] += paid.bonus_minor
