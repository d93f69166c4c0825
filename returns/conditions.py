"""When a rule speaks: comparisons over facts, joined by ALL, ANY and NOT.

A fact that is not known answers neither yes nor no: such a condition is *unknown*, NOT leaves it
so, and a rule whose condition is unknown stays silent. Nothing is guessed from what is missing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, get_args

from returns.errors import FieldProblem, field
from returns.facts import TYPES, plain
from returns.reasons import FAULTS, REASON_OF, REASONS
from returns.verdict import RESOLUTIONS, Method, Verdict

DEEPEST: Final = 20

# What each operator may be asked of, in the editor's order.
OPERATORS: Final[dict[str, tuple[str, ...]]] = {
    "is": ("text", "number", "money", "flag", "date"),
    "in": ("text", "number"),
    "starts_with": ("text",),
    "at_least": ("number", "money", "date"),
    "at_most": ("number", "money", "date"),
    "has_any": ("tags",),
    "has_all": ("tags",),
    "known": ("text", "number", "money", "date"),
}


@dataclass(frozen=True)
class Compare:
    """One fact against what is wanted. Text and tags compare without regard to case."""

    fact: str
    operator: str
    wanted: Any


@dataclass(frozen=True)
class All:
    """Every one holds. Of nothing: always."""

    of: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one holds. Of nothing: never."""

    of: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """It does not hold."""

    of: "Condition"


Condition = Compare | All | AnyOf | Not
ALWAYS: Final = All(())

CODES: Final[dict[str, frozenset[str]]] = {
    "reason": frozenset(REASONS),
    "detail": frozenset(REASON_OF),
    "fault": frozenset(FAULTS.values()),
    "resolution": frozenset({*RESOLUTIONS, "keep"}),
    "method": frozenset(get_args(Method)),
}

# A comparison of these kinds leads its ALL: rules are found by it, so it is asked first.
LEADING: Final = {
    *(("text", "is"), ("text", "in")),
    *(("number", "at_least"), ("number", "at_most")),
    *(("money", "at_least"), ("money", "at_most")),
}

# None when the condition holds, else why not: the rule's id and a verdict made beforehand.
Missed = tuple[str, Verdict]
Test = Callable[[Mapping[str, Any]], Missed | None]


def read(document: Any, path: tuple[str | int, ...], problems: list[FieldProblem]) -> Condition:
    """A condition from JSON. What is wrong with it is added to `problems`, in sentences."""
    if len(path) > 2 * DEEPEST:
        return _wrong(path, f"Conditions are nested more than {DEEPEST} deep", problems)
    match document:
        case {"all": list(parts)} if len(document) == 1:
            return All(tuple(read(p, (*path, "all", i), problems) for i, p in enumerate(parts)))
        case {"any": list(parts)} if len(document) == 1:
            return AnyOf(tuple(read(p, (*path, "any", i), problems) for i, p in enumerate(parts)))
        case {"not": part} if len(document) == 1:
            return Not(read(part, (*path, "not"), problems))
        case {"fact": str(fact)} if len(document) == 2:
            operator = next(str(name) for name in document if name != "fact")
            return _compare(fact, operator, document.get(operator), path, problems)
    return _wrong(
        path,
        'A condition is {"fact": name, operator: value}, or "all", "any" or "not" alone',
        problems,
    )


def write(condition: Condition) -> dict[str, Any]:
    """A condition as JSON; `read` gives the same condition back."""
    match condition:
        case Compare(fact, operator, wanted):
            return {"fact": fact, operator: plain(wanted)}
        case All(of):
            return {"all": [write(part) for part in of]}
        case AnyOf(of):
            return {"any": [write(part) for part in of]}
        case Not(part):
            return {"not": write(part)}


def compares(condition: Condition) -> Iterator[Compare]:
    """Every comparison in a condition, in order."""
    match condition:
        case Compare():
            yield condition
        case All(of) | AnyOf(of):
            for part in of:
                yield from compares(part)
        case Not(part):
            yield from compares(part)


def leads(condition: Condition) -> bool:
    """Whether a condition is a comparison that rules can be found by."""
    return isinstance(condition, Compare) and (TYPES[condition.fact], condition.operator) in LEADING


def test(condition: Condition, rule: str, currency: str | None) -> Test:
    """Make the condition a function of facts' values, so that deciding reads no document.

    Amounts are compared only where the facts' currency is `currency` (None: any); with another
    they are unknown.
    """
    match condition:
        case Compare():
            return _test_compare(condition, rule, currency)
        case All(of):
            leading_first = sorted(of, key=lambda part: not leads(part))
            return _test_all([test(part, rule, currency) for part in leading_first])
        case AnyOf(of):
            missed = (rule, Verdict("not_met", values=write(condition)))
            return _test_any([test(part, rule, currency) for part in of], missed)
        case Not(part):
            missed = (rule, Verdict("not_met", values=write(condition)))
            return _test_not(test(part, rule, currency), missed)


