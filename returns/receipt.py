"""The receipt of a decision, and the nearest changes that would have altered it."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from returns.conditions import Compare, compares
from returns.decision import Decision
from returns.facts import DAYS_SINCE, TYPES, FactsAt, bps_of, plain
from returns.reasons import NOT_AS_SOLD, fault_of
from returns.verdict import Charge, Effects
from returns.window import days_after

MOST_TRIED: Final = 200
# How near a change is: what the customer can still give or choose, then what time brings, then
# what only other circumstances would have brought.
IN_REACH: Final = {"photo": 0, "text": 0, "resolution": 0, "method": 0, "quantity": 1}
BY_TIME: Final = {"requested_on": 2, "delivered_on": 2, "shipped_on": 3, "reason": 3}
FAR: Final = 4

Change = tuple[str, Any]


def receipt(decision: Decision) -> dict[str, Any]:
    """A decision as it is stored, shown to staff and answered by the API."""
    return {
        "outcome": decision.outcome.value,
        "policy_version": decision.policy.version,
        "policy_hash": decision.policy.hash,
        "rule": decision.rule,
        "because": decision.because,
        "values": plain(decision.values),
        "facts": decision.facts,
        "verdicts": decision.verdicts,
        "effects": plain(decision.effects),
        "would_change": would_change(decision),
    }


def effects_of(told: Mapping[str, Any]) -> Effects:
    """The effects out of a stored receipt, for paying by what was decided then."""
    stored = told["effects"]
    day = stored["last_day"]
    charges = {
        name: {key: Charge(**charge) for key, charge in stored[name].items()}
        for name in ("fees", "bonuses")
    }
    lists = {name: tuple(stored[name]) for name in ("resolutions", "methods", "needs")}
    last_day = {"last_day": date.fromisoformat(day) if day else None}
    return Effects(**{**stored, **charges, **lists, **last_day})


def would_change(decision: Decision, most: int = 3) -> list[dict[str, Any]]:
    """The nearest single changes that would alter the outcome, nearest first.

    Each is found by deciding again with one fact changed, never by reading the rules' minds:
    `{"fact", "from", "to", "outcome", "rule", "because"}`; a change of the day carries the
    window it was counted by. For an approval these are what would have cost it.
    """
    found: dict[str, tuple[tuple[int, int, int], dict[str, Any]]] = {}
    for fact, value in _candidates(decision):
        other = decision.compiled.weigh(_again(decision.seen, fact, value))
        if other.outcome is decision.outcome:
            continue
        was = getattr(decision.seen, fact)
        order = (-other.outcome.rank, _reach(fact), _distance(was, value))
        if fact not in found or order < found[fact][0]:
            found[fact] = (order, _described(decision, other, fact, value))
    return [change for _, change in sorted(found.values(), key=lambda item: item[0])][:most]


def _described(decision: Decision, other: Decision, fact: str, value: Any) -> dict[str, Any]:
    told = {
        "fact": fact,
        "from": plain(getattr(decision.seen, fact)),
        "to": plain(value),
        "outcome": other.outcome.value,
        "rule": other.rule,
        "because": other.because,
    }
    if fact == "requested_on" and decision.window is not None:
        told["window"] = plain(decision.window.values)
    return told


def _reach(fact: str) -> int:
    return IN_REACH.get(fact, BY_TIME.get(fact, FAR))


def _distance(was: Any, value: Any) -> int:
    if isinstance(was, date) and isinstance(value, date):
        return abs((value - was).days)
    if isinstance(was, int) and isinstance(value, int):
        return abs(value - was)
    return 0


def _again(seen: FactsAt, fact: str, value: Any) -> FactsAt:
    """The same facts with one changed, and what follows from it worked out again."""
    other = object.__new__(FactsAt)
    values = other.__dict__
    values.update(seen.__dict__)
    values[fact] = value
    for name, day in DAYS_SINCE.items():
        if name in values and values[day] is not None:
            values[name] = (values["requested_on"] - values[day]).days
    if "share_bps" in values and fact in ("request_quantity", "order_quantity"):
        values["share_bps"] = bps_of(values["request_quantity"], values["order_quantity"])
    if "fault" in values and fact in ("reason", "detail"):
        values["fault"] = fault_of(values["reason"], values["detail"])
    return other


def _candidates(decision: Decision) -> Iterator[Change]:
    """Single changes worth trying, out of what the policy's own rules compare with."""
    seen = decision.seen
    tried: set[tuple[str, Any]] = set()
    for fact, value in _all_candidates(decision):
        if getattr(seen, fact) == value or (fact, value) in tried:
            continue
        tried.add((fact, value))
        yield fact, value
        if len(tried) >= MOST_TRIED:
            return


def _all_candidates(decision: Decision) -> Iterator[Change]:
    """What the request could have said, what time brings, then what the conditions compare."""
    yield from _by_request(decision)
    for _, verdict in decision.trace:
        if verdict.last_day is not None:
            yield "requested_on", verdict.last_day
            yield "requested_on", days_after(verdict.last_day, 1)
    seen, used = decision.seen, decision.compiled.used
    if "delivered_on" in used and seen.delivered_on is None:
        yield "delivered_on", seen.requested_on
    for entry in decision.policy.rules:
        for compare in compares(entry.when):
            yield from _either_side(compare, seen)
    yield from ((name, not getattr(seen, name)) for name in used if TYPES.get(name) == "flag")


def _by_request(decision: Decision) -> Iterator[Change]:
    seen, used = decision.seen, decision.compiled.used
    yield from ((name, True) for name in ("photo", "text") if name in used)
    for fact, choices in (("resolution", "resolutions"), ("method", "methods")):
        if getattr(seen, fact) is not None:
            yield from ((fact, choice) for choice in decision.set_by_rules.get(choices, ()))
    if "reason" in used and seen.reason is not None:
        yield "reason", NOT_AS_SOLD[0]


def _either_side(compare: Compare, seen: FactsAt) -> Iterator[Change]:
    """Values of the compared fact on the other side of the comparison from where it is."""
    fact, wanted, now = compare.fact, compare.wanted, getattr(seen, compare.fact)
    if compare.operator in ("at_least", "at_most"):
        yield from _beside(compare, seen)
    elif TYPES[fact] == "tags":
        yield fact, tuple(wanted)
        yield fact, ()
    elif compare.operator == "in":
        yield fact, wanted[0]
    elif compare.operator in ("is", "starts_with"):
        yield fact, (not now if TYPES[fact] == "flag" else wanted)


def _beside(compare: Compare, seen: FactsAt) -> Iterator[Change]:
    """A bound from both sides. Days since something become the day of the request."""
    step = -1 if compare.operator == "at_least" else 1
    if TYPES[compare.fact] == "date":
        bounds: list[Any] = [compare.wanted, days_after(compare.wanted, step)]
    else:
        bounds = [compare.wanted, compare.wanted + step]
    if compare.fact not in DAYS_SINCE:
        yield from ((compare.fact, bound) for bound in bounds)
        return
    day: date | None = getattr(seen, DAYS_SINCE[compare.fact])
    if day is not None:
        yield from (("requested_on", days_after(day, bound)) for bound in bounds)
