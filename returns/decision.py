"""Deciding: facts and a moment in, an outcome with its reasons out. Pure, total, deterministic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

from returns.conditions import ALWAYS, Condition, Test, compares, test
from returns.document import Policy
from returns.facts import Facts, FactsAt, look, needed, plain
from returns.index import Index
from returns.verdict import PASSES, Effects, Outcome, Verdict

# Read in every decision: is what was asked for on offer, and is the money the policy's?
ALWAYS_USED: Final = ("requested_on", "currency", "resolution", "method")
BY_NAME: Final = {"fee": "fees", "bonus": "bonuses", "moves_at": "moves_at"}
Trace = tuple[tuple[str, Verdict], ...]
Spoken = tuple[int, str, Verdict]  # a rule's place, its id, and what it said


class Because(NamedTuple):
    """The rule that decided (None: the policy's `otherwise`), its code, and the code's values."""

    outcome: Outcome
    rule: str | None
    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Decision:
    """What was decided about one order line of one request, with everything it rests on."""

    compiled: "CompiledPolicy"
    seen: FactsAt
    deciding: Because
    trace: Trace
    set_by_rules: Mapping[str, Any]
    window: Verdict | None

    @property
    def outcome(self) -> Outcome:
        """approve, review or decline."""
        return self.deciding.outcome

    @property
    def rule(self) -> str | None:
        """The id of the rule that decided; None when none did."""
        return self.deciding.rule

    @property
    def because(self) -> str:
        """The reason as a code; its values are in `values`, its words belong to the pages."""
        return self.deciding.code

    @property
    def values(self) -> Mapping[str, Any]:
        """What the reason's words need: dates, limits, what is missing."""
        return self.deciding.values

    @property
    def policy(self) -> Policy:
        """The policy that decided."""
        return self.compiled.policy

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The facts that the policy looked at, as JSON holds them."""
        values = vars(self.seen)
        return {name: plain(values[name]) for name in self.compiled.used}

    @cached_property
    def verdicts(self) -> list[dict[str, Any]]:
        """Each rule in order with its verdict and values.

        A rule whose every effect an earlier rule had set says `overruled`.
        """
        taken: set[str] = set()
        return [_told(rule, verdict, taken) for rule, verdict in self.trace]

    @cached_property
    def effects(self) -> Effects:
        """What the decision lets happen and at what price."""
        policy, order = self.policy.currency, self.seen.currency
        grouped: dict[str, Any] = {}
        needs: list[str] = []
        for name, value in self.set_by_rules.items():
            group, _, key = name.partition(".")
            if group == "needs":
                needs.append(key)
            elif group in BY_NAME:
                grouped.setdefault(BY_NAME[group], {})[key] = value
            else:
                grouped[group] = value
        if self.window is not None:
            grouped |= {"last_day": self.window.last_day, "window": self.window.values}
        same = policy is None or order is None or policy == order
        return Effects(**grouped, needs=tuple(needs), flat_amounts=same)


class CompiledPolicy:
    """A policy made ready: conditions are functions, and the facts it looks at are known."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.zone = policy.zone
        self.steps: list[tuple[str, Test | None, Any]] = [
            (entry.id, _test(entry.when, entry.id, policy.currency), entry.rule.check)
            for entry in policy.rules
        ]
        self.index = Index([(e.id, e.when) for e in policy.rules], policy.currency)
        names = {*ALWAYS_USED}
        for entry in policy.rules:
            names.update(entry.rule.uses)
            names.update(compare.fact for compare in compares(entry.when))
        self.used = tuple(sorted(names))
        self.derived = needed(names)

    def decide(self, facts: Facts, at: datetime) -> Decision:
        """Decide at an aware moment."""
        return self.weigh(look(facts, at, self.zone, self.derived))

    def weigh(self, seen: FactsAt) -> Decision:
        """Decide over facts that have already been looked at."""
        values = seen.__dict__
        trace = self.index.unasked.copy()
        effects: dict[str, Any] = {}
        windows: list[Spoken] = []
        first: Spoken | None = None
        for place in self.index.asked(values):
            rule, condition, check = self.steps[place]
            if condition is not None:
                missed = condition(values)
                if missed is not None:
                    trace[place] = missed
                    continue
            verdict = check(seen) or PASSES
            trace[place] = (rule, verdict)
            if verdict.last_day is not None:
                windows.append((place, rule, verdict))
            elif first is None and verdict.outcome is not None:
                first = (place, rule, verdict)
            for name, value in verdict.sets:
                effects.setdefault(name, value)
        window = _latest(windows) if windows else None
        deciding = self._deciding(first, windows, window)
        if deciding.outcome is not Outcome.DECLINE:
            deciding = _offered(seen, effects, trace) or deciding
        return Decision(self, seen, deciding, tuple(trace), effects, window and window[2])

    def _deciding(
        self,
        first: Spoken | None,
        windows: list[Spoken],
        window: Spoken | None,
    ) -> Because:
        """The first outcome in order. Windows together speak where the first of them stands."""
        closed = window is not None and window[2].outcome is not None
        if closed and (first is None or windows[0][0] < first[0]):
            first = window
        if first is None:
            return Because(self.policy.otherwise, None, "no_rule_decides", {})
        _, rule, verdict = first
        outcome = verdict.outcome or self.policy.otherwise
        return Because(outcome, rule, verdict.because, verdict.values)


@lru_cache(maxsize=256)
def compile_policy(policy: Policy) -> CompiledPolicy:
    """Make a policy ready, once for each of its hashes."""
    return CompiledPolicy(policy)


def decide(policy: Policy, facts: Facts, at: datetime) -> Decision:
    """Decide by a policy over facts at an aware moment. The same input, the same decision."""
    return compile_policy(policy).decide(facts, at)


def _test(condition: Condition, rule: str, currency: str | None) -> Test | None:
    return None if condition == ALWAYS else test(condition, rule, currency)


def _latest(windows: list[Spoken]) -> Spoken:
    """The window with the latest last day; it says which others it was preferred to."""
    if len(windows) == 1:
        return windows[0]
    latest = max(windows, key=_last_day)
    over = [{"rule": rule, "last_day": v.last_day} for _, rule, v in windows if v is not latest[2]]
    index, rule, verdict = latest
    return index, rule, verdict._replace(values={**verdict.values, "over": over})


def _last_day(window: Spoken) -> date:
    return window[2].last_day or date.min


def _offered(
    seen: FactsAt, effects: Mapping[str, Any], trace: list[tuple[str, Verdict]]
) -> Because | None:
    """Decline what asks for a resolution or a way that the rules do not offer here."""
    keep = effects.get("keep", False)
    asked = (("resolutions", seen.resolution), ("methods", None if keep else seen.method))
    for name, wanted in asked:
        offered = effects.get(name)
        if wanted is None or offered is None or wanted in offered or (keep and wanted == "keep"):
            continue
        rule = next(id for id, verdict in trace if any(key == name for key, _ in verdict.sets))
        code = f"{name.removesuffix('s')}_not_offered"
        return Because(Outcome.DECLINE, rule, code, {"asked": wanted, "offered": offered})
    return None


def _told(rule: str, verdict: Verdict, taken: set[str]) -> dict[str, Any]:
    names = {name for name, _ in verdict.sets}
    overruled = bool(names) and names <= taken and verdict.outcome is None
    taken |= names
    told = {"rule": rule, "verdict": "overruled" if overruled else verdict.word}
    if verdict.because:
        told["because"] = verdict.because
    return {**told, "values": plain(verdict.values)}
