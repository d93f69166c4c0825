"""Make the links of orders that were stored by a command without SECRET_KEY."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from portal.db import inside, writing
from portal.models import Link
from portal.models.due import Lease, finish, holds


def perform_all(leases: Sequence[Lease]) -> None:
    """Make the links that are still missing, a shop a transaction."""
    of_shop = attrgetter("shop_id")
    for shop_id, own in groupby(sorted(leases, key=of_shop), of_shop):
        with inside(shop_id), writing():
            ours = [lease for lease in own if holds(lease)]
            Link.make_up([lease.subject for lease in ours])
            for lease in ours:
                finish(lease)


def perform(lease: Lease) -> None:
    """Make one order's link, if it still has none."""
    perform_all([lease])
