"""Doing a POST once: the answer is kept under its Idempotency-Key, with what it caused."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update

from portal.api.auth import Caller
from portal.api.refusal import Refusal, invalid
from portal.db import insert_new, session
from portal.keys import Unsealable, seal, unseal
from portal.models import IdempotencyKey

KEPT: Final = timedelta(days=30)
KEY: Final = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: the status and the JSON text. `replayed` when it was given before."""

    status: int
    body: str
    replayed: bool = False


def read_key(given: str | None, *, needed: bool) -> str:
    """The key that was sent, '' for none. Raises Refusal 428 where one is needed, 422 if odd."""
    if given is None:
        if needed:
            raise Refusal(428, "Money moves here: send an Idempotency-Key, a new one for each act.")
        return ""
    if not KEY.fullmatch(given):
        message = "A key is 1 to 255 visible ASCII characters, without blanks."
        raise invalid([{"field": "Idempotency-Key", "message": message}])
    return given


def key_digest(caller: Caller, method: str, path: str, key: str) -> str:
    """What a key is kept under: the same key of another token or for another path is another."""
    said = "\n".join((str(caller.token_id), method, path, key))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def body_digest(body: dict[str, Any]) -> str:
    """Equal for bodies that say the same, however they are spaced and ordered."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def once(key: str, body: str, now: datetime, act: Callable[[], Answer]) -> Answer:
    """Do `act`, or give the answer it gave before. Call it inside `writing()`.

    The row is taken first, so that of two at once the second waits for the first one's commit.
    What fails is rolled back with its row: it can be tried again under the same key.
    Raises Refusal 422 when the key came with another body.
    """
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.key == key, IdempotencyKey.created_at < now - KEPT
        )
    )
    row = {"key": key, "body_digest": body, "status": 0, "body": "", "created_at": now}
    if not insert_new(IdempotencyKey, [row], ["shop_id", "key"]):
        return _again(key, body)
    answer = act()
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.key == key)
        .values(status=answer.status, body=seal(answer.body))  # it may hold a link's token
    )
    return answer


def _again(key: str, body: str) -> Answer:
    kept = session.execute(
        select(IdempotencyKey.body_digest, IdempotencyKey.status, IdempotencyKey.body).where(
            IdempotencyKey.key == key
        )
    ).one_or_none()
    if kept is None or not kept.status:
        raise Refusal(
            409, "The same request is under way. Ask again.", headers={"Retry-After": "1"}
        )
    if kept.body_digest != body:
        message = "This key came with another body before. Take a new key for a new request."
        raise invalid([{"field": "Idempotency-Key", "message": message}])
    try:
        return Answer(kept.status, unseal(kept.body), replayed=True)
    except Unsealable:
        raise Refusal(
            409,
            "This was done before, and its answer can no longer be read. Read the thing itself.",
        ) from None


def forget_old(now: datetime) -> int:
    """Delete the answers that are older than 30 days, in the shops in scope; how many."""
    gone = session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined]
