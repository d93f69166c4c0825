"""How a setting is shown to who sets it: what it is called, what it means, in which unit.

A form is made from the settings themselves, so a new rule brings its own.
"""

from typing import Any

from pydantic.fields import FieldInfo


def setting(
    title: str,
    help: str = "",
    *,
    unit: str = "",
    words: dict[str, str] | None = None,
    ordered: bool = False,
    key: str = "",
) -> FieldInfo:
    """Annotate a setting. `unit`: percent (the value is in basis points), days, points, country.

    Without one the name tells it: `_minor` is money, `_bps` and `basis_points` are percent,
    `days` in it are days. `words` say what each code of a choice means; `ordered` that the order
    of what is chosen counts; `key` what the names stand for in a mapping.
    """
    told: dict[str, Any] = {"unit": unit, "words": words, "ordered": ordered, "key": key}
    extra = {name: value for name, value in told.items() if value}
    made: FieldInfo = FieldInfo(title=title, description=help or None, json_schema_extra=extra)
    return made
