"""Where no hook came for a while: ask the provider what it sent, and go after what was lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from carriers.contract import CarrierError
from carriers.schedule import QUIET
from portal import clock
from portal.db import inside, session, writing
from portal.jobs.provider import Account, account_of, webhook_secret_of
from portal.jobs.queue import nudge
from portal.keys import Unsealable, digest
from portal.logs import log
from portal.models import Shop
from portal.models.due import Lease, finish, holds
from portal.models.lost_hooks import (
    AT_ONCE,
    doubt,
    how_many,
    is_anything_under_way,
    lost_at,
    note_look,
)
from portal.models.pulse import Pulse, hooks_in
from portal.models.trouble import is_theirs

AGAIN = timedelta(minutes=4)  # after a question that got no answer


@dataclass(frozen=True)
class Watched:
    """Whom to ask about a shop's hooks, and by whose secret they are known."""

    account: Account
    signed_by: str


def perform(lease: Lease) -> None:
    """Look at one shop's hooks, if none came for a while, and plan the next look."""
    with inside(lease.shop_id):
        now = clock.now()
        next_at = _not_yet(now)
        watched = _watched(lease.shop_id) if next_at is None else None
        session.rollback()  # no transaction is open while we wait for the provider
        if watched is None:
            _end(lease, next_at)
            return
        wait = _reserve(watched.account)
        if wait:
            _end(lease, now + max(wait, AGAIN))
            return
        try:
            sent = watched.account.client.sent_about_trackers()
        except CarrierError as error:
            _failed(lease, watched.account, error)
            return
        _go_after(lease, watched, sent)
    nudge("poll")


def _not_yet(now: datetime) -> datetime | None:
    """When to look, if that is not now; far ahead where there is nothing to look for."""
    pulse = session.query(Pulse).one_or_none()
    if pulse is None or not hooks_in(pulse, now).are_known(now):
        return now + timedelta(days=1)
    if now - pulse.heard_at < QUIET:
        return pulse.heard_at + QUIET
    return None if is_anything_under_way(now) else now + QUIET


def _watched(shop_id: int) -> Watched | None:
    """None where nobody can be asked, or hooks are taken no more."""
    shop = session.get_one(Shop, shop_id)
    try:
        account, secret = account_of(shop), webhook_secret_of(shop)
    except (ValueError, Unsealable) as error:
        log.error("provider key unusable", shop=shop_id, kind=type(error).__name__)
        return None
    return Watched(account, digest(secret)) if account and secret else None


def _reserve(account: Account) -> timedelta:
    with writing(synchronous="NORMAL"):
        return account.reserve(1, clock.now())[1]


def _failed(lease: Lease, account: Account, error: CarrierError) -> None:
    """Ask again soon. Until then nothing says that hooks arrive, and the schedule knows it."""
    now = clock.now()
    with writing(synchronous="NORMAL"):
        if is_theirs(error):
            account.failed(error, now)
        closed_until = account.closed_until() or now
        finish(lease, again_at=max(closed_until, now + AGAIN))


def _go_after(lease: Lease, watched: Watched, sent: dict[str, datetime]) -> None:
    """Have parcels asked about whose hooks may be among the lost, then write down the look.

    In that order: a worker that is killed between does it again to no other effect.
    """
    now = clock.now()
    pulse = session.query(Pulse).one()
    lost = lost_at(sent, pulse, watched.signed_by, now)
    most = how_many(pulse, lost)
    session.rollback()
    while lost:
        with writing(synchronous="NORMAL"):
            found = doubt(lost[-1], most, now)
        if found < AT_ONCE:
            break
    with writing(synchronous="NORMAL"):
        locked = Pulse.locked()
        if not holds(lease):
            return
        if locked is not None:
            note_look(locked, lost, now)
        finish(lease, again_at=now + QUIET)
    if lost:
        log.warning("hooks were lost", shop=lease.shop_id, hooks=len(lost))


def _end(lease: Lease, again_at: datetime | None) -> None:
    with writing(synchronous="NORMAL"):
        finish(lease, again_at=again_at)
