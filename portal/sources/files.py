"""The kinds of files that orders come in, found by walking this folder: a kind is a file."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Final

from portal import sources
from portal.sources.entry import Format

COMING: Final = ("shopify", "woocommerce")  # reserved: these come with their shops' own hooks


def _discover() -> dict[str, Format]:
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(sources.__path__):
        if module.name.endswith("_file"):
            kind: Format = import_module(f"{sources.__name__}.{module.name}").FORMAT
            found[kind.name] = kind
    return found


FORMATS: Final = _discover()


def format_of(path: Path) -> Format | None:
    """The format a file's ending tells of; None where it tells of none."""
    ending = path.suffix.lower()
    return next((kind for kind in FORMATS.values() if ending in kind.endings), None)
