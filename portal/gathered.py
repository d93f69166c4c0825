"""Many rows in one value: what a statement reads beside its own rows, without multiplying them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ScalarSelect, Select, Text, cast, func, select

from portal.db import db


def gathered(query: Select[*tuple[Any, ...]]) -> ScalarSelect[str]:
    """All rows of a query as one text, which `rows_of` reads; a moment in it is text."""
    is_postgresql = db.engine.dialect.name == "postgresql"
    row, together = (
        (func.json_build_array, func.json_agg)
        if is_postgresql
        else (func.json_array, func.json_group_array)
    )
    rows = query.correlate(None).subquery()
    return select(cast(together(row(*rows.c)), Text)).scalar_subquery()


def rows_of(text: str | None) -> list[list[Any]]:
    """The rows of a gathered query, in no particular order."""
    found: list[list[Any]] = json.loads(text) if text else []
    return found


def moment_of(text: str | None) -> datetime | None:
    """A moment out of such a row, in UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
