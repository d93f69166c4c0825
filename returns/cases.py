"""Boundary cases: a request on each side of every edge of a policy, with what becomes of it.

Saved, they are expectations that must hold before a later version is published.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import partial
from itertools import islice, product
from typing import Any, Final

from returns.conditions import Compare, compares
from returns.decision import Decision, decide
from returns.document import Policy, PolicyRule
from returns.errors import DocumentError, FieldProblem
from returns.facts import TYPES, Facts
from returns.situations import meeting, mentioned, request
from returns.verdict import Outcome
from returns.window import days_after

MOST_SURROUNDINGS: Final = 50


@dataclass(frozen=True)
class Case:
    """A request at an edge of the policy, and what becomes of it. Saved, an expectation."""

    name: str
    facts: Facts
    at: datetime
    outcome: Outcome
    because: str

    def to_json(self) -> dict[str, Any]:
        """The case as it is saved."""
        return {
            "name": self.name,
            "facts": self.facts.to_json(),
            "at": self.at.isoformat(),
            "outcome": self.outcome.value,
            "because": self.because,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Case":
        """A saved case. Raises DocumentError with a sentence."""
        try:
            at = datetime.fromisoformat(document["at"])
            outcome = Outcome(document["outcome"])
            name, because = str(document["name"]), str(document["because"])
        except (KeyError, TypeError, ValueError) as error:
            words = f"A saved case needs name, facts, at, outcome and because. {error}"
            raise DocumentError([FieldProblem("", words)]) from error
        return cls(name, Facts.from_json(document.get("facts", {})), at, outcome, because)


def boundary_cases(policy: Policy) -> list[Case]:
    """A request on each side of every edge: the last day and the next, 49.99 and 50.00.

    The request around an edge is chosen so that the edge decides it, where any country and
    category that the policy names allow that.
    """
    around = list(islice(_surroundings(policy), MOST_SURROUNDINGS))
    edges = [
        edge
        for entry in policy.rules
        for edge in (*_window_edges(policy, entry), *_compared_edges(policy, entry))
    ]
    cases = [case for edge in edges for case in _telling(policy, edge, around)]
    return list({case.name: case for case in cases}.values())


def broken(policy: Policy, expected: Iterable[Case]) -> list[tuple[Case, Decision]]:
    """The saved cases that end differently under this policy, with what they end as."""
    again = ((case, decide(policy, case.facts, case.at)) for case in expected)
    return [
        (case, now)
        for case, now in again
        if (now.outcome, now.because) != (case.outcome, case.because)
    ]


Wanted = Mapping[str, Any]
# Makes the two named requests beside an edge, in given surroundings.
Edge = Callable[[Wanted], list[tuple[str, Facts, datetime]]]


def _surroundings(policy: Policy) -> Iterator[Wanted]:
    yield {}
    for country, category in product(*(mentioned(policy, n) for n in ("country", "category"))):
        yield {"country": country, "category": category}


def _telling(policy: Policy, edge: Edge, around: Sequence[Wanted]) -> list[Case]:
    """The cases of an edge in the first surroundings where its sides end differently."""
    first: list[Case] = []
    for wanted in around:
        cases = [_case(policy, *request) for request in edge(wanted)]
        if len({(case.outcome, case.because) for case in cases}) > 1:
            return cases
        first = first or cases
    return first


def _case(policy: Policy, name: str, facts: Facts, at: datetime) -> Case:
    decision = decide(policy, facts, at)
    return Case(name, facts, at, decision.outcome, decision.because)


def _window_edges(policy: Policy, entry: PolicyRule) -> Iterator[Edge]:
    if entry.rule.kind != "window":
        return
    own: dict[str, Any] = meeting(entry.when) or {}
    for category in [None, *getattr(entry.rule, "by_category", ())]:
        mine = own | ({"category": category} if category else {})
        yield partial(
            _beside_window, policy, f"{entry.id}{f', {category}' if category else ''}", mine
        )


def _beside_window(
    policy: Policy, name: str, own: Wanted, around: Wanted
) -> list[tuple[str, Facts, datetime]]:
    facts, at = request(policy, {**around, **own})
    last = decide(policy, facts, at).effects.last_day
    if last is None:
        return []
    days = ((last, "last day"), (days_after(last, 1), "day after"))
    return [
        (f"{name}: {words}", facts, datetime.combine(day, time(12), policy.zone).astimezone(UTC))
        for day, words in days
    ]


def _compared_edges(policy: Policy, entry: PolicyRule) -> Iterator[Edge]:
    own: dict[str, Any] = meeting(entry.when) or {}
    for compare in compares(entry.when):
        if compare.operator in ("at_least", "at_most"):
            yield partial(_beside, policy, entry.id, compare, own)


def _beside(
    policy: Policy, rule: str, compare: Compare, own: Wanted, around: Wanted
) -> list[tuple[str, Facts, datetime]]:
    step = -1 if compare.operator == "at_least" else 1
    is_day = TYPES[compare.fact] == "date"
    other = days_after(compare.wanted, step) if is_day else compare.wanted + step
    return [
        (f"{rule}: {compare.fact} {v}", *request(policy, {**around, **own, compare.fact: v}))
        for v in (compare.wanted, other)
    ]
