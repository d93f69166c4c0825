"""Every statement the database is sent, by the session or past it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from portal import standing
from portal.db import db


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent meanwhile, in order, those of `portal.standing` among them."""
    seen: list[str] = []

    def see(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    def ask(sql: str, values: Any) -> Any:
        seen.append(sql)
        return past_the_session(sql, values)

    past_the_session = standing._first_row
    event.listen(db.engine, "before_cursor_execute", see)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(standing, "_first_row", ask)
            yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", see)
