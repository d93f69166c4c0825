"""A policy before staff: each rule a sentence, what changed between two, what was found wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from flask import g

from portal.pages.dates import Calendar
from portal.pages.policy_sentences import Reader, told, when_then
from portal.pages.policy_words import SENTENCES, because
from portal.staff.schema_form import label_of_setting
from returns.facts import plain
from returns.lint import Finding, lint
from returns.policy import Policy, PolicyRule
from returns.rules import KINDS, settings_schema
from returns.versions import Difference, diff

OTHERWISE: Final = {
    "approve": "What no rule decides is approved.",
    "review": "What no rule decides, a person decides.",
    "decline": "What no rule decides is declined.",
}
HEAD: Final = {
    "name": "The name",
    "time_zone": "The time zone",
    "currency": "The currency",
    "otherwise": "What becomes of the rest",
    "format": "The format",
}


def desk_reader(policy: Policy, now: datetime) -> Reader:
    """Who reads at the desk: in English, by the shop's calendar."""
    calendar = Calendar.at(now, "en", g.shop.timezone)
    return Reader("en", calendar, policy.currency or g.shop.currency)


def title_of(kind: str) -> str:
    """What a kind of rule is called."""
    cls = KINDS.get(kind)
    return (cls.title if cls else "") or kind.replace("_", " ").capitalize()


def explained(kind: str) -> str:
    """What a kind of rule does, in one line."""
    return (KINDS[kind].__doc__ or "").strip().partition("\n")[0]


def sentence(entry: PolicyRule, reader: Reader) -> str:
    """A rule as one or two plain sentences, each saying when it holds."""
    own = STAFF_SAYS.get(entry.rule.kind)
    if own is not None:
        return when_then(entry, own(entry.rule, reader), reader)
    said = told(entry, reader)
    return " ".join(said) if said else when_then(entry, _settings(entry), reader)


def _settings(entry: PolicyRule) -> str:
    """A kind that has no words of its own: its name with its settings."""
    kind = entry.rule.kind
    schema = settings_schema(kind)["properties"]
    parts = [
        f"{label_of_setting(name, schema[name])}: {_shown(getattr(entry.rule, name))}"
        for name in (each.name for each in fields(entry.rule))  # type: ignore[arg-type]
    ]
    return f"{title_of(kind)}. {'; '.join(parts)}." if parts else f"{title_of(kind)}."


def _approve(rule: Any, _reader: Reader) -> str:
    return "Approved, without a person looking at it."


def _decline(rule: Any, reader: Reader) -> str:
    return f"It cannot come back. Customers read: “{_because(rule.because, reader)}”"


def _review(rule: Any, reader: Reader) -> str:
    return f"A person decides. Customers read: “{_because(rule.because, reader)}”"


def _because(code: str, reader: Reader) -> str:
    """Why, as customers read it; a code that needs values of a decision is shown as it is."""
    try:
        return because(code, {}, reader.calendar)
    except KeyError:
        return code


def default_words(code: str, reader: Reader) -> str:
    """What a code means that stands in a setting by itself, "" for none."""
    return _because(code, reader) if code in SENTENCES else ""


def _risk(rule: Any, _reader: Reader) -> str:
    return f"With {rule.from_points} risk points or more, a person decides."


def _destination(rule: Any, _reader: Reader) -> str:
    return f"The parcel goes to the address “{rule.to}”."


def _delivered(rule: Any, _reader: Reader) -> str:
    days = rule.or_days_after_shipment
    late = f", or {days} days after dispatch where nobody reported it" if days else ""
    then = "a person decides" if rule.outcome == "review" else "nothing can be sent back"
    return f"Until the parcel was delivered{late}, {then}."


STAFF_SAYS: Final[dict[str, Callable[[Any, Reader], str]]] = {
    "approve": _approve,
    "decline": _decline,
    "review": _review,
    "risk_review": _risk,
    "destination": _destination,
    "delivered": _delivered,
}


@lru_cache(maxsize=64)
def findings(policy: Policy, home: str) -> tuple[Finding, ...]:
    """What lint finds, with rules called by their place: "Rule 4 can never run"."""
    return tuple(
        Finding(each.level, each.code, each.rule, by_place(each.message, policy))
        for each in lint(policy, home or None)
    )


def by_place(message: str, policy: Policy) -> str:
    """A sentence about rules by their ids, with their places instead."""
    for place, id in enumerate((entry.id for entry in policy.rules), start=1):
        message = message.replace(f"Rule {id!r}", f"Rule {place}").replace(
            f"{id!r}", f"rule {place}"
        )
    return message


MENDS: Final = {
    "contradiction": "Change its conditions so that they can all hold at once, or remove it.",
    "shadowed": "Move it above those rules, or remove it.",
    "unreachable": "Move it above that rule, or remove it.",
    "overruled": "Move it above that rule, or remove it: the first one to say something counts.",
    "gap": "That may be meant. Else add a rule that approves, or change what becomes of the rest.",
    "eu_window": "Give 14 days or more, or let the rule hold for other countries only.",
    "fee_on_faulty": "Choose those reasons under “never” or “always free”.",
    "no_currency": "Name the currency under “Name and rest”.",
}


def differences(old: Policy, new: Policy, now: datetime) -> list[str]:
    """What changed, each in a sentence. Rules are called by their place in the new policy."""
    before = {entry.id: entry for entry in old.rules}
    after = {entry.id: entry for entry in new.rules}
    readers = desk_reader(old, now), desk_reader(new, now)
    return list(_told_changes(diff(old, new), before, after, readers))


def _told_changes(
    changes: Sequence[Difference],
    before: dict[str, PolicyRule],
    after: dict[str, PolicyRule],
    readers: tuple[Reader, Reader],
) -> Iterator[str]:
    places = {id: place for place, id in enumerate(after, start=1)}
    changed: set[str] = set()
    for each in changes:
        if each.rule is None:
            name = each.what.removeprefix("changed ")
            yield f"{HEAD.get(name, name)}: {_shown(each.before)} becomes {_shown(each.after)}."
        elif each.what == "removed":
            yield f"Removed: {sentence(before[each.rule], readers[0])}"
        elif each.what == "added":
            yield f"Added as rule {places[each.rule]}: {sentence(after[each.rule], readers[1])}"
        elif each.what == "moved":
            yield f"Rule {places[each.rule]} stood at {each.before} before."
        elif each.rule not in changed:
            changed.add(each.rule)
            yield _changed(before[each.rule], after[each.rule], places[each.rule], readers)


def _changed(old: PolicyRule, new: PolicyRule, place: int, readers: tuple[Reader, Reader]) -> str:
    was, now = sentence(old, readers[0]), sentence(new, readers[1])
    if was != now:
        return f"Rule {place} was: {was} Now: {now}"
    schema = settings_schema(new.rule.kind)["properties"]
    told, then = old.to_json(), new.to_json()
    parts = [
        f"{label_of_setting(name, schema.get(name, {}))} "
        f"{_shown(told.get(name))} becomes {_shown(then.get(name))}"
        for name in sorted(told.keys() | then.keys())
        if told.get(name) != then.get(name)
    ]
    return f"Rule {place}: {'; '.join(parts)}."


def _shown(value: Any) -> str:
    value = plain(value)
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    return str(value).replace("_", " ")
