"""What is wrong with a posted document, in plain sentences that name the field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict, TypeVar

from pydantic import BaseModel, ValidationError

MOST_ERRORS: Final = 50
LONGEST_NAME: Final = 120
Model = TypeVar("Model", bound=BaseModel)


class FieldError(TypedDict):
    """One thing to put right. `field` is a path such as `lines.0.sku`; '' is the whole."""

    field: str
    message: str


class Invalid(Exception):
    """A document that cannot be taken. Its `errors` say why, field by field."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{each['field']}: {each['message']}" for each in errors))
        self.errors = errors


def wrong(field: str, message: str) -> Invalid:
    """An Invalid about one field."""
    return Invalid([{"field": field, "message": message}])


def read_as(model: type[Model], found: object, strict: bool = True) -> Model:
    """`found` as a `model`. Raises Invalid with a sentence for each field that is wrong."""
    try:
        return model.model_validate(found, strict=strict)
    except ValidationError as error:
        raise Invalid(sentences(error)) from error


def sentences(error: ValidationError) -> list[FieldError]:
    """What a validation found, a sentence for each field."""
    return [_said(each) for each in error.errors()[:MOST_ERRORS]]


def _said(error: Mapping[str, Any]) -> FieldError:
    path = ".".join(str(part) for part in error["loc"])
    words = SENTENCES.get(error["type"], "This cannot be used here.")
    facts = error.get("ctx", {})
    message = words(facts) if callable(words) else words
    return {"field": path[:LONGEST_NAME], "message": message}


SENTENCES: Final[Mapping[str, str | Callable[[Mapping[str, Any]], str]]] = {
    "missing": "This field is needed.",
    "extra_forbidden": "There is no field of this name. Check its spelling, or leave it out.",
    "string_type": "This must be text.",
    "string_unicode": "This holds half of a character. Send whole Unicode characters.",
    "string_too_short": "This must not be empty.",
    "string_too_long": lambda facts: f"This is longer than {facts['max_length']} characters.",
    "int_type": "This must be a whole number, without quotes or decimals.",
    "int_from_float": "This must be a whole number, without decimals.",
    "int_parsing": "This must be a whole number.",
    "int_parsing_size": "This number is too large.",
    "bool_type": "This must be true or false.",
    "list_type": "This must be a list.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "string_pattern_mismatch": "This is no id of ours. Send it as you got it.",
    "greater_than_equal": lambda facts: f"This must be {facts['ge']} or more.",
    "less_than_equal": lambda facts: f"This must be {facts['le']} or less.",
    "too_long": lambda facts: f"This list is longer than {facts['max_length']} entries.",
    "too_short": "This list must not be empty.",
    "literal_error": lambda facts: f"This must be {facts['expected']}.",
    "value_error": lambda facts: str(facts["error"]),
}
