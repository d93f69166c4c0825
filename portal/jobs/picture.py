"""Fetch the pictures that orders name, redraw them, and keep them where we serve them from."""

from __future__ import annotations

from datetime import datetime

from portal import clock
from portal.db import inside, session, writing
from portal.fetch import FetchError, fetch
from portal.jobs.work import wait_after
from portal.models import Picture
from portal.models.due import Lease, finish, holds
from portal.pictures import FORMATS, Unusable, keep, redraw

MOST_BYTES = 8_000_000
ACCEPT = ", ".join(f"image/{name.lower()}" for name in FORMATS)
LONGEST_REASON = 300


def perform(lease: Lease) -> None:
    """Fetch one picture; a refusal is kept with its reason, a failure is tried again."""
    with inside(lease.shop_id):
        picture = session.get(Picture, lease.subject)
        wanted = picture.url if picture is not None and picture.state == "wanted" else ""
        session.rollback()  # no transaction is open while we fetch
        try:
            if wanted:
                keep(lease.shop_id, lease.subject, redraw(fetch(wanted, MOST_BYTES, ACCEPT)))
        except FetchError as error:
            if not error.permanent:
                _try_again(lease, str(error))
                return
            _end(lease, "refused", str(error))
        except Unusable as error:
            _end(lease, "refused", str(error))
        else:
            _end(lease, "kept")


def bury(lease: Lease, now: datetime) -> None:
    """A picture that could not be had so often is not asked for again."""
    with inside(lease.shop_id):
        _end(lease, "refused", "")


def _try_again(lease: Lease, why: str) -> None:
    with writing(synchronous="NORMAL"):
        if holds(lease):
            picture = session.get_one(Picture, lease.subject)
            picture.error = why[:LONGEST_REASON]
            finish(lease, again_at=clock.now() + wait_after(lease.attempts), failed=True)


def _end(lease: Lease, state: str, why: str = "") -> None:
    with writing(synchronous="NORMAL"):
        if not holds(lease):
            return
        picture = session.get(Picture, lease.subject)
        if picture is not None and picture.state == "wanted":
            picture.state = state
            picture.error = why[:LONGEST_REASON] or (picture.error if state == "refused" else "")
            picture.kept_at = clock.now() if state == "kept" else None
        finish(lease)
