"""What was decided at the queue, once its ten seconds are over."""

from __future__ import annotations

from datetime import datetime

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.queue import nudge
from portal.models.change import Conflict
from portal.models.due import Lease, finish, holds
from portal.models.planned import PlannedAct
from portal.sources.sentences import Invalid

NEXT = ("label", "settle", "send", "claim")


def perform(lease: Lease) -> None:
    """Do one planned act as its person; what cannot be done is said on it, and changes nothing."""
    with inside(lease.shop_id):
        try:
            with writing():
                act = session.get(PlannedAct, lease.subject, with_for_update=True)
                if not holds(lease):
                    return
                if act is not None and act.status == "planned":
                    act.perform(clock.now())
                finish(lease)
        except (Conflict, Invalid) as error:
            told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
            _refuse(lease, told)
    for queue in NEXT:
        nudge(queue)


def bury(lease: Lease, now: datetime) -> None:
    """Give up on what failed again and again: the item waits as before, and its person reads so."""
    with inside(lease.shop_id):
        _refuse(lease, f"It could not be done, for a fault of ours ({now:%-d %b, %H:%M} UTC).")


def _refuse(lease: Lease, problem: str) -> None:
    with writing():
        act = session.get(PlannedAct, lease.subject, with_for_update=True)
        if act is not None and finish(lease):
            act.refuse(problem, clock.now())
