"""Fields of a form: what is typed into one becomes a value, and a value becomes what is typed.

Whatever was typed is kept as it was, so that nothing is lost when something is wrong with it.
"""

from __future__ import annotations

import csv
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from portal.staff.countries import country_code, country_list

Typed = MultiDict[str, str]
Problems = dict[str, str]  # a sentence by the field's name
NUMBER: Final = re.compile(r"-?[0-9]{1,15}([.,][0-9]{1,6})?", re.ASCII)
TWO_READINGS: Final = re.compile(r"-?[0-9]{1,3},[0-9]{3}", re.ASCII)
LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several that can be chosen. `place` is its place where their order counts."""

    code: str
    words: str
    is_chosen: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A field as a page shows it; one that holds others has `parts`."""

    kind: str
    name: str
    label: str
    help: str = ""
    unit: str = ""
    value: str = ""
    error: str = ""
    placeholder: str = ""
    choices: Sequence[Choice] = ()
    parts: Sequence[Box] = ()


@dataclass(frozen=True, kw_only=True)
class Widget(ABC):
    """A field without its value. `default` is what it begins with."""

    label: str = ""
    help: str = ""
    default: Any = None

    @abstractmethod
    def fill(self, name: str, value: Any, typed: Typed) -> None:
        """Add to `typed` what stands for this value."""

    @abstractmethod
    def read(self, name: str, typed: Typed, problems: Problems) -> Any:
        """The value that was typed. What is wrong with it is added to `problems`."""

    @abstractmethod
    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        """The field with what was typed into it."""

    def _box(self, kind: str, name: str, problems: Problems, **more: Any) -> Box:
        return Box(kind, name, self.label, self.help, error=problems.get(name, ""), **more)


@dataclass(frozen=True, kw_only=True)
class Line(Widget):
    """Text on one line. Left empty it is its default, whose words stand in the empty field."""

    most: int = LONGEST
    is_needed: bool = False
    default_words: str = ""
    pattern: str = ""  # what it must be like, where it must be like something
    such: str = ""  # and a sentence that says so

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        typed[name] = "" if value == self.default else str(value)

    def read(self, name: str, typed: Typed, problems: Problems) -> str:
        text = typed.get(name, "").strip()
        problem = text_problem(text, self.most)
        if not problem and not text and self.is_needed and not self.default:
            problem = f"{self.label}: this must not be empty."
        if not problem and text and self.pattern and not re.search(self.pattern, text):
            problem = f"{self.label}: {text[:40]} does not fit. {self.such}"
        if problem:
            problems[name] = problem
        return text or str(self.default or "")

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        words = self.default_words or str(self.default or "")
        value = typed.get(name, "")
        return self._box("line", name, problems, value=value, placeholder=words)


@dataclass(frozen=True, kw_only=True)
class Day(Widget):
    """A date."""

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        typed[name] = str(value or "")

    def read(self, name: str, typed: Typed, problems: Problems) -> str:
        text = typed.get(name, "").strip()
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            problems[name] = f"{self.label}: give a date such as 2026-11-30."
            return text

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        return self._box("day", name, problems, value=typed.get(name, ""))


@dataclass(frozen=True, kw_only=True)
class Number(Widget):
    """A whole number, shown with `digits` after the point and a unit: 499 as 4.99 USD."""

    unit: str = ""
    digits: int = 0
    least: int | None = None
    most: int | None = None
    may_be_empty: bool = False

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        typed[name] = "" if value is None else self._words(value)

    def read(self, name: str, typed: Typed, problems: Problems) -> int | None:
        text = "".join(typed.get(name, "").split())
        if not text and self.may_be_empty:
            return None
        problem = self._problem(text)
        if not problem:
            value = Decimal(text.replace(",", ".")).scaleb(self.digits)
            whole = int(value)
            problem = self._unfit(whole, is_whole=value == whole)
        if problem:
            problems[name] = problem
            return None
        return whole

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        return self._box("number", name, problems, value=typed.get(name, ""), unit=self.unit)

    def _problem(self, text: str) -> str:
        if not text:
            return f"{self.label}: give a number."
        if self.digits != 3 and TWO_READINGS.fullmatch(text):
            plain = text.replace(",", "")
            return f"{self.label}: {text} can be read in two ways. Write {plain} or {plain}.00."
        if not NUMBER.fullmatch(text):
            such = self._words(1250 if self.digits else 30)
            return f"{self.label}: give a number such as {such}, not {text[:40]}."
        return ""

    def _unfit(self, value: int, *, is_whole: bool) -> str:
        if not is_whole:
            finest = f"at most {self.digits} digits after the point" if self.digits else "no point"
            return f"{self.label}: give a number with {finest}."
        if self.least is not None and value < self.least:
            return f"{self.label}: give {self._told(self.least)} or more."
        if self.most is not None and value > self.most:
            return f"{self.label}: give {self._told(self.most)} or less."
        return ""

    def _words(self, value: int) -> str:
        number = Decimal(value).scaleb(-self.digits)
        shown = f"{number:f}"
        # 10 % rather than 10.00 %, but always 10.00 USD.
        return shown.rstrip("0").rstrip(".") if self.unit == "%" and "." in shown else shown

    def _told(self, value: int) -> str:
        return f"{self._words(value)} {self.unit}".strip()


