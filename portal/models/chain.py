"""The chain that audit entries are sealed into: made in batches, checked from end to end.

Entries are written without waiting for each other and sealed afterwards, one shop at a time, in
the order of their ids as far as they are there. An entry's seal covers what it says, its place in
the chain and the seal before it; the head, signed with the house's key, says where the chain ends.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select

from portal.db import session
from portal.keys import has_key, is_signed, sign
from portal.models.audit import AuditEntry, AuditHead
from portal.tenancy import shop_in_scope

BATCH = 500
PURPOSE = "audit-head"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of one shop's chain found. `broken` is '' where all is as it was sealed."""

    sealed: int
    waiting: int  # written since the last sealing
    last_seal: str
    broken: str = ""


def seal_some(limit: int = BATCH) -> int:
    """Seal up to `limit` entries of the shop in scope; how many. Call it inside `writing()`."""
    head = session.scalar(select(AuditHead).with_for_update())
    fresh = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.place.is_(None))
        .order_by(AuditEntry.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    ).all()
    if head is None:
        if not fresh:
            return 0
        head = AuditHead(place=0, seal="", mark="")
        session.add(head)
    for entry in fresh:
        entry.place = head.place = head.place + 1
        entry.seal = head.seal = seal_of(entry, head.seal)
    # Also with nothing new: after a change of keys the old one need not be kept for this.
    head.mark = sign(PURPOSE, _end(head))
    return len(fresh)


def seal_of(entry: AuditEntry, before: str) -> str:
    """SHA-256 over what the entry says, its place, and the seal `before` it."""
    said = (
        *(entry.shop_id, entry.place, entry.id, entry.at.isoformat(), entry.who, entry.act),
        *(entry.subject, entry.before, entry.after, entry.why, before),
    )
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check() -> Finding:
    """Check the chain of the shop in scope, entry by entry, up to the first that is not right.

    Without SECRET_KEY the signature at its end cannot be checked, and is not.
    """
    waiting = session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.place.is_(None))
    )
    place, seal, broken = 0, "", ""
    for entry in _sealed():
        broken = _wrong_with(entry, place, seal)
        if broken:
            break
        place, seal = place + 1, entry.seal or ""
    return Finding(place, waiting or 0, seal, broken or _wrong_with_end(place, seal))


def _sealed() -> Iterator[AuditEntry]:
    """The sealed entries by their places, a batch in memory at a time."""
    after = -1
    while True:
        batch = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.place > after)
            .order_by(AuditEntry.place)
            .limit(BATCH)
        ).all()
        if not batch:
            return
        yield from batch
        after = batch[-1].place or 0
        session.expunge_all()


def _wrong_with(entry: AuditEntry, place: int, seal: str) -> str:
    if entry.place != place + 1:
        return f"entry {place + 1} of the chain is missing; the next one there is {entry.place}"
    if entry.seal != seal_of(entry, seal):
        return (
            f"entry {entry.place} (id {entry.id}, {entry.act} {entry.subject}) is not as it was "
            "sealed"
        )
    return ""


def _wrong_with_end(place: int, seal: str) -> str:
    head = session.scalar(select(AuditHead))
    if head is None:
        return "the end of the chain is not marked any more" if place else ""
    if head.place > place:
        return f"entry {place + 1} of the chain is missing; it went up to {head.place}"
    if (head.place, head.seal) != (place, seal):
        return f"the chain was marked as ending with entry {head.place}, but goes on after it"
    if has_key() and not is_signed(PURPOSE, _end(head), head.mark):
        return "the mark at the end of the chain was not made with this house's SECRET_KEY"
    return ""


def _end(head: AuditHead) -> str:
    return f"{shop_in_scope()}:{head.place}:{head.seal}"
