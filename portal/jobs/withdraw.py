"""Withdrawals that were declared: joined with their order, once."""

from __future__ import annotations

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.queue import nudge
from portal.models.due import Lease, finish, holds
from portal.models.withdrawal import Withdrawal
from portal.models.withdrawal_acts import work_out


def perform(lease: Lease) -> None:
    """Work out one declaration. Whether its order is known shows nowhere but at the desk."""
    with inside(lease.shop_id), writing():
        if not holds(lease):
            return
        # Held, as the desk does: only one of the two joins it with an order.
        withdrawal = session.get(Withdrawal, lease.subject, with_for_update=True)
        if withdrawal is not None:
            work_out(withdrawal, clock.now())
        finish(lease)
    for queue in ("label", "send"):
        nudge(queue)
