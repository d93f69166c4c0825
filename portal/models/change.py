"""Changing stored rows: what differs, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Conflict(Exception):
    """What is asked cannot be done to the thing as it stands. The text says why."""


def assign(row: object, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set the values that differ; gives what they were before, by name."""
    before = {
        name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value
    }
    for name in before:
        setattr(row, name, values[name])
    return before
