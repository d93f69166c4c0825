"""The policy as a document: versioned, JSON in and out, with one hash for one meaning."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from returns.conditions import ALWAYS, Condition, compares, read, write
from returns.errors import DocumentError, FieldProblem, field, problems_of
from returns.facts import plain
from returns.money import exponent
from returns.rules import ENVELOPE, KINDS, READERS
from returns.verdict import Outcome, Rule

FORMAT: Final = 1
MOST_RULES: Final = 5_000
RULE_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}", re.ASCII)
KEYS: Final = ("format", "version", "name", "time_zone", "currency", "otherwise", "rules")


@dataclass(frozen=True)
class PolicyRule:
    """A rule in its place: its id, what it does, and when it speaks. The note is for the staff."""

    id: str
    rule: Rule
    when: Condition = ALWAYS
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The rule with every setting written out, defaults too."""
        settings = {f.name: plain(getattr(self.rule, f.name)) for f in fields(self.rule)}  # type: ignore[arg-type]
        document = {"id": self.id, "kind": self.rule.kind, **settings}
        if self.when != ALWAYS:
            document["when"] = write(self.when)
        return document | ({"note": self.note} if self.note else {})

    @property
    def may_decline(self) -> bool:
        """Whether the rule, as it is set, can decline a request."""
        outcome = getattr(self.rule, "outcome", Outcome.DECLINE)
        return Outcome.DECLINE in self.rule.outcomes and outcome == Outcome.DECLINE


@dataclass(frozen=True, eq=False)
class Policy:
    """Ordered rules, the calendar they count days on, and what happens when none decides.

    The first rule in order that gives an outcome decides; effects add up, the earlier counting
    where two rules set the same. Amounts in rules are minor units of `currency`. Two policies
    are equal when their hashes are.
    """

    version: int
    rules: tuple[PolicyRule, ...]
    name: str = ""
    time_zone: str = "UTC"
    currency: str | None = None
    otherwise: Outcome = Outcome.REVIEW

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read a policy. Raises DocumentError with one sentence for everything that is wrong."""
        problems: list[FieldProblem] = []
        if not isinstance(document, Mapping):
            raise DocumentError([FieldProblem("", "A policy is an object with rules in it.")])
        values = {**_head(document, problems), "rules": _rules(document.get("rules"), problems)}
        if problems:
            raise DocumentError(problems)
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The whole document; `from_json` gives an equal policy back."""
        return {
            "format": FORMAT,
            "version": self.version,
            "name": self.name,
            "time_zone": self.time_zone,
            "currency": self.currency,
            "otherwise": self.otherwise.value,
            "rules": [rule.to_json() for rule in self.rules],
        }

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of the document as JSON with sorted keys and no blanks."""
        canonical = json.dumps(
            self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.time_zone)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)


def _head(document: Mapping[str, Any], problems: list[FieldProblem]) -> dict[str, Any]:
    for name in document:
        if name not in KEYS:
            problems.append(FieldProblem(str(name), f"A policy has no {name!r}. Take it out."))
    found: dict[str, Any] = {}
    for name, (is_right, sentence, default) in HEAD.items():
        value = document.get(name, default)
        if not is_right(value):
            problems.append(FieldProblem(name, f"The policy's {name} is {value!r:.60}. {sentence}"))
        found[name] = value
    found.pop("format")
    if found["otherwise"] in list(Outcome):
        found["otherwise"] = Outcome(found["otherwise"])
    return found


def _is_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ZoneInfo(value))
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    except KeyError:
        return False


def _is_currency(value: Any) -> bool:
    try:
        return value is None or exponent(value) >= 0
    except (ValueError, TypeError):
        return False


HEAD: Final[dict[str, tuple[Any, str, Any]]] = {
    "format": (lambda v: v == FORMAT, f"We read format {FORMAT}.", FORMAT),
    "version": (lambda v: type(v) is int and v > 0, "Give a whole number from 1 up.", None),
    "name": (lambda v: isinstance(v, str) and len(v) <= 200, "Give at most 200 characters.", ""),
    "time_zone": (_is_zone, "Give a zone like Europe/Berlin.", "UTC"),
    "currency": (_is_currency, "Give a code like EUR, or leave it out.", None),
    "otherwise": (lambda v: v in list(Outcome), "Give approve, review or decline.", "review"),
}


def _rules(documents: Any, problems: list[FieldProblem]) -> tuple[PolicyRule, ...]:
    if not isinstance(documents, list) or len(documents) > MOST_RULES:
        words = f"A policy's rules are a list of at most {MOST_RULES}."
        problems.append(FieldProblem("rules", words))
        return ()
    rules = [_rule(document, i, problems) for i, document in enumerate(documents)]
    seen: set[str] = set()
    for i, rule in enumerate(rules):
        if rule is not None and rule.id in seen:
            words = f"Rule {rule.id!r} is there twice. Give each rule an id of its own."
            problems.append(FieldProblem(field(["rules", i, "id"]), words))
        seen.add(rule.id if rule else "")
    return tuple(rule for rule in rules if rule is not None)


def _rule(document: Any, index: int, problems: list[FieldProblem]) -> PolicyRule | None:
    place = ("rules", index)
    if not isinstance(document, Mapping):
        problems.append(FieldProblem(field(place), f"Rule {index + 1} is not an object."))
        return None
    id, kind, note = (document.get(name, "") for name in ("id", "kind", "note"))
    if not isinstance(id, str) or not RULE_ID.fullmatch(id):
        words = f"Rule {index + 1} has the id {id!r:.80}. Use a-z, 0-9, - and _, at most 60."
        problems.append(FieldProblem(field([*place, "id"]), words))
        return None
    if not isinstance(kind, str) or kind not in KINDS:
        words = f"Rule {id!r} is of kind {kind!r:.80}. The kinds are {', '.join(KINDS)}."
        problems.append(FieldProblem(field([*place, "kind"]), words))
        return None
    if not isinstance(note, str) or len(note) > 1000:
        words = f"Rule {id!r}: note is at most 1000 characters of text."
        problems.append(FieldProblem(field([*place, "note"]), words))
        return None
    when = _when(document, id, place, problems)
    settings = {name: value for name, value in document.items() if name not in ENVELOPE}
    try:
        rule = READERS[kind].validate_json(json.dumps(settings), strict=True)
    except ValidationError as error:
        problems.extend(problems_of(f"Rule {id!r}", error, place))
        return None
    entry = PolicyRule(id, rule, when, note)
    problems.extend(_risk_problems(entry, place))
    return entry


def _when(
    document: Mapping[str, Any], id: str, place: tuple[str | int, ...], problems: list[FieldProblem]
) -> Condition:
    if "when" not in document:
        return ALWAYS
    mine: list[FieldProblem] = []
    condition = read(document["when"], (*place, "when"), mine)
    problems.extend(FieldProblem(p.field, f"Rule {id!r}, when: {p.message}.") for p in mine)
    return condition


def _risk_problems(entry: PolicyRule, place: tuple[str | int, ...]) -> Iterable[FieldProblem]:
    """Risk points lead to a second look. Nobody is refused for them."""
    if entry.may_decline and any(c.fact == "risk_points" for c in compares(entry.when)):
        words = (
            f"Rule {entry.id!r} would decline for risk points. Points never decline by themselves: "
            "make it a review."
        )
        yield FieldProblem(field([*place, "when"]), words)
