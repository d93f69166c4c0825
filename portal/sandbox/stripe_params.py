"""What Stripe's calls take, read from the request types of the installed `stripe` package."""

import sys
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from types import SimpleNamespace, UnionType
from typing import Any, Final, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

NOT_ASKED: Final = frozenset(RequestOptions.__annotations__)  # the client's own options
PLAIN: Final = {int: "int", str: "str", bool: "bool", float: "decimal", Decimal: "decimal"}


@dataclass(frozen=True)
class Spec:
    """One value: what it may be. `kind`: object, map, list, word, int, str, bool, decimal, any_of.

    `clearable`: an empty value is taken and unsets it.
    """

    kind: str
    fields: dict[str, "Spec"] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    inner: tuple["Spec", ...] = ()  # the items of a list, or the alternatives
    clearable: bool = False


@cache
def spec_of(params: type) -> Spec:
    """The parameters of one call, as its TypedDict says."""
    mine = {name: note for name, note in params.__annotations__.items() if name not in NOT_ASKED}
    module = vars(sys.modules[params.__module__])
    hints = get_type_hints(SimpleNamespace(__annotations__=mine), module, include_extras=True)
    fields, required = {}, set()
    for name, hint in hints.items():
        if get_origin(hint) is NotRequired:
            hint = get_args(hint)[0]
        else:
            required.add(name)
        fields[name] = _spec(hint)
    return Spec("object", fields, frozenset(required))


def _spec(hint: Any) -> Spec:
    if is_typeddict(hint):
        return spec_of(hint)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _union(get_args(hint))
    if origin is Literal:
        return Spec("word", words=get_args(hint))
    if origin is list:
        return Spec("list", inner=(_spec(get_args(hint)[0]),))
    if origin is dict:
        return Spec("map")
    return Spec(PLAIN.get(hint, "str"))


def _union(members: tuple[Any, ...]) -> Spec:
    """Alternatives. An empty word means "unset"; words beside `str` are still the words there are.

    The package adds `str` so that old code can name new words; the service refuses strangers.
    """
    found = [_spec(each) for each in members if "UntypedStripeObject" not in str(each)]
    clearable = any(each.kind == "word" and each.words == ("",) for each in found)
    found = [each for each in found if each.words != ("",)]
    if any(each.kind == "word" for each in found):
        found = [each for each in found if each.kind != "str"]
    if len(found) > 1:
        return Spec("any_of", inner=tuple(found), clearable=clearable)
    only = found[0]
    return Spec(only.kind, only.fields, only.required, only.words, only.inner, clearable)
