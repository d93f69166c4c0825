"""A shop of any size, made by one command: `python -m bench.data --orders 1000000 --database URL`.

A few hundred orders are written by the product itself (`bench.stories`), from 200 days ago until
now; each is then copied many times under ids, numbers and links of its own, past the product, in
one transaction a story. Memory holds one story and its copies, however many orders there are.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import random
import resource
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from bench import house
from bench.copies import writer_into
from bench.journeys import number_of
from bench.stories import EMAIL, NUMBER, Story, telling
from portal import clock
from portal.db import every_shop, session
from portal.keys import digest, seal
from portal.models import Order

SPAN: Final = timedelta(days=200)  # within which links live; the more recent, the more orders
COPIES: Final = 500  # of a story; at most 1,000 and at least 20 stories
FIRST: Final = 1_000_000  # the number of the first order
ALPHABET: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)
PREFIXES: Final = {"customer": "cus", "orders": "ord", "shipment": "shp", "message": "msg"}


class NotEmpty(Exception):
    """The database holds orders already: nothing is added to what is somebody's."""


def token_of(n: int) -> str:
    """The token of the n-th order's link: known to benchmarks, so that they can open any page."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"bench:{n}".encode()).digest()[:18]).decode()


def fill(database_url: str, orders: int) -> int:
    """Bring an empty database to the newest schema and fill it; how many rows that were.

    Raises NotEmpty where there are orders.
    """
    return fill_alike({database_url: orders}, min(orders, 1_000, max(20, orders // COPIES)))


def fill_alike(databases: Mapping[str, int], stories: int) -> int:
    """Fill empty databases with so many orders each, all of them copies of the same stories.

    The n-th order of one is like the n-th of another of its size, and lies in it where that does.
    """
    shops = {url: _prepared(url) for url in databases}
    rows, now = 0, clock.now()
    with telling() as teller, ExitStack() as stack:
        writers = {url: stack.enter_context(writer_into(url)) for url in databases}
        for n in range(stories):
            story = teller.tell(n, _placed(n, stories, now), now)
            for url, orders in databases.items():
                mine = range(orders * n // stories, orders * (n + 1) // stories)
                names = [_names(story, each) for each in mine]
                rows += writers[url].copy(story, _known(story), names, shops[url])
    return rows


def _prepared(database_url: str) -> int:
    """The id of the shop in an empty database that is at the newest schema."""
    with house.opened(house.environ_at(database_url)) as shop_id, every_shop():
        if session.scalar(select(Order.id).limit(1)) is not None:
            raise NotEmpty(f"{database_url} holds orders already. Name an empty database.")
    return shop_id


def _placed(n: int, stories: int, now: datetime) -> datetime:
    """When the n-th story begins, the oldest first."""
    share = 1 - (n + 0.5) / stories
    return now - SPAN * share**2


# --- what a copy is called otherwise -------------------------------------------------------------


def _known(story: Story) -> list[tuple[str, str]]:
    """What a copy calls otherwise: each text of the story, and the name of what takes its place."""
    found = [(NUMBER, "number"), (EMAIL, "email")]
    for table, prefix in PREFIXES.items():
        found += [(each, f"{prefix}{n}") for n, each in enumerate(story.ids(table))]
    for n, row in enumerate(story.tables["shipment"]):
        found.append((row["number_key"], f"tracking{n}"))
        if row["provider_id"]:
            found.append((row["provider_id"], f"tracker{n}"))
    return found


def _names(story: Story, n: int) -> dict[str, str]:
    """What the copy for the n-th order is called, and all that belongs to it."""
    token = token_of(n)
    names = {
        "number": str(FIRST + n),
        "email": f"customer{n}@mail.example",
        "digest": digest(token),
        "sealed": seal(token),
    }
    for table, prefix in PREFIXES.items():
        for place, each in enumerate(story.ids(table)):
            # The time at the front of an id stays, so that rows lie as they came.
            names[f"{prefix}{place}"] = each[:14] + _random_end()
    for place, carrier in enumerate(story.carriers):
        serial = 10 * (FIRST + n) + place
        names[f"tracking{place}"] = number_of(carrier, serial)
        names[f"tracker{place}"] = f"trk_{serial:032x}"
    return names


def _random_end() -> str:
    return base64.b32encode(random.randbytes(10)).translate(ALPHABET).decode()


# --- the command --------------------------------------------------------------------------------


def main() -> None:
    """Make the data and say what was made, how long it took and how much memory."""
    parser = argparse.ArgumentParser(prog="python -m bench.data", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--database", required=True, help="sqlite:///FILE or postgresql://…")
    asked = parser.parse_args()
    began = time.perf_counter()
    try:
        rows = fill(asked.database, asked.orders)
    except NotEmpty as refused:
        sys.exit(str(refused))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{asked.orders} orders in {rows} rows, {time.perf_counter() - began:.0f} s, "
        f"at most {peak:.0f} MiB of memory.\n"
        f"The newest one's page: /t/{token_of(asked.orders - 1)} on the host {house.HOST}, "
        f"under SECRET_KEY={house.environ_at('')['SECRET_KEY']}"
    )


if __name__ == "__main__":
    main()