def _test_compare(compare: Compare, rule: str, currency: str | None) -> Test:
    fact, wanted = compare.fact, compare.wanted
    not_met = (rule, Verdict("not_met", values=write(compare)))
    unknown = (rule, Verdict("unknown", values=write(compare)))
    if compare.operator == "known":
        return lambda values: None if (values[fact] is not None) == wanted else not_met
    holds = _holds(compare)

    def is_met(values: Mapping[str, Any]) -> Missed | None:
        value = values[fact]
        if value is None:
            return unknown
        return None if holds(value) else not_met

    if TYPES[fact] != "money" or currency is None:
        return is_met
    return lambda values: is_met(values) if values["currency"] == currency else unknown


def _test_all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def all_met(values: Mapping[str, Any]) -> Missed | None:
        unknown = None
        for part in tests:
            missed = part(values)
            if missed is not None:
                if missed[1].word == "not_met":
                    return missed
                unknown = unknown or missed
        return unknown

    return all_met


def _test_any(tests: list[Test], not_met: Missed) -> Test:
    def any_met(values: Mapping[str, Any]) -> Missed | None:
        unknown = None
        for part in tests:
            missed = part(values)
            if missed is None:
                return None
            if missed[1].word == "unknown":
                unknown = unknown or missed
        return unknown or not_met

    return any_met


def _test_not(inner: Test, not_met: Missed) -> Test:
    def not_so(values: Mapping[str, Any]) -> Missed | None:
        missed = inner(values)
        if missed is None:
            return not_met
        return missed if missed[1].word == "unknown" else None

    return not_so


def _holds(compare: Compare) -> Callable[[Any], bool]:
    wanted, kind = compare.wanted, TYPES[compare.fact]
    if kind == "text":
        return _text_holds(compare.operator, wanted)
    match compare.operator:
        case "in":
            among = frozenset(wanted)
            return lambda value: value in among
        case "at_least":
            return lambda value: bool(value >= wanted)
        case "at_most":
            return lambda value: bool(value <= wanted)
        case "has_any":
            any_tags = {tag.casefold() for tag in wanted}
            return lambda tags: any(tag.casefold() in any_tags for tag in tags)
        case "has_all":
            all_tags = {tag.casefold() for tag in wanted}
            return lambda tags: all_tags <= {tag.casefold() for tag in tags}
    return lambda value: bool(value == wanted)


def _text_holds(operator: str, wanted: Any) -> Callable[[Any], bool]:
    if operator == "starts_with":
        start = wanted.casefold()
        return lambda text: text.casefold().startswith(start)
    among = frozenset(text.casefold() for text in ([wanted] if operator == "is" else wanted))
    return lambda text: text in among or text.casefold() in among


def _compare(
    fact: str, operator: str, wanted: Any, path: tuple[str | int, ...], problems: list[FieldProblem]
) -> Condition:
    if fact not in TYPES:
        return _wrong(path, f"There is no fact {fact!r}", problems)
    kind = TYPES[fact]
    if kind not in OPERATORS.get(operator, ()):
        may = ", ".join(name for name, kinds in OPERATORS.items() if kind in kinds)
        return _wrong(path, f"{fact} cannot be asked with {operator!r}, only with {may}", problems)
    try:
        return Compare(fact, operator, _wanted(fact, kind, operator, wanted))
    except ValueError as error:
        return _wrong(path, f"{fact} {operator} {wanted!r:.80}: {error}", problems)


def _wanted(fact: str, kind: str, operator: str, wanted: Any) -> Any:
    if operator == "known":
        return _checked(wanted, bool, "give true or false")
    if operator not in ("in", "has_any", "has_all"):
        return _code(fact, _one(kind, wanted))
    if not isinstance(wanted, list) or not wanted:
        raise ValueError("give a list of at least one")
    return tuple(_code(fact, _one(kind, item)) for item in wanted)


def _code(fact: str, wanted: Any) -> Any:
    """Facts that take one of our codes are compared with no other: a slip would never match."""
    if fact in CODES and wanted not in CODES[fact]:
        raise ValueError(f"there is no such code, only {', '.join(sorted(CODES[fact]))}")
    return wanted


def _one(kind: str, wanted: Any) -> Any:
    match kind:
        case "flag":
            return _checked(wanted, bool, "give true or false")
        case "text" | "tags":
            return _checked(wanted, str, "give text in quotes")
        case "date":
            return date.fromisoformat(_checked(wanted, str, "give a date like 2026-11-30"))
    return _checked(wanted, int, "give a whole number")


def _checked(value: Any, wanted: type, sentence: str) -> Any:
    if type(value) is not wanted:  # True is an int to isinstance
        raise ValueError(sentence)
    return value


def _wrong(path: tuple[str | int, ...], words: str, problems: list[FieldProblem]) -> Condition:
    problems.append(FieldProblem(field(path), words))
    return ALWAYS
