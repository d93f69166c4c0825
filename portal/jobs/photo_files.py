"""Throw away photos that nobody sent, and files that no photo is known for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from portal.db import session
from portal.keys import settings
from portal.models import Photo
from portal.models.photo import UNSENT
from portal.pictures import path_of


def tidy_photos(now: datetime) -> int:
    """Delete what is older than a day and belongs to no return and no claim; how many files.

    Call it inside `writing()`, all shops in scope. Should that fail, the next time finds the rest.
    """
    gone = [path_of(*place) for place in Photo.forget_unsent(now)]
    gone += _unknown(now)
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _unknown(now: datetime) -> list[Path]:
    """Files without a row: what was under way when the process died."""
    known = {(row.shop_id, row.id) for row in session.execute(select(Photo.shop_id, Photo.id))}
    return [
        path
        for path in Path(settings().media_root).glob("*/pho_*")
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - UNSENT
        and (int(path.parent.name), path.name.partition(".")[0]) not in known
    ]
