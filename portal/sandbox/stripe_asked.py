"""What was asked of the stand-in as Stripe: forms read into values, strictly."""

import re
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import parse_qsl

from portal.sandbox.refusals import Json
from portal.sandbox.stripe_params import Spec, spec_of
from portal.sandbox.stripe_refusals import StripeRefusal, misasked, unsupported

NAME: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
DEEPEST: Final = 8
LONGEST: Final = 5000
MOST_METADATA: Final = 50
FORMS: Final = {
    "int": ("-?[0-9]{1,15}", "parameter_invalid_integer"),
    "bool": ("true|false", None),
    "decimal": (r"-?[0-9]{1,15}(\.[0-9]{1,12})?", "parameter_invalid_decimal"),
}
SAID: Final = {"int": "integer", "bool": "boolean", "decimal": "decimal"}


def read_form(raw: str) -> Json:
    """`a[b]=1&c[0]=x&d[]=y` as nested objects; lists are objects by position. Refuses what clashes.

    Raises StripeRefusal 400.
    """
    found: Json = {}
    try:
        pairs = parse_qsl(
            raw, keep_blank_values=True, strict_parsing=bool(raw), max_num_fields=2000
        )
    except ValueError:
        raise StripeRefusal(400, "Invalid request: the body is no form.", executed=False) from None
    for name, value in pairs:
        _put(found, name, value)
    return found


def _put(into: Json, name: str, value: str) -> None:
    match = NAME.fullmatch(name)
    steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else []
    if not steps or len(steps) > DEEPEST or "\x00" in name + value:
        raise misasked(f"Invalid parameter name: {name[:100]}", "parameter_invalid_string", "")
    for step in steps[:-1]:
        into = into.setdefault(step or str(len(into)), {})
        if not isinstance(into, dict):
            raise misasked(f"{name} was given twice in two shapes", "parameter_invalid", name)
    last = steps[-1] or str(len(into))
    if last in into:
        raise misasked(f"{name} was given more than once", "parameter_invalid", name)
    into[last] = value


def read(params: type, raw: str, acts_on: str = "") -> Json:
    """The parameters of a call with their types. Raises StripeRefusal 400.

    `acts_on` names what the stand-in honours; other parameters that Stripe knows are refused too.
    """
    given = read_form(raw)
    found: Json = checked(spec_of(params), given, "")
    for name in found:
        if name not in (*acts_on.split(), "expand"):
            raise unsupported(name)
    return found


def checked(spec: Spec, value: Any, path: str) -> Any:
    """`value` as `spec` has it. Raises StripeRefusal 400 naming the parameter."""
    if value == "" and spec.clearable:
        return ""
    if spec.kind == "any_of":
        return _any_of(spec, value, path)
    if spec.kind in ("object", "map", "list"):
        if not isinstance(value, dict):
            raise misasked(f"Invalid {'array' if spec.kind == 'list' else 'object'}", None, path)
        return {"object": _object, "map": _map, "list": _list}[spec.kind](spec, value, path)
    if not isinstance(value, str):
        raise misasked("Invalid string: an object was given", "parameter_invalid_string", path)
    if value == "":
        message = f"You passed an empty string for '{path}', and it cannot be unset."
        raise misasked(message, "parameter_invalid_empty", path)
    return _plain(spec, value, path)


def _any_of(spec: Spec, value: Any, path: str) -> Any:
    refusal: StripeRefusal | None = None
    for each in spec.inner:
        try:
            return checked(each, value, path)
        except StripeRefusal as found:
            refusal = refusal or found
    raise refusal or misasked("Invalid value", None, path)


def _object(spec: Spec, value: Json, path: str) -> Json:
    for name in value:
        if name not in spec.fields:
            near = get_close_matches(name, spec.fields, 1)
            hint = f". Did you mean {near[0]}?" if near else ""
            message = f"Received unknown parameter: {_under(path, name)}{hint}"
            raise misasked(message, "parameter_unknown", _under(path, name))
    for name in sorted(spec.required - set(value)):
        whole = _under(path, name)
        raise misasked(f"Missing required param: {whole}.", "parameter_missing", whole)
    return {
        name: checked(spec.fields[name], inner, _under(path, name)) for name, inner in value.items()
    }


def _under(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _map(spec: Spec, value: Json, path: str) -> dict[str, str]:
    if len(value) > MOST_METADATA:
        raise misasked("Metadata can have up to 50 keys", None, path)
    for key, text in value.items():
        if not isinstance(text, str) or len(key) > 40 or len(text) > 500:
            message = "Metadata keys have up to 40 characters, values up to 500, and no objects"
            raise misasked(message, None, path)
    return dict(value)


def _list(spec: Spec, value: Json, path: str) -> list[Any]:
    if sorted(value) != sorted(str(place) for place in range(len(value))):
        raise misasked("Invalid array", None, path)
    return [
        checked(spec.inner[0], value[str(place)], _under(path, str(place)))
        for place in range(len(value))
    ]


def _plain(spec: Spec, value: str, path: str) -> Any:
    if spec.kind == "word" and value not in spec.words:
        raise misasked(f"Invalid {path}: must be one of {', '.join(spec.words)}", None, path)
    pattern, code = FORMS.get(spec.kind, ("(?s:.*)", None))
    if len(value) > LONGEST or not re.fullmatch(pattern, value):
        raise misasked(f"Invalid {SAID.get(spec.kind, 'string')}: {value[:40]}", code, path)
    if spec.kind == "bool":
        return value == "true"
    return int(value) if spec.kind == "int" else value
