"""When a rule holds, as rows of a form: a fact, how it is asked, and what it is compared with.

A condition that rows cannot show (groups within groups) is kept as it is and told in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from portal.staff.condition_asks import (
    ASKS,
    FACTS,
    Ask,
    asks_of,
    label_of,
    told_as,
    value_widget,
)
from portal.staff.widget_groups import count
from portal.staff.widgets import Box, Choice, Problems, Typed

AT: Final = "when"
MOST: Final = 30
JOINS: Final = {"all": "all of these hold", "any": "at least one of these holds"}


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison as the page shows it."""

    at: str
    fact: str
    label: str
    asks: list[Choice]
    value: Box | None  # None: there is nothing to compare with
    is_out: bool
    error: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows, how they are joined, and whether the condition is one that rows cannot show."""

    rows: list[Row]
    joins: list[Choice]
    is_kept: bool
    facts: list[tuple[str, list[Choice]]]


def fill(when: Mapping[str, Any] | None, currency: str, typed: Typed) -> None:
    """Add what stands for this condition (as JSON; None: always)."""
    join, parts = _rows(when)
    told = [told_as(part) for part in parts]
    if any(each is None for each in told) or (join == "any" and not told):
        typed[f"{AT}.kept"] = "yes"
        told = []
    typed[f"{AT}.join"] = join
    typed[f"{AT}.count"] = str(len(told))
    for place, each in enumerate(told):
        if each is not None:
            _fill_row(f"{AT}.{place}", each, currency, typed)


def read(
    typed: Typed, kept: Mapping[str, Any] | None, currency: str, problems: Problems
) -> dict[str, Any] | None:
    """The condition that was typed, as JSON; None for one that always holds.

    `kept` is the condition as it stands, which stays where rows cannot show it.
    """
    if typed.get(f"{AT}.kept") and kept is not None and not typed.get(f"{AT}.drop"):
        return dict(kept)
    parts = [
        _read_row(f"{AT}.{place}", currency, typed, problems)
        for place in range(count(AT, typed, MOST))
        if not typed.get(f"{AT}.{place}.out")
    ]
    if not parts:
        return None
    join = "any" if typed.get(f"{AT}.join") == "any" else "all"
    return parts[0] if len(parts) == 1 else {join: parts}


def add(fact: str, currency: str, typed: Typed) -> None:
    """One more row, about this fact."""
    place = count(AT, typed, MOST)
    if fact in FACTS and place < MOST:
        typed[f"{AT}.count"] = str(place + 1)
        ask = asks_of(fact)[0]
        _fill_row(f"{AT}.{place}", Ask(fact, ask, None), currency, typed)


def show(typed: Typed, currency: str, problems: Problems) -> Shown:
    """The rows with what was typed into them."""
    join = typed.get(f"{AT}.join", "all")
    return Shown(
        rows=[
            _shown(f"{AT}.{place}", currency, typed, problems)
            for place in range(count(AT, typed, MOST))
            if typed.get(f"{AT}.{place}.fact") in FACTS
        ],
        joins=[Choice(code, words, code == join) for code, words in JOINS.items()],
        is_kept=bool(typed.get(f"{AT}.kept")),
        facts=_by_group(),
    )


def _rows(when: Mapping[str, Any] | None) -> tuple[str, list[Any]]:
    if not when:
        return "all", []
    for join in ("all", "any"):
        if join in when:
            return join, list(when[join])
    return "all", [when]


def _fill_row(at: str, ask: Ask, currency: str, typed: Typed) -> None:
    typed[f"{at}.fact"], typed[f"{at}.ask"] = ask.fact, ask.ask
    value_widget(ask.fact, currency).fill(f"{at}.value", ask.wanted, typed)


def _read_row(at: str, currency: str, typed: Typed, problems: Problems) -> dict[str, Any]:
    fact, ask = typed.get(f"{at}.fact", ""), typed.get(f"{at}.ask", "")
    if fact not in FACTS or ask not in asks_of(fact):
        problems[f"{at}.ask"] = f"{label_of(fact)}: choose how it is compared."
        return {}
    way = ASKS[ask]
    if way.wants is None:
        return way.document(fact, None)
    wanted = value_widget(fact, currency).read(f"{at}.value", typed, problems)
    problem = "" if f"{at}.value" in problems else way.wants(wanted)
    if problem:
        problems[f"{at}.value"] = f"{label_of(fact)}: {problem}"
    return {} if f"{at}.value" in problems else way.document(fact, wanted)


def _shown(at: str, currency: str, typed: Typed, problems: Problems) -> Row:
    fact, ask = typed[f"{at}.fact"], typed.get(f"{at}.ask", "")
    codes = asks_of(fact)
    has_value = any(ASKS[code].wants for code in codes)
    value = value_widget(fact, currency).show(f"{at}.value", typed, problems)
    return Row(
        at=at,
        fact=fact,
        label=label_of(fact),
        asks=[Choice(code, ASKS[code].words, code == ask) for code in codes],
        value=replace(value, label="Compared with") if has_value else None,
        is_out=bool(typed.get(f"{at}.out")),
        error=problems.get(f"{at}.ask", ""),
    )


def _by_group() -> list[tuple[str, list[Choice]]]:
    groups: dict[str, list[Choice]] = {}
    for fact, (group, label, _help) in FACTS.items():
        groups.setdefault(group, []).append(Choice(fact, label))
    return list(groups.items())
