"""What a browser sends, done once: however often the button is pressed, one thing comes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update

from portal.db import insert_new, session
from portal.keys import digest, seal, unseal
from portal.models.access import IdempotencyKey


def once(key: str, now: datetime, act: Callable[[], str]) -> str:
    """What `act` gave under this key, now or before. Call it inside `writing()`.

    The row is taken first, so that of two at once the second waits for the first one's commit.
    """
    kept_as = digest(key)
    row = {"key": kept_as, "body_digest": "", "status": 0, "body": "", "created_at": now}
    mine = IdempotencyKey.key == kept_as
    if not insert_new(IdempotencyKey, [row], ["shop_id", "key"]):
        return unseal(session.scalars(select(IdempotencyKey.body).where(mine)).one())
    result = act()
    session.execute(update(IdempotencyKey).where(mine).values(status=303, body=seal(result)))
    return result


def known(key: str) -> str | None:
    """What was given under this key before; None where nothing was sent under it."""
    mine = select(IdempotencyKey.body).where(IdempotencyKey.key == digest(key))
    sealed = session.scalar(mine)
    return unseal(sealed) if sealed else None
