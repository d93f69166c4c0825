"""Every kind of rule, found by walking this folder: adding a kind is adding a file."""

import pkgutil
from dataclasses import fields
from importlib import import_module
from typing import Any, Final

from pydantic import TypeAdapter

from returns.facts import SOURCES, Facts
from returns.verdict import Rule

ENVELOPE: Final = ("id", "kind", "when", "note")


def _discover() -> dict[str, type[Rule]]:
    found: dict[str, type[Rule]] = {}
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    for cls in sorted(Rule.__subclasses__(), key=lambda cls: cls.__module__):
        if cls.__module__.startswith(f"{__name__}."):
            _check(cls, found)
            found[cls.kind] = cls
    return found


def _check(cls: type[Rule], found: dict[str, type[Rule]]) -> None:
    """Refuse a rule file that could not work, when the program starts and not when it decides."""
    if cls.kind in found:
        raise TypeError(f"{cls.__module__} and {found[cls.kind].__module__} are both {cls.kind}.")
    taken = {field.name for field in fields(cls)} & set(ENVELOPE)  # type: ignore[arg-type]
    if taken:
        raise TypeError(f"{cls.__module__}: {taken} cannot be settings; every rule has them.")
    unknown = set(cls.uses) - {field.name for field in fields(Facts)} - set(SOURCES)
    if unknown:
        raise TypeError(f"{cls.__module__} uses facts that do not exist: {unknown}.")


KINDS: Final = _discover()
READERS: Final[dict[str, TypeAdapter[Rule]]] = {
    kind: TypeAdapter(cls) for kind, cls in KINDS.items()
}


def settings_schema(kind: str) -> dict[str, Any]:
    """A kind's settings as JSON Schema: what the policy editor builds its form from."""
    return READERS[kind].json_schema()
