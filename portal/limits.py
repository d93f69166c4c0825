"""Limits that protect: how often something may be tried, counted in the database.

A key is a keyed digest, so that no e-mail or address can be read from the table. Counting is one
conditional statement a limit, so that tries sent together cannot slip through together. Nobody is
shut out for good: every refusal names the moment from which the next try counts.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import g, request
from flask_babel import gettext, ngettext
from sqlalchemy import ColumnElement, Select, and_, case, or_, select, update
from werkzeug.exceptions import TooManyRequests

from portal.db import insert_into, session
from portal.keys import sign
from portal.models import Tally

DAY = timedelta(days=1)
NEVER = timedelta()


@dataclass(frozen=True)
class Limit:
    """Tries that are free within `window`, counted from the first one or, with `delays`, the last.

    After the free ones each further try must wait for its place in `delays`, the last of which
    repeats; without `delays`, until the window ends.
    """

    name: str
    free: int
    window: timedelta
    delays: tuple[timedelta, ...] = ()

    def wait(self, count: int) -> timedelta:
        """How long after try number `count` the next one has to wait; only with `delays`."""
        if count < self.free:
            return NEVER
        return self.delays[min(count - self.free, len(self.delays) - 1)]


# Wrong answers for one order or one e-mail: at most nine in any day, whoever asks from wherever.
GROWING = (
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=50),
    timedelta(hours=5),
    timedelta(hours=21),
)
LOOKUP_ORDER = Limit("lookup order", 5, DAY, GROWING)
LOOKUP_EMAIL = Limit("lookup email", 5, DAY, GROWING)
LOOKUP_CLIENT = Limit("lookup client", 20, timedelta(minutes=2))
LOOKUP_CLIENT_DAY = Limit("lookup client day", 200, DAY)
CODES_MINUTE = Limit("codes minute", 1, timedelta(minutes=1))
CODES_DAY = Limit("codes day", 5, DAY)
CODES_ADDRESS = Limit("codes address", 5, DAY)
# Generous: whoever wants to withdraw is never kept from it for long.
WITHDRAWALS = Limit("withdrawals", 30, timedelta(minutes=10))
# Receipts mailed to one address: nobody has a stranger flooded with them.
RECEIPTS = Limit("withdrawal receipts", 5, DAY)
CODE_ASKS = Limit("code asks", 10, timedelta(hours=1))


class TooMany(TooManyRequests):
    """A limit is reached. The page is a 429 with Retry-After in whole seconds."""

    def __init__(self, limit: Limit, wait: timedelta) -> None:
        seconds = max(1, -(-wait // timedelta(seconds=1)))
        super().__init__(description=_said(seconds), retry_after=seconds)
        self.limit = limit


def _said(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if minutes <= 90:
        return str(ngettext("Try again in a minute.", "Try again in %(num)d minutes.", minutes))
    return str(gettext("Try again in %(num)d hours.", num=-(-minutes // 60)))


def take(limit: Limit, subject: str, now: datetime) -> None:
    """Count one try. Call it inside `writing()`; raises TooMany, which counts nothing."""
    key = _key(limit, subject)
    fresh = Tally.ends_at <= now
    insert = insert_into(Tally).values(key=key, count=1, ends_at=now + limit.window)
    end = insert.excluded.ends_at
    counted = {
        "count": case((fresh, 1), else_=Tally.count + 1),
        "ends_at": end if limit.delays else case((fresh, end), else_=Tally.ends_at),
    }
    statement = insert.on_conflict_do_update(
        index_elements=["key"], set_=counted, where=or_(fresh, _allowed(limit, now))
    ).returning(Tally.count)
    if session.execute(statement).first() is None:
        raise TooMany(limit, _left(limit, key, now))


def is_free(limit: Limit, subject: str, now: datetime) -> bool:
    """Whether the next try would count, without counting it. For limits without delays."""
    row = session.execute(_told(_key(limit, subject))).first()
    return row is None or row.ends_at <= now or row.tries < limit.free


def give_back(limit: Limit, subject: str) -> None:
    """Take back a try that was right: only wrong ones count. Call it inside `writing()`."""
    session.execute(
        update(Tally)
        .where(Tally.key == _key(limit, subject), Tally.count > 0)
        .values(count=Tally.count - 1)
    )


def client() -> str:
    """Who is asking, as far as a limit can tell: an IPv4 address or an IPv6 /64 network.

    It is the peer's address, or what the configured proxies in front say; never a bare header.
    """
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _key(limit: Limit, subject: str) -> str:
    return sign("limit", f"{g.shop_id}:{limit.name}:{subject}")


def _allowed(limit: Limit, now: datetime) -> ColumnElement[bool]:
    """Whether a tally that still runs lets another try through, as SQL."""
    if not limit.delays:
        return Tally.count < limit.free
    # The last try was at ends_at less the window.
    steps = [
        and_(Tally.count == limit.free + n, Tally.ends_at <= now + limit.window - delay)
        for n, delay in enumerate(limit.delays)
    ]
    last = limit.free + len(limit.delays)
    beyond = and_(Tally.count >= last, Tally.ends_at <= now + limit.window - limit.delays[-1])
    return or_(Tally.count < limit.free, *steps, beyond)


def _left(limit: Limit, key: str, now: datetime) -> timedelta:
    row = session.execute(_told(key)).one()
    ends_at: datetime = row.ends_at
    if not limit.delays:
        return ends_at - now
    return ends_at - limit.window + limit.wait(row.tries) - now


def _told(key: str) -> Select[int, datetime]:
    return select(Tally.count.label("tries"), Tally.ends_at).where(Tally.key == key)
