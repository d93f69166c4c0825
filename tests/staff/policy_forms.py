"""Forms as a browser without JavaScript fills and sends them, read from the page's own HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.pages.browser import Browser


class Form(HTMLParser):
    """One form of a page: where it goes, and what stands in its fields."""

    def __init__(self, html: str, action: str) -> None:
        super().__init__(convert_charrefs=True)
        self.action, self.is_here = action, False
        self.fields: MultiDict[str, str] = MultiDict()
        self.choices: dict[str, list[str]] = {}
        self._select = self._area = ""
        self.feed(html)
        assert self.fields, f"no form leads to {action}: {html[:2000]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_here = told.get("action") == self.action
        if not self.is_here:
            return
        name = told.get("name", "")
        if tag == "input" and name and is_sent(told):
            self.fields.add(name, told.get("value", ""))
        elif tag == "textarea":
            self._area = name
            self.fields.add(name, "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            value = told.get("value", "")
            self.choices.setdefault(self._select, []).append(value)
            if "selected" in told or self._select not in self.fields:
                self.fields[self._select] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_here = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data

    def type(self, typed: dict[str, str | Iterable[str]]) -> None:
        """Type into fields; several values are boxes that are ticked."""
        for name, value in typed.items():
            assert not isinstance(value, str) or name in self.fields, (name, list(self.fields))
            self.fields.setlist(name, [value] if isinstance(value, str) else list(value))

    def row(self, fact: str, ask: str, value: str) -> None:
        """Have one condition, typed by hand: a browser may send anything."""
        typed = {"fact": fact, "ask": ask, "value": value}
        for name, text in typed.items():
            self.fields[f"when.0.{name}"] = text
        self.fields["when.count"] = "1"

    def send(self, browser: Browser, act: str = "save") -> TestResponse:
        """Press the button of this name."""
        self.fields["act"] = act
        return browser.open(self.action, "POST", data=self.fields)


def is_sent(told: dict[str, str]) -> bool:
    """Whether a browser would send this input: a box that is not ticked stays at home."""
    return told.get("type") not in ("checkbox", "radio") or "checked" in told


def filled(
    browser: Browser, path: str, conditions: Iterable[str] = (), **typed: str | list[str]
) -> Form:
    """The form at its own address, with a row for each fact of `conditions`, and filled in.

    Names have their dots as two underscores: `when__0__value`.
    """
    form = Form(browser.get(path).text, path)
    names = {name.replace("__", "."): value for name, value in typed.items()}
    form.type({name: value for name, value in names.items() if not name.startswith("when.")})
    for fact in conditions:
        form.type({"new-fact": fact})
        form = Form(form.send(browser, "condition").text, path)
    form.type({name: value for name, value in names.items() if name.startswith("when.")})
    return form


def saved(browser: Browser, path: str, conditions: Iterable[str] = (), **typed: str) -> None:
    """Fill a form and save it."""
    answer = filled(browser, path, conditions, **typed).send(browser)
    assert answer.status_code == 303, answer.text
