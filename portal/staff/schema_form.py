"""A form out of the fields of a model: what they are called, their units, choices and limits.

Whoever adds a setting to a rule, a plan or to terms has added it to the form with that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from portal.pages.policy_words import DETAILS, METHODS, REASONS, RESOLUTIONS
from portal.staff.widget_groups import (
    MOST_ROWS,
    Const,
    EachOf,
    Named,
    OneOf,
    Record,
    Rows,
)
from portal.staff.widgets import (
    LONGEST,
    Day,
    Flag,
    Line,
    Number,
    One,
    Ranked,
    Some,
    Widget,
    Words,
)
from returns.money import exponent

CODES: Final = {**REASONS, **DETAILS, **RESOLUTIONS, **METHODS}
LOOKS_LIKE_NOTHING: Final = {"array": [], "object": {}, "boolean": False, "string": ""}
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Maker:
    """Makes widgets for one schema: its parts by name, and the currency of its amounts."""

    parts: Mapping[str, Schema]
    currency: str
    default_words: Callable[[str], str]

    def widget(self, name: str, given: Schema) -> Widget:
        """The widget for a setting."""
        schema = self._whole(given)
        if "const" in schema:
            return Const(default=schema["const"])
        make = self._make(schema)
        made = make(name, schema)
        default = schema.get("default", LOOKS_LIKE_NOTHING.get(schema.get("type", "")))
        if isinstance(made, Record | OneOf) and default == {}:
            default = None
        return replace(
            made, label=label_of_setting(name, schema), help=_help(schema), default=default
        )

    def record(self, name: str, schema: Schema) -> Record:
        """The widgets of a whole model."""
        of = {key: self.widget(key, each) for key, each in schema["properties"].items()}
        return Record(of=of, label=label_of_setting(name, schema))

    def _make(self, schema: Schema) -> Callable[[str, Schema], Widget]:
        if "oneOf" in schema:
            return self._oneof
        if "enum" in schema:
            return self._one
        kinds: dict[str, Callable[[str, Schema], Widget]] = {
            "integer": self._number,
            "boolean": lambda _name, _schema: Flag(),
            "array": self._array,
            "object": self._object,
        }
        return kinds.get(schema["type"], self._line)

    def _whole(self, given: Schema) -> dict[str, Any]:
        """The schema with what it refers to in it, and `null` told as may_be_empty."""
        schema = dict(given)
        if "$ref" in schema:
            part = self.parts[schema.pop("$ref").rpartition("/")[2]]
            return {**self._whole(part), **schema}
        choices = schema.pop("anyOf", None)
        if choices is None:
            return schema
        (value,) = (each for each in choices if each.get("type") != "null")
        return {**self._whole(value), **schema, "may_be_empty": True}

    def _line(self, _name: str, schema: Schema) -> Widget:
        if schema.get("format") == "date":
            return Day()
        default = str(schema.get("default", ""))
        return Line(
            most=schema.get("maxLength", LONGEST),
            is_needed=schema.get("minLength", 0) > 0 and not default,
            default_words=self.default_words(default),
        )

    def _number(self, name: str, schema: Schema) -> Widget:
        unit, digits = self._unit(name, schema)
        return Number(
            unit=unit,
            digits=digits,
            least=schema.get("minimum"),
            most=schema.get("maximum"),
            may_be_empty=schema.get("may_be_empty", False),
        )

    def _unit(self, name: str, schema: Schema) -> tuple[str, int]:
        unit = schema.get("unit", "")
        if unit == "percent" or name.endswith("_bps") or name == "basis_points":
            return "%", 2
        if name.endswith("_minor"):
            return self.currency, exponent(self.currency)
        return unit or ("days" if "days" in name else ""), 0

    def _one(self, _name: str, schema: Schema) -> Widget:
        return One(words=_choices(schema, schema["enum"]))

    def _array(self, name: str, schema: Schema) -> Widget:
        of = self._whole(schema["items"])
        if "enum" in of:
            kind = Ranked if schema.get("ordered") else Some
            words = _choices({**of, **schema}, of["enum"])
            return kind(words=words, is_needed=schema.get("minItems", 0) > 0)
        if of.get("type") == "object":
            return Rows(row=self.widget(name, of), most=schema.get("maxItems", MOST_ROWS))
        is_country = of.get("pattern") == "^[A-Z]{2}$"
        return Words(is_country=is_country, longest=of.get("maxLength", LONGEST))

    def _object(self, name: str, schema: Schema) -> Widget:
        if "properties" in schema:
            return self.record(name, schema)
        pattern, patterned = next(iter(schema.get("patternProperties", {}).items()), ("", None))
        row = self.widget(name, patterned or schema["additionalProperties"])
        codes = schema.get("propertyNames", {}).get("enum")
        if codes:
            return EachOf(
                of={
                    code: replace(row, label=words, help="")
                    for code, words in _choices(schema, codes).items()
                }
            )
        label = schema.get("key", "Name")
        value = replace(row, label=schema.get("value", label_of_setting(name, {})), help="")
        key = Line(label=label, is_needed=True, most=120, pattern=pattern, such=_help(schema))
        return Named(row=value, key=key)

    def _oneof(self, _name: str, schema: Schema) -> Widget:
        tag = schema["discriminator"]["propertyName"]
        kinds = schema["discriminator"]["mapping"]
        of = {code: self.record(code, self._whole({"$ref": ref})) for code, ref in kinds.items()}
        return OneOf(of=of, tag=tag)


def form_of(
    schema: Schema,
    currency: str,
    default_words: Callable[[str], str] = lambda _code: "",
    without: str = "",
) -> Record:
    """The form for a whole model, from its JSON schema. Amounts are of `currency`.

    `default_words` says what a text means that is a code and stands for "as usual"; the setting
    `without` is not a person's to set.
    """
    kept = {name: each for name, each in schema["properties"].items() if name != without}
    maker = Maker(schema.get("$defs", {}), currency, default_words)
    return maker.record("", {**schema, "properties": kept})


def label_of_setting(name: str, schema: Schema) -> str:
    """What a setting is called: its title, else its name in words."""
    title: str = schema.get("title", "")
    if title and title != name.replace("_", " ").title():
        return title
    plain = name.removesuffix("_minor").removesuffix("_bps").replace("_", " ")
    return plain[:1].upper() + plain[1:]


def _help(schema: Schema) -> str:
    """A setting's own help; that of a whole model only says what the model is."""
    told: str = schema.get("description", "")
    return told.partition("\n")[0]


def _choices(schema: Schema, codes: list[str]) -> dict[str, str]:
    own: Mapping[str, str] = schema.get("words", {})
    return {code: own.get(code) or str(CODES.get(code) or _plain(code)) for code in codes}


def _plain(code: str) -> str:
    return code.replace("_", " ").capitalize()
