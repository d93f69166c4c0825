"""Countries as people write them: by name, by their two letters, or all of the European Union."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from babel import Locale

from returns.lint import EU

UNION: Final = "European Union"


def country_code(text: str) -> list[str]:
    """The codes that a text stands for; none where it is no country."""
    folded = text.strip().casefold()
    if folded in ("eu", UNION.casefold(), f"the {UNION.casefold()}"):
        return sorted(EU)
    found = _codes().get(folded)
    return [found] if found else []


def country_list(codes: Iterable[str]) -> str:
    """The countries by name, with commas. A code that we do not know stays as it is."""
    wanted = list(codes)
    if set(wanted) == EU:
        return UNION
    names = Locale("en").territories
    return ", ".join(_quoted(names.get(code, code)) for code in wanted)


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Names and codes, both in lower case; names of regions of the world stay out."""
    known = {
        code: name
        for code, name in Locale("en").territories.items()
        if len(code) == 2 and code.isascii() and code.isalpha() and code not in ("EU", "UN", "ZZ")
    }
    return {code.casefold(): code for code in known} | {
        name.casefold(): code for code, name in known.items()
    }
