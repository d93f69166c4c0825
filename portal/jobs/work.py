"""Claim what is due in a queue, do it, and see that one bad piece of work spoils nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from sqlalchemy import select

from portal import clock
from portal.db import every_shop, session, writing
from portal.logs import log
from portal.models.due import QUEUES, Due, Lease, claim, finish

ATTEMPTS = 8  # then a piece of work is dead, and people are told
SUSPECT = 2  # from this attempt on it is done alone: it may be what kills the worker
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
# Rows a claim takes; of other queues one after the other.
BATCH = {"apply": 50, "poll": 50, "link": 50}
SINGLE = 10
AT_ONCE = {"poll": 2, "send": 2}  # threads of a worker in a queue; else one
told_to_stop = threading.Event()  # of this process: nothing new is begun once it is set


def work(queue: str) -> int:
    """Do what is due in a queue until nothing is; how many pieces of work were claimed.

    Call it in an app context.
    """
    module = _module(queue)
    done = 0
    while module is not None and not told_to_stop.is_set() and (leases := _claim(queue)):
        _perform(module, leases)
        done += len(leases)
    return done


def _module(queue: str) -> ModuleType | None:
    """The module of a queue, by its name; None where this version has none."""
    name = f"portal.jobs.{queue}"
    known = queue in QUEUES and find_spec(name) is not None
    return import_module(name) if known else None


def _claim(queue: str) -> list[Lease]:
    with every_shop(), writing():
        return claim(queue, BATCH.get(queue, SINGLE), clock.now())


def _perform(module: ModuleType, leases: Sequence[Lease]) -> None:
    """Whole batches of what was never tried; alone, and once from each end, what was.

    So what stands behind a piece of work that kills the worker stands before it the next time.
    """
    fresh = [lease for lease in leases if lease.attempts < SUSPECT]
    tried = sorted((lease for lease in leases if lease.attempts >= SUSPECT), key=_from_either_end)
    together: Callable[[Sequence[Lease]], None] | None = getattr(module, "perform_all", None)
    if together is not None and fresh:
        if not _guarded(lambda: together(fresh)):
            tried = [*_unfinished(fresh), *tried]
    else:
        tried = [*fresh, *tried]
    for lease in tried:
        if told_to_stop.is_set():
            give_back([lease])
        else:
            _alone(module, lease)


def _unfinished(leases: Sequence[Lease]) -> list[Lease]:
    """The leases that are still ours: what a failed batch had finished is not done again."""
    with every_shop():
        held = select(Due.id, Due.fence).where(Due.id.in_([one.id for one in leases]), Due.leased)
        ours = {(row.id, row.fence) for row in session.execute(held)}
    return [lease for lease in leases if (lease.id, lease.fence) in ours]


def _from_either_end(lease: Lease) -> tuple[int, int]:
    return lease.attempts, lease.id if lease.attempts % 2 else -lease.id


def _alone(module: ModuleType, lease: Lease) -> None:
    if lease.attempts > ATTEMPTS:
        _bury(module, lease)
    elif not _guarded(lambda: module.perform(lease)):
        with suppress(Exception), every_shop(), writing():
            finish(lease, again_at=clock.now() + wait_after(lease.attempts), failed=True)


def _guarded(act: Callable[[], None]) -> bool:
    """Whether `act` ended well. What it left open is rolled back, what went wrong is logged."""
    try:
        act()
    except Exception as error:
        session.rollback()
        log.error("work failed", exc_info=error)
        return False
    finally:
        session.remove()
    return True


def give_back(leases: Iterable[Lease]) -> None:
    """Leave work that was not begun to others, now; its count of attempts stays."""
    with every_shop(), writing():
        for lease in leases:
            finish(lease, again_at=clock.now(), failed=True)


def _bury(module: ModuleType, lease: Lease) -> None:
    """Give up a piece of work: its own module says so where people look."""
    log.error("work given up", queue=lease.queue, subject=lease.subject, attempts=lease.attempts)
    bury: Callable[[Lease, datetime], None] | None = getattr(module, "bury", None)
    if bury is not None and _guarded(lambda: bury(lease, clock.now())):
        return
    with suppress(Exception), every_shop(), writing():
        finish(lease)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 15 s, 30 s, a minute, up to an hour."""
    wait: timedelta = FIRST_WAIT * 2 ** min(attempts - 1, 12)
    return min(LONGEST_WAIT, wait)


def by_shop(leases: Iterable[Lease]) -> dict[int, list[Lease]]:
    """The leases of each shop, so that a transaction stays inside one."""
    found: dict[int, list[Lease]] = {}
    for lease in leases:
        found.setdefault(lease.shop_id, []).append(lease)
    return found