@dataclass(frozen=True, kw_only=True)
class Flag(Widget):
    """Yes or no."""

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        put(typed, name, ["yes"] if value else [])

    def read(self, name: str, typed: Typed, problems: Problems) -> bool:
        return bool(typed.getlist(name))

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        return self._box("flag", name, problems, value=typed.get(name, ""))


@dataclass(frozen=True, kw_only=True)
class One(Widget):
    """One of a few."""

    words: Mapping[str, str]

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        typed[name] = str(value)

    def read(self, name: str, typed: Typed, problems: Problems) -> str:
        code = typed.get(name, "")
        if code not in self.words:
            problems[name] = f"{self.label}: choose one of these."
        return code

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        chosen = typed.get(name, "")
        choices = [Choice(code, words, code == chosen) for code, words in self.words.items()]
        return self._box("one", name, problems, choices=choices, value=chosen)


@dataclass(frozen=True, kw_only=True)
class Some(Widget):
    """Any of a few, in the order they are listed."""

    words: Mapping[str, str]
    is_needed: bool = False

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        put(typed, name, value or ())

    def read(self, name: str, typed: Typed, problems: Problems) -> list[str]:
        chosen = typed.getlist(name)
        if self.is_needed and not chosen:
            problems[name] = f"{self.label}: choose at least one."
        if not set(chosen) <= self.words.keys():
            problems[name] = f"{self.label}: choose from these."
        return [code for code in self.words if code in chosen]

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        chosen = typed.getlist(name)
        choices = [Choice(code, words, code in chosen) for code, words in self.words.items()]
        return self._box("some", name, problems, choices=choices)


@dataclass(frozen=True, kw_only=True)
class Ranked(Some):
    """Some of a few, in an order of one's own: each says its place, or that it is left out."""

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        for place, code in enumerate(value, start=1):
            typed[f"{name}.{code}"] = str(place)

    def read(self, name: str, typed: Typed, problems: Problems) -> list[str]:
        said = {code: typed.get(f"{name}.{code}", "") for code in self.words}
        chosen = {code: int(place) for code, place in said.items() if place in self._places}
        if not chosen:
            problems[name] = f"{self.label}: choose at least one."
        return sorted(chosen, key=lambda code: chosen[code])

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        choices = [
            Choice(code, words, place=typed.get(f"{name}.{code}", ""))
            for code, words in self.words.items()
        ]
        return self._box("ranked", name, problems, choices=choices)

    @property
    def _places(self) -> list[str]:
        return [str(place) for place in range(1, len(self.words) + 1)]


@dataclass(frozen=True, kw_only=True)
class Words(Widget):
    """Several texts with commas between them; one that holds a comma stands in quotes."""

    most: int = 200
    is_country: bool = False
    longest: int = field(default=LONGEST)

    def fill(self, name: str, value: Any, typed: Typed) -> None:
        typed[name] = (country_list if self.is_country else words_list)(value or ())

    def read(self, name: str, typed: Typed, problems: Problems) -> list[str]:
        found = split_words(typed.get(name, ""))
        if len(found) > self.most:
            problems[name] = f"{self.label}: at most {self.most}, not {len(found)}."
        for text in found:
            problem = text_problem(text, self.longest)
            if problem:
                problems[name] = problem
        return self._countries(name, found, problems) if self.is_country else found

    def _countries(self, name: str, found: list[str], problems: Problems) -> list[str]:
        codes: list[str] = []
        for text in found:
            known = country_code(text)
            if not known:
                problems[name] = no_country(text)
            codes += known
        return list(dict.fromkeys(codes))

    def show(self, name: str, typed: Typed, problems: Problems) -> Box:
        return self._box("words", name, problems, value=typed.get(name, ""))


def put(typed: Typed, name: str, values: Sequence[str]) -> None:
    """Let these be all that is typed under a name."""
    typed.poplist(name)
    for value in values:
        typed.add(name, value)


def split_words(text: str) -> list[str]:
    """Texts with commas or lines between them; doubles are left out."""
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    try:
        found = [" ".join(each.split()) for row in rows for each in row]
    except csv.Error:
        found = [" ".join(each.split()) for each in text.replace("\n", ",").split(",")]
    return list(dict.fromkeys(each for each in found if each))


def words_list(texts: Sequence[str]) -> str:
    """`split_words` gives these texts back."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(texts)
    return (
        line.getvalue().replace(",", ", ")
        if not any("," in t for t in texts)
        else (line.getvalue())
    )


def text_problem(text: str, most: int) -> str:
    """What is wrong with a text, "" for nothing."""
    if "\0" in text:
        return "This holds a character that cannot be kept (NUL). Take it out."
    return f"Write at most {most} characters." if len(text) > most else ""


def no_country(text: str) -> str:
    """What to do about a country that we do not know."""
    return f"We know no country {text[:40]!r}. Write its English name, or its two letters."
