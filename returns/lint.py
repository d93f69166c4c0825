"""What is wrong with a policy before it is published.

Rules that can never speak, situations that nobody decides, promises the law does not allow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from returns.conditions import ALWAYS, Condition, compares, test
from returns.decision import Decision, decide
from returns.document import Policy, PolicyRule
from returns.facts import TYPES, look, needed
from returns.reasons import NOT_AS_SOLD
from returns.situations import OTHER, combos, meeting, mentioned, request

EU: Final = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    )
)
EU_DAYS: Final = 14  # Directive 2011/83/EU, article 9: days to withdraw, from receipt


@dataclass(frozen=True)
class Finding:
    """Something to mend (`error`: publishing is refused) or to look at (`warning`)."""

    level: str
    code: str
    rule: str | None
    message: str


def lint(policy: Policy, home: str | None = None) -> list[Finding]:
    """Everything found, errors first, then in the order of the rules.

    `home` is the shop's country, None where it is not known. A window too short for the EU is an
    error for shops of the EU or of nobody knows where, and where a rule names an EU country; else
    a warning, as the shop may not sell there.
    """
    order = {entry.id: i for i, entry in enumerate(policy.rules)}
    found = [
        *_never_met(policy),
        *_never_reached(policy),
        *_overruled(policy),
        *_gaps(policy),
        *_short_in_the_eu(policy, home),
        *_charged_for_our_fault(policy),
        *_without_currency(policy),
    ]
    return sorted(found, key=lambda f: (f.level != "error", order.get(f.rule or "", -1), f.code))


def _never_met(policy: Policy) -> Iterator[Finding]:
    for entry in policy.rules:
        if combos([entry.when]) is not None and meeting(entry.when) is None:
            words = f"Rule {entry.id!r} can never run: its conditions contradict each other."
            yield Finding("error", "contradiction", entry.id, words)


def _decides_always(entry: PolicyRule) -> bool:
    return entry.rule.kind in ("approve", "review", "decline")


def _never_reached(policy: Policy) -> Iterator[Finding]:
    earlier: list[PolicyRule] = []
    for entry in policy.rules:
        if entry.rule.outcomes and earlier and entry.rule.kind != "evidence":
            hiding = _hiding(earlier, entry.when)
            if hiding:
                names = " and ".join(repr(rule.id) for rule in hiding[:3])
                verb = "matches" if len(hiding) == 1 else "match"
                words = (
                    f"Rule {entry.id!r} can never decide: {names} already {verb} all it matches."
                )
                code = "shadowed" if hiding[0].when != ALWAYS else "unreachable"
                yield Finding("error", code, entry.id, words)
        if _decides_always(entry):
            earlier.append(entry)


def _hiding(earlier: Sequence[PolicyRule], when: Condition) -> list[PolicyRule]:
    """The earlier rules that leave nothing of `when`: one alone if one does, else all together."""
    for entry in earlier:
        if _covers([entry.when], when):
            return [entry]
    asked = {compare.fact for compare in compares(when)}
    near = [e for e in earlier if asked & {compare.fact for compare in compares(e.when)}]
    return near if len(near) > 1 and _covers([e.when for e in near], when) else []


def _covers(wide: Sequence[Condition], narrow: Condition) -> bool:
    """Whether one of `wide` holds wherever `narrow` does. False when it cannot be told."""
    if ALWAYS in wide or narrow in wide:
        return True
    situations = combos([*wide, narrow])
    if situations is None:
        return False
    holds, covered = test(narrow, "", None), [test(one, "", None) for one in wide]
    met = [one for one in situations if holds(one) is None]
    return bool(met) and all(any(cover(one) is None for cover in covered) for one in met)


def _overruled(policy: Policy) -> Iterator[Finding]:
    """Effects that an earlier rule has always set already."""
    before: list[tuple[PolicyRule, set[str]]] = []
    for entry in policy.rules:
        if entry.rule.outcomes:
            continue
        facts, at = request(policy, meeting(entry.when) or {})
        seen = look(facts, at, policy.zone, needed(entry.rule.uses))
        verdict = entry.rule.check(seen)
        names = {name for name, _ in verdict.sets} if verdict else set()
        for other, taken in before:
            if names and names <= taken and _covers([other.when], entry.when):
                words = f"Rule {entry.id!r} changes nothing: {other.id!r} sets the same before it."
                yield Finding("warning", "overruled", entry.id, words)
                break
        before.append((entry, names))


def _gaps(policy: Policy) -> Iterator[Finding]:
    """A usual request, made as soon as the parcel is there, that no rule decides."""
    for country in mentioned(policy, "country"):
        for category in mentioned(policy, "category"):
            facts, at = request(policy, {"country": country, "category": category})
            if decide(policy, replace(facts, delivered_at=at), at).rule is None:
                words = (
                    f"No rule decides for {_named(country, 'country')} and "
                    f"{_named(category, 'category')}: it ends as {policy.otherwise.value}."
                )
                yield Finding("warning", "gap", None, words)


def _named(value: str, what: str) -> str:
    return f"any other {what}" if value == OTHER else f"{what} {value}"


def _short_in_the_eu(policy: Policy, home: str | None) -> Iterator[Finding]:
    """On the fourteenth day after a slow delivery a customer in the EU must not be too late."""
    countries = [c for c in mentioned(policy, "country") if c.upper() in EU]
    told: set[str | None] = set()
    meant = {entry.id for entry in policy.rules if _names_the_eu(entry.when)}
    for country in [*countries, *sorted(EU - set(countries))]:
        for category in mentioned(policy, "category"):
            wanted = {"country": country, "category": category}
            facts, at = request(policy, wanted)
            slow = replace(
                facts,
                ordered_at=at - timedelta(days=EU_DAYS + 12),
                shipped_at=at - timedelta(days=EU_DAYS + 11),
                delivered_at=at - timedelta(days=EU_DAYS),
            )
            decision = decide(policy, slow, at)
            if decision.because == "window_closed" and decision.rule not in told:
                told.add(decision.rule)
                words = (
                    f"Rule {decision.rule!r} closes within {EU_DAYS} days of delivery for "
                    f"{country}, {_named(category, 'category')}. EU law gives {EU_DAYS}."
                )
                binding = home is None or home in EU or decision.rule in meant
                yield Finding("error" if binding else "warning", "eu_window", decision.rule, words)


def _names_the_eu(when: Condition) -> bool:
    """Whether a condition is about a country of the EU: whoever writes it sells there."""
    asked = [compare for compare in compares(when) if compare.fact == "country"]
    named = [each for c in asked for each in (c.wanted if c.operator == "in" else [c.wanted])]
    return any(isinstance(each, str) and each.upper() in EU for each in named)


def _charged_for_our_fault(policy: Policy) -> Iterator[Finding]:
    for entry in policy.rules:
        if entry.rule.kind not in ("restocking_fee", "label"):
            continue
        charged = [reason for reason in NOT_AS_SOLD if _charges_for(policy, entry, reason)]
        if charged:
            what = "a fee" if entry.rule.kind == "restocking_fee" else "the label"
            words = f"Rule {entry.id!r} charges {what} for {', '.join(charged)}: waive it there."
            yield Finding("error", "fee_on_faulty", entry.id, words)


def _charges_for(policy: Policy, entry: PolicyRule, reason: str) -> bool:
    facts, at = request(policy, (meeting(entry.when) or {}) | {"reason": reason})
    decision = decide(policy, facts, at)
    return _sets_something(decision, entry.id) and _charges(decision, entry.rule.kind)


def _sets_something(decision: Decision, rule: str) -> bool:
    return any(v["rule"] == rule and v["verdict"] == "sets" for v in decision.verdicts)


def _charges(decision: Decision, kind: str) -> bool:
    if kind == "label":
        return decision.effects.label_paid_by == "customer"
    return any(charge.amount_minor or charge.share_bps for charge in decision.effects.fees.values())


def _without_currency(policy: Policy) -> Iterator[Finding]:
    if policy.currency is not None:
        return
    for entry in policy.rules:
        flat = getattr(entry.rule, "amount_minor", 0) or any(
            getattr(entry.rule, "cost_minor", {}).values()
        )
        if flat or any(TYPES[c.fact] == "money" for c in compares(entry.when)):
            words = f"Rule {entry.id!r} has an amount, but the policy names no currency for it."
            yield Finding("warning", "no_currency", entry.id, words)
