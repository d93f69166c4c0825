"""Fields that hold others: records, rows of them, numbers by name, and one of several kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from portal.staff.widgets import Box, Choice, Line, One, Problems, Typed, Widget

MOST_ROWS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Record(Widget):
    """Several settings by name. One that stands for no setting of its own keeps its default."""

    of: Mapping[str, Widget]

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        for key, widget in self.of.items():
            given = value if value is not None else {}
            widget.fill(inner(name, key), given.get(key, widget.default), typed)

    def read(self, name: str, typed: Typed, problems: Problems) -> dict[str, Any]:
        return {
            key: widget.read(inner(name, key), typed, problems) for key, widget in self.of.items()
        }

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        parts = [widget.show(inner(name, key), typed, problems) for key, widget in self.of.items()]
        return self._box("record", name, problems, parts=parts)


@dataclass(frozen=True, kw_only=True)
class Const(Widget):
    """What is always the same and never shown."""

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        pass

    def read(self, name: str, typed: Typed, problems: Problems) -> Any:
        return self.default

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        return Box("nothing", name, "")


@dataclass(frozen=True, kw_only=True)
class Rows(Widget):
    """Any number of the same. Each can be taken out; `more` adds an empty one."""

    row: Widget
    most: int = MOST_ROWS

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        typed[f"{name}.count"] = str(len(value))
        for place, each in enumerate(value):
            self.row.fill(f"{name}.{place}", each, typed)

    def read(self, name: str, typed: Typed, problems: Problems) -> list[Any]:
        return [
            self.row.read(f"{name}.{place}", typed, problems)
            for place in range(count(name, typed, self.most))
            if not typed.get(f"{name}.{place}.out")
        ]

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        parts = [
            replace(
                self.row.show(f"{name}.{place}", typed, problems),
                kind="row",
                label=f"{self.label} {place + 1}",
                value=typed.get(f"{name}.{place}.out", ""),
            )
            for place in range(count(name, typed, self.most))
        ]
        return self._box("rows", name, problems, parts=parts, value=str(len(parts)))

    def more(self, name: str, typed: Typed) -> None:
        """One more row, with what a new one begins with."""
        place = count(name, typed, self.most)
        if place < self.most:
            typed[f"{name}.count"] = str(place + 1)
            self.row.fill(f"{name}.{place}", self.row.default, typed)


@dataclass(frozen=True, kw_only=True)
class Named(Rows):
    """The same for each of several names: days for a category, words for a language."""

    key: Line

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        typed[f"{name}.count"] = str(len(value))
        for place, (key, each) in enumerate(value.items()):
            typed[f"{name}.{place}.key"] = key
            self.row.fill(f"{name}.{place}.value", each, typed)

    def read(self, name: str, typed: Typed, problems: Problems) -> dict[str, Any]:  # type: ignore[override]
        found: dict[str, Any] = {}
        for place in range(count(name, typed, self.most)):
            here = f"{name}.{place}"
            if typed.get(f"{here}.out") or self._is_blank(here, typed):
                continue
            key = self.key.read(f"{here}.key", typed, problems)
            if key in found:
                problems[f"{here}.key"] = f"{key} stands here twice. Take one of them out."
            found[key] = self.row.read(f"{here}.value", typed, problems)
        return found

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        parts = []
        for place in range(count(name, typed, self.most)):
            here = f"{name}.{place}"
            key = self.key.show(f"{here}.key", typed, problems)
            value = self.row.show(f"{here}.value", typed, problems)
            inside = value.parts if value.kind == "record" else (value,)
            label, out = f"{self.label} {place + 1}", typed.get(f"{here}.out", "")
            parts.append(Box("row", here, label, value=out, parts=(key, *inside)))
        return self._box("rows", name, problems, parts=parts, value=str(len(parts)))

    def more(self, name: str, typed: Typed) -> None:
        place = count(name, typed, self.most)
        if place < self.most:
            typed[f"{name}.count"] = str(place + 1)
            typed[f"{name}.{place}.key"] = ""
            self.row.fill(f"{name}.{place}.value", self.row.default, typed)

    def _is_blank(self, here: str, typed: Typed) -> bool:
        mine = [each for each in typed if each.startswith(f"{here}.")]
        return not any(text.strip() for each in mine for text in typed.getlist(each))


@dataclass(frozen=True, kw_only=True)
class EachOf(Widget):
    """A value for each of a few codes; what is left empty is left out."""

    of: Mapping[str, Widget]

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        for code, widget in self.of.items():
            widget.fill(f"{name}.{code}", value.get(code), typed)

    def read(self, name: str, typed: Typed, problems: Problems) -> dict[str, Any]:
        return {
            code: widget.read(f"{name}.{code}", typed, problems)
            for code, widget in self.of.items()
            if typed.get(f"{name}.{code}", "").strip()
        }

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        parts = [w.show(f"{name}.{code}", typed, problems) for code, w in self.of.items()]
        return self._box("record", name, problems, parts=parts)


@dataclass(frozen=True, kw_only=True)
class OneOf(Widget):
    """One of several kinds, each with settings of its own."""

    of: Mapping[str, Record]
    tag: str = "kind"

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        chosen = (value or {}).get(self.tag) or next(iter(self.of))
        typed[f"{name}.{self.tag}"] = chosen
        for code, record in self.of.items():
            record.fill(f"{name}.{code}", value if code == chosen else None, typed)

    def read(self, name: str, typed: Typed, problems: Problems) -> Any:
        chosen = self._kind.read(f"{name}.{self.tag}", typed, problems)
        return (
            self.of[chosen].read(f"{name}.{chosen}", typed, problems) if chosen in self.of else {}
        )

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        chosen = typed.get(f"{name}.{self.tag}", "")
        parts = [w.show(f"{name}.{code}", typed, problems) for code, w in self.of.items()]
        choices = [
            Choice(code, record.label or code, code == chosen) for code, record in self.of.items()
        ]
        return self._box("oneof", name, problems, parts=parts, choices=choices, value=self.tag)

    @property
    def _kind(self) -> One:
        return One(label=self.label, words={code: code for code in self.of})


def inner(name: str, key: str) -> str:
    """The name of a field inside another."""
    return f"{name}.{key}" if name else key


def count(name: str, typed: Typed, most: int) -> int:
    """How many rows the form had."""
    said = typed.get(f"{name}.count", "0")
    return min(int(said), most) if said.isascii() and said.isdigit() and len(said) < 6 else 0


def add_row(widget: Widget, at: str, wanted: str, typed: Typed) -> bool:
    """Add an empty row to the rows that are called `wanted`; False where there are none."""
    if isinstance(widget, Rows):
        if at == wanted:
            widget.more(at, typed)
            return True
        places = range(count(at, typed, widget.most))
        tail = ".value" if isinstance(widget, Named) else ""
        return any(add_row(widget.row, f"{at}.{place}{tail}", wanted, typed) for place in places)
    if isinstance(widget, Record | OneOf):
        return any(add_row(each, inner(at, key), wanted, typed) for key, each in widget.of.items())
    return False


def placed(problems: Problems, shown: Box) -> Problems:
    """Each problem under the name of a field that is there: its own, else what it is part of."""
    names = set(_names(shown))
    found: Problems = {}
    for name, sentence in problems.items():
        while name and name not in names:
            name = name.rpartition(".")[0]
        found[name] = f"{found[name]} {sentence}" if name in found else sentence
    return found


def _names(box: Box) -> Iterator[str]:
    yield box.name
    for part in box.parts:
        yield from _names(part)
