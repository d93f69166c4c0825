"""Which rules are worth asking: found by the facts, so that a thousand rules cost like a few.

A rule led by a plain comparison (category is Shoes, price at least 50.00) cannot speak unless that
holds; the verdict of all those that do not is known beforehand. The index gives what is left.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from returns.conditions import All, Compare, Condition, Missed, leads, write
from returns.facts import TYPES
from returns.verdict import PASSES, Verdict


def leader(condition: Condition) -> Compare | None:
    """The comparison a rule is found by: the condition, or the first fit one among its ALL."""
    parts = condition.of if isinstance(condition, All) else (condition,)
    return next((part for part in parts if isinstance(part, Compare) and leads(part)), None)


class Index:
    """Rules by what leads them. Give it (id, condition) in order."""

    def __init__(self, rules: Sequence[tuple[str, Condition]], currency: str | None) -> None:
        self.currency = currency
        self.always: list[int] = []
        self.by_text: dict[str, dict[str, list[int]]] = {}
        self.bounds: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.unasked: list[Missed] = []
        for i, (rule, condition) in enumerate(rules):
            leading = leader(condition)
            if leading is None:
                self.always.append(i)
                self.unasked.append((rule, PASSES))  # never kept: these are always asked
            else:
                self._add(i, leading)
                self.unasked.append((rule, Verdict("not_met", values=write(leading))))
        self.texts = [
            (fact, of, sorted({i for places in of.values() for i in places}))
            for fact, of in self.by_text.items()
        ]
        self.ranges = [
            (fact, TYPES[fact] == "money", operator, [n for n, _ in of], [i for _, i in of])
            for (fact, operator), unsorted in self.bounds.items()
            for of in [sorted(unsorted)]
        ]

    def _add(self, i: int, leading: Compare) -> None:
        if TYPES[leading.fact] == "text":
            wanted = [leading.wanted] if leading.operator == "is" else leading.wanted
            of = self.by_text.setdefault(leading.fact, {})
            for text in {text.casefold() for text in wanted}:
                of.setdefault(text, []).append(i)
        else:
            key = (leading.fact, leading.operator)
            self.bounds.setdefault(key, []).append((leading.wanted, i))

    def asked(self, values: Mapping[str, Any]) -> list[int]:
        """The places, in order, of the rules that may speak or may not know."""
        found = self.always.copy()
        for fact, of, every in self.texts:
            value = values[fact]
            found += every if value is None else of.get(value.casefold(), ())
        for fact, is_money, operator, bounds, places in self.ranges:
            value = values[fact]
            other = is_money and self.currency is not None and values["currency"] != self.currency
            if value is None or other:
                found += places
            elif operator == "at_least":
                found += places[: bisect_right(bounds, value)]
            else:
                found += places[bisect_left(bounds, value) :]
        found.sort()
        return found
